"""The link gives up what is old and holds the ballast, and says so."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from click.testing import CliRunner

from config.clock import ManualClock, SystemClock
from config.zone import load_zone
from custody.events import Draft
from edge.link.housekeeping import Housekeeping
from fourmusts import main
from sync import ballast
from sync.ledger import Ledger
from sync.note import Checkpoint, KeyType, SigningKey, only_cosigned

ZONE_TOML = (Path(__file__).parents[2] / "config" / "zone.toml").read_text()
HEADQUARTERS = SigningKey.generate("test/hq", KeyType.COSIGNATURE)
YEAR_S = 365 * 86_400.0


def aged_ledger(directory: Path, zone: str, deployment: str, clock: ManualClock, cosigned_size: int) -> Ledger:
    """51 lines, a year old; headquarters has the first of them."""
    ledger = Ledger.create(directory, zone=zone, deployment=deployment, clock=clock)
    ledger.append(*[Draft("door.opened", {"door": "front-door"})] * 50)
    file, _ = ledger.spans()[0]
    checkpoint = Checkpoint(file.identity.origin, cosigned_size, file.root(cosigned_size))
    file.keep_cosigned(cosigned_size, only_cosigned(checkpoint, HEADQUARTERS, 1), 0)
    return ledger


def write_settings(file: Path, *, retention_days: int) -> None:
    changed = ZONE_TOML.replace('state_dir = "/var/lib/fourmusts"', 'state_dir = "state"')
    file.write_text(changed.replace("retention_days = 180", f"retention_days = {retention_days}"))


@pytest.fixture(autouse=True)
def small_ballast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ballast, "BYTES", 4096)


def test_a_look_gives_up_old_lines_holds_the_ballast_and_tells_of_both(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    clock = ManualClock()
    ledger = aged_ledger(tmp_path, "nz01", "test", clock, 40)
    clock.advance(YEAR_S)
    Housekeeping(ledger, clock, 180).look()
    assert [event.sequence for event in ledger.events()] == [1, *range(41, 52)]
    assert (tmp_path / ballast.NAME).stat().st_size == 4096
    assert "39 lines of the ledger older than 180 days were given up" in caplog.text
    assert "10 lines are older than 180 days, but headquarters has not cosigned them" in caplog.text


def test_a_disk_that_cannot_be_written_is_told_of_and_nothing_is_given_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    ledger = aged_ledger(tmp_path, "nz01", "test", clock, 40)
    clock.advance(YEAR_S)
    file, _ = ledger.spans()[0]
    file._connection.execute("PRAGMA query_only = 1")
    Housekeeping(ledger, clock, 180).look()
    assert f"{file.path}: the events were not written" in caplog.text
    assert len(list(ledger.events())) == 51


def test_the_command_counts_and_gives_up(tmp_path: Path) -> None:
    config = tmp_path / "zone.toml"
    write_settings(config, retention_days=30)
    runner = CliRunner()
    made = runner.invoke(main, ["init", "--config", str(config)])
    assert made.exit_code == 0, made.output
    settings = load_zone(config)
    for ledger_file in settings.ledger_dir.iterdir():
        ledger_file.unlink()
    now_us = SystemClock().now_us()
    clock = ManualClock(now_us - round(YEAR_S * 1e6))
    aged_ledger(settings.ledger_dir, settings.zone.id, settings.zone.deployment, clock, 40).close()
    counted = runner.invoke(main, ["prune", "--config", str(config), "--dry-run"])
    assert "39 lines older than 30 days can be given up." in counted.output
    assert "10 lines older than 30 days wait for headquarters' cosignature; they stay." in counted.output
    done = runner.invoke(main, ["prune", "--config", str(config)])
    assert "39 lines older than 30 days were given up." in done.output
    again = runner.invoke(main, ["prune", "--config", str(config)])
    assert "0 lines older than 30 days were given up." in again.output


def test_a_retention_of_less_than_thirty_days_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "zone.toml"
    write_settings(config, retention_days=29)
    found = CliRunner().invoke(main, ["prune", "--config", str(config)])
    assert found.exit_code != 0
    assert "retention_days" in found.output
