"""The line on paper that proves, typed back, that the ledger still contains what it contained then."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from config.clock import ManualClock
from custody.events import Draft, LedgerReason
from fourmusts import main
from sync.ledger import Ledger
from sync.shift_line import LineBroken, LineUnreadable, ShiftLine, check_line, qr_svg, qr_text, shift_line


def _filled(ledger: Ledger, count: int = 9) -> ShiftLine:
    ledger.append(*[Draft("door.opened", {"door": "front-door"}) for _ in range(count)])
    return shift_line(ledger)


def test_a_line_typed_back_holds_as_long_as_nothing_before_it_changes(ledger: Ledger) -> None:
    line = _filled(ledger)
    _filled(ledger)
    check_line(ledger, ShiftLine.parse(str(line)))


def test_small_letters_and_letters_for_digits_are_read(ledger: Ledger) -> None:
    line = _filled(ledger)
    *head, root, check = str(line).split()
    typed = root.replace("0", "O").replace("1", "l").replace("-", "")
    assert ShiftLine.parse("  ".join([*head, typed, check.replace("1", "I")]).lower()) == line


def test_every_slip_of_one_character_is_noticed() -> None:
    """20 bits of checksum: seeded, so that no draw can fail."""
    dice = random.Random(7)
    line = str(ShiftLine("nz01", "9f2c61d07a3be845", 1235, dice.randbytes(20)))
    for place, right in enumerate(line):
        for wrong in dice.sample(sorted(set("0123456789ABCDEFGHJKMNPQRSTVWXYZ") - {right}), 5):
            if right not in " -":
                with pytest.raises(LineUnreadable):
                    ShiftLine.parse(line[:place] + wrong + line[place + 1 :])


def test_two_characters_exchanged_are_noticed() -> None:
    line = str(ShiftLine("nz01", "9f2c61d07a3be845", 1235, random.Random(3).randbytes(20)))
    for place in range(len(line) - 1):
        a, b = line[place : place + 2]
        if a != b and not {a, b} & set(" -"):
            with pytest.raises(LineUnreadable):
                ShiftLine.parse(line[:place] + b + a + line[place + 2 :])


@pytest.mark.parametrize("typed", ["", "FM1", "FM2 NZ01 9F2C61D07A3BE845 1235 A B", "FM1 NZ01 9F2C 1 A B"])
def test_what_is_no_line_is_refused_in_words(typed: str) -> None:
    with pytest.raises(LineUnreadable, match=r"expected six words|is no ledger"):
        ShiftLine.parse(typed)


def test_a_rewritten_ledger_does_not_hold(ledger: Ledger, clock: ManualClock) -> None:
    line = _filled(ledger)
    _filled(ledger)
    path = ledger.spans()[0][0].path
    database = sqlite3.connect(path)
    database.execute("UPDATE line SET subtrees = zeroblob(64) WHERE sequence = 10")
    database.commit()
    database.close()
    again = Ledger.open(ledger.directory, zone="nz01", deployment="test", clock=clock)
    with pytest.raises(LineBroken, match=rf"{path}: its first 10 lines are not those.*rewritten"):
        check_line(again, line)
    again.close()


def test_a_ledger_that_shrank_or_is_another_does_not_hold(ledger: Ledger) -> None:
    line = _filled(ledger)
    with pytest.raises(LineBroken, match="the paper says 11 lines, there are 10"):
        check_line(ledger, ShiftLine(line.zone, line.ledger, 11, line.root))
    with pytest.raises(LineBroken, match="no ledger 0000000000000000 here"):
        check_line(ledger, ShiftLine(line.zone, "0" * 16, 5, line.root))
    with pytest.raises(LineBroken, match="use that zone's"):
        check_line(ledger, ShiftLine("nz02", line.ledger, 5, line.root))


def test_lines_that_a_restored_disk_gave_up_are_told_from_those_that_count(ledger: Ledger) -> None:
    _filled(ledger, 4)
    early = shift_line(ledger)
    late = _filled(ledger)
    ledger.succeed(ledger.spans()[-1][0], 7, LedgerReason.ROLLBACK)
    check_line(ledger, early)
    check_line(ledger, shift_line(ledger))
    with pytest.raises(LineBroken, match="only its first 7 lines count, the paper says 14"):
        check_line(ledger, late)


def test_the_qr_code_is_small_and_says_the_line() -> None:
    line = ShiftLine("nz01", "9f2c61d07a3be845", 1_000_000, bytes(range(20)))
    assert set(str(line)) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ -")  # the alphanumeric mode
    assert qr_svg(line).startswith("<svg")
    assert len(qr_text(line).splitlines()) < 30


def test_the_commands_print_it_and_check_it(tmp_path: Path, ledger: Ledger) -> None:
    config = tmp_path / "zone.toml"
    config.write_text(
        '[zone]\nid = "nz01"\nname = "Zone"\ndeployment = "test"\nstate_dir = "."\n'
        '[[room]]\nid = "hall"\nname = "Hall"\n'
    )
    line = _filled(ledger)
    svg = tmp_path / "line.svg"
    printed = CliRunner().invoke(main, ["shift-line", "--config", str(config), "--svg", str(svg)])
    assert printed.exit_code == 0, printed.output
    assert printed.output.splitlines()[0] == str(line)
    assert "<svg" in svg.read_text()
    _filled(ledger)
    checked = CliRunner().invoke(main, ["verify", "--config", str(config), "--line", str(line)])
    assert checked.exit_code == 0, checked.output
    assert "its first 10 lines unchanged; it has 19 now" in checked.output
    wrong = str(ShiftLine("nz01", line.ledger, 9, line.root))
    refused = CliRunner().invoke(main, ["verify", "--config", str(config), "--line", wrong])
    assert refused.exit_code == 1 and "rewritten" in refused.output
