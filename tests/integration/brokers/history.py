"""The checker at the end: what headquarters holds against what the zones wrote."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deployed import Deployment, Zone

from custody.events import parse_line
from sync.keys import HEADQUARTERS_KEY, load_signing_key
from sync.merkle import HASH_BYTES, CompactRange
from sync.note import open_checkpoint

OWN = "hq"


@contextmanager
def reading(database: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=60)
    try:
        yield connection
    finally:
        connection.close()


def evidence(deployment: Deployment) -> set[tuple[str, str]]:
    """(zone, kind) of what headquarters kept because it could not be taken."""
    with reading(deployment.database) as found:
        return set(found.execute("SELECT zone, kind FROM evidence"))


def check(deployment: Deployment) -> None:
    """Every event that was appended is at headquarters once, in its order, under the zone's own root; and nothing
    else is there."""
    with reading(deployment.database) as found:
        for zone in deployment.zones:
            _check_zone(found, zone)
        zones = {row[0] for row in found.execute("SELECT zone FROM logs WHERE size > 0")}
        assert zones <= {OWN, *(zone.name for zone in deployment.zones)}, "somebody else has a ledger there"
        flaws = found.execute("SELECT seq, flaw FROM lines WHERE flaw IS NOT NULL").fetchall()
        assert flaws == []
        forks = found.execute("SELECT zone FROM evidence WHERE kind IN ('wrong_root', 'wrong_overlap')").fetchall()
        assert forks == [], "an honest zone was taken for one that rewrites its history"
    for zone in deployment.zones:
        _check_cosignature(deployment, zone)


def _check_zone(found: sqlite3.Connection, zone: Zone) -> None:
    ((file, end),) = zone.ledger.spans()
    assert end is None, "no disk was restored, so no ledger was succeeded"
    ((key, log, size, edge),) = found.execute(
        "SELECT key, log, size, edge FROM logs WHERE zone = ?", (zone.name,)
    ).fetchall()
    assert (log, size) == (file.id, file.size())
    hashes = tuple(edge[at : at + HASH_BYTES] for at in range(0, len(edge), HASH_BYTES))
    assert CompactRange(size, hashes).root() == file.root(size)
    rows = found.execute("SELECT seq, line FROM lines WHERE log_key = ? ORDER BY seq", (key,)).fetchall()
    assert rows == list(enumerate(file.all_lines(), 1))
    there = [parse_line(line).id for _, line in rows]
    assert len(there) == len(set(there))
    # The writer's own list, which no ledger had a hand in; before it stands the ledger's first event.
    assert there[1:] == zone.made
    counted = found.execute("SELECT id FROM events WHERE zone = ? ORDER BY seq", (zone.name,)).fetchall()
    assert [row[0] for row in counted] == there


def _check_cosignature(deployment: Deployment, zone: Zone) -> None:
    file = zone.ledger.spans()[-1][0]
    size, note = file.cosigned()
    cosigner = load_signing_key(deployment.broker.keys / "hq" / HEADQUARTERS_KEY).verifier
    checkpoint = open_checkpoint(note, cosigner)
    assert (checkpoint.size, checkpoint.root) == (size, file.root(size)) == (file.size(), file.root(file.size()))
