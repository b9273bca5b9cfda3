"""The panel uses headquarters' roster and policy as soon as the ledger has them, and judges everything anew."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from config.policy import load_policy, policy_bytes
from config.roster import Roster, roster_bytes
from config.zone import ZoneSettings
from custody.events import Draft
from edge.directives.in_force import store_of
from edge.directives.store import Version
from edge.panel.desk import Desk
from edge.register import requests
from edge.register.errors import Unknown
from edge.register.service import Written
from sync.documents import POLICY_SET, ROSTER_SET
from sync.ledger import Ledger

Until = Callable[[Callable[[], Any]], Any]


@pytest.fixture
def send(settings: ZoneSettings, ledger: Ledger) -> Callable[[str, int, bytes], None]:
    """A document as the link leaves it: kept beside the ledger, and named in it."""

    def send(kind: str, version: int, content: bytes) -> None:
        kept = Version(version, hashlib.sha256(content).hexdigest(), kind)
        store_of(settings).keep_whole(kept, content)
        args = {"version": version, "sha256": kept.sha256, "part": 1, "parts": 1, "complete": True}
        data = {"command": kind, "actor": "hq", "args": args, "origin": "headquarters"}
        ledger.append(Draft("command.received", data))

    return send


def roster(*ids: str) -> bytes:
    officers = [
        {"id": id_, "name": f"新警{id_}", "rank": "police", "sex": "m", "card": f"AB{nr}", "roles": ["guard"]}
        for nr, id_ in enumerate(ids)
    ]
    return roster_bytes(Roster.model_validate({"version": 1, "officer": officers}))


def test_officers_of_a_new_roster_are_offered_and_those_of_the_old_are_not(
    client: httpx.Client, desk: Desk, until: Until, send: Callable[[str, int, bytes], None]
) -> None:
    def offered() -> list[str]:
        return [officer["id"] for officer in client.get("/api/v1/zone").json()["officers"]]

    assert "p0231" in offered()
    send(ROSTER_SET, 1, roster("n0001", "n0002"))
    until(lambda: offered() == ["n0001", "n0002"])
    assert desk.officer_name("n0001") == "新警n0001"


def test_who_is_in_no_roster_any_more_writes_nothing(desk: Desk, send: Callable[[str, int, bytes], None]) -> None:
    send(ROSTER_SET, 1, roster("n0001"))
    desk.book.refresh()
    desk.follow(list(desk.ledger.events()))
    with pytest.raises(Unknown):
        desk.service.write(
            requests.GuardPresentAct.model_validate({"by": "p0231", "officer": "p0231", "room": "corridor"})
        )


def test_a_new_policy_is_what_everything_is_judged_with_what_was_found_before_too(
    client: httpx.Client,
    desk: Desk,
    until: Until,
    send: Callable[[str, int, bytes], None],
    append: Callable[..., Any],
    arrive: Callable[..., str],
    write: Callable[..., Written],
    clock: Any,
    tmp_path: Path,
) -> None:
    def alive() -> None:
        healthy = {"synchronised": True, "offset_s": 0.0, "uncertainty_s": 0.01}
        disk = {"free_bytes": 10**9, "retention_days": None}
        append("zone.heartbeat", parts={"doors": True}, clock=healthy, disk=disk)

    alive()
    stay = arrive()
    write("enter", stay=stay, door="front-door", room="corridor", escorts=["p0231"])
    clock.advance(60)
    alive()

    def unproven() -> bool:
        """That the corridor was recorded for that minute."""
        return "M4.1" in {finding["rule"] for finding in desk.judged.findings}

    until(unproven)
    own = tmp_path / "policy.toml"
    own.write_text('[rules."M4.1"]\nunproven_s = 3600\n')
    send(POLICY_SET, 1, policy_bytes(1, own))
    until(lambda: not unproven())
    assert desk.policy == load_policy(own)
    send(POLICY_SET, 2, policy_bytes(2))
    until(unproven)
