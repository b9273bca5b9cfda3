"""A ledger on a disk that fills up: ``python full_disk.py DIRECTORY mounted|counted``.

*mounted*: a small file system of its own is mounted at the directory, and is really full. *counted*: where nobody
may mount, SQLite is told so as soon as the files of the directory together are too large.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from failing_disk import OK, FailingDisk

from config.clock import ManualClock
from custody.events import Draft
from sync import ballast
from sync.check import Level, check
from sync.errors import LedgerFull
from sync.ledger import Ledger

DISK_BYTES = 4 * 1024 * 1024
SQLITE_FULL = 13
CHUNK = bytes(16 * 1024)


def main(directory: Path, how: str) -> None:
    ballast.BYTES = 512 * 1024
    disk = None
    if how == "mounted":
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(directory)], check=True)
    else:
        disk = FailingDisk(lambda call, _: SQLITE_FULL if call == "write" and used(directory) > DISK_BYTES else OK)
    place = directory / "ledger"
    ledger = Ledger.create(place, zone="nz01", deployment="test", clock=ManualClock())
    found: dict[str, object] = {"held": ledger.ballast.hold()}
    ledger.append(*[heartbeat()] * 20)
    recordings = directory / "recordings"
    fill(directory, recordings)
    (fault,) = ledger.append(heartbeat())
    found["fault_recorded_at"] = fault.sequence
    found["ballast_after_fault"] = (place / ballast.NAME).exists()
    written = 21
    try:
        while True:
            written += len(ledger.append(*[heartbeat()] * 10))
    except LedgerFull as full:
        found["refused"] = str(full)
    found["written_on_ballast"] = written - 21
    found["kept"] = len(list(ledger.events())) - 1 - written
    found["breaches"] = [str(one) for one in check(ledger, Level.FULL)]
    found["held_while_full"] = ledger.ballast.hold()
    recordings.unlink()
    (after,) = ledger.append(heartbeat())
    found["first_after"] = after.sequence - written
    found["held_again"] = ledger.ballast.hold()
    found["breaches_after"] = [str(one) for one in check(ledger, Level.FULL)]
    ledger.close()
    del disk  # SQLite calls into it until here
    print(json.dumps(found))


def heartbeat() -> Draft:
    return Draft(
        "zone.heartbeat",
        {
            "parts": {},
            "clock": {"synchronised": True, "offset_s": None, "uncertainty_s": None},
            "disk": {"free_bytes": 0, "retention_days": None},
        },
    )


def fill(directory: Path, file: Path) -> None:
    with file.open("wb", buffering=0) as opened:
        while used(directory) <= DISK_BYTES:
            try:
                if opened.write(CHUNK) < len(CHUNK):
                    return
            except OSError:
                return


def used(directory: Path) -> int:
    return sum(file.stat().st_size for file in directory.rglob("*") if file.is_file())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
