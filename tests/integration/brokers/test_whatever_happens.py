"""The end-to-end suite of the road to headquarters, the same on every broker.

The links of a few zones and headquarters run as they are deployed, and the zones never stop writing, while all
that can happen on the way happens, in an order and at moments that the seed decides. At the end every event that
was appended is at headquarters exactly once, in its order, under the zone's own root, and nothing else is.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from broker_processes import BrokerProcess, EmbeddedAmqtt, Mosquitto, NatsServer
from deployed import Deployment, until
from faults import BAD, FAULTS, a_moment, forgery_is_evidence
from history import check, evidence

SOAK = bool(os.environ.get("FOURMUSTS_SOAK"))
SEEDS = range(20) if SOAK else range(1)
ZONES = 5 if SOAK else 2
ROUNDS = 3 if SOAK else 1
BROKERS = {"mosquitto": Mosquitto, "nats-server": NatsServer, "amqtt": EmbeddedAmqtt}

pytestmark = pytest.mark.timeout(0 if SOAK else 900)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", BROKERS)
def test_every_event_comes_to_headquarters_once_and_in_order_whatever_happens(
    name: str, seed: int, everyones_keys: Path, tmp_path: Path
) -> None:
    dice = random.Random(f"{name} {seed}")
    broker: BrokerProcess = BROKERS[name](tmp_path / "broker", everyones_keys)
    with Deployment(tmp_path, broker, ZONES, seed) as deployment:
        for zone in deployment.zones:
            until(zone.cosigned, lambda zone=zone: deployment.told(zone))
        for _ in range(ROUNDS):
            for fault in dice.sample(FAULTS, len(FAULTS)):
                fault(deployment, dice)
                a_moment(dice)
        deployment.settle()
        kept = evidence(deployment)
        if broker.secured:
            assert {zone for zone, _ in kept} == {BAD}, "somebody was heard in another's name"
        else:
            assert forgery_is_evidence(deployment, deployment.zones[0])
        assert [zone.link.stop() for zone in deployment.zones] == [0] * ZONES
        assert deployment.central.stop() == 0
        check(deployment)
