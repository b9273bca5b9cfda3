"""``fourmusts proof``, ``verify`` and ``shift-line``: what a zone's history proves, and whether it stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from config.options import zone_option
from config.running import clock_of
from config.zone import ZoneSettings, load_zone

from .check import Level, check
from .errors import SyncError
from .ledger import Ledger
from .note import VerifierKey
from .proof import Proof, ProofRefused, Proven, prove, read_keys, verify_proof
from .rotation import FollowedKey
from .shift_line import ShiftLine, check_line, qr_svg, qr_text
from .shift_line import shift_line as line_of


class HistoryBroken(SyncError):
    """A ledger or a database in which something does not hold that always must."""


FILE = click.Path(dir_okay=False, path_type=Path)

level_option = click.option(
    "--level",
    type=click.Choice([level.name.lower() for level in Level]),
    default="normal",
    show_default=True,
    help="quick: a few dozen rows. normal: every line is hashed. full: also signatures, contents and indexes.",
)
output_option = click.option(
    "-o", "--output", type=FILE, help="Where to write it; by default EVENT_ID.tlog-proof here, - is the screen."
)


@click.command()
@click.argument("event_id")
@zone_option
@output_option
def proof(event_id: str, config_file: Path, output: Path | None) -> None:
    """Write the proof that the event EVENT_ID stands in this zone's ledger and that headquarters has cosigned it.

    The file is a C2SP tlog-proof: line, path in the tree, cosigned checkpoint. 'fourmusts verify FILE' checks it
    on any machine, offline, with the public keys alone. 'fourmusts central proof' does the same at headquarters.
    """
    settings = load_zone(config_file)
    ledger = open_ledger(settings)
    try:
        made = prove(ledger, event_id)
    finally:
        ledger.close()
    write_proof(made, event_id, output)


@click.command()
@click.argument("file", type=FILE, required=False)
@click.option(
    "--key",
    "given_keys",
    multiple=True,
    help="A verifier key, or a file with some (one a line, a zone.toml or a central.toml); repeatable.",
)
@click.option("--event", "event_file", type=FILE, help="The event line, for a proof that does not carry it.")
@click.option(
    "--witnesses",
    type=click.IntRange(0),
    help="How many others than the ledger's owner must have cosigned; 1 unless given, 0 for headquarters' own.",
)
@click.option("--ledger", "whole", is_flag=True, help="Check the whole of this zone's ledger.")
@level_option
@click.option("--line", "typed", help="A line from a shift's paper register, as it is printed there.")
@zone_option
def verify(
    file: Path | None,
    given_keys: tuple[str, ...],
    event_file: Path | None,
    witnesses: int | None,
    whole: bool,
    level: str,
    typed: str | None,
    config_file: Path,
) -> None:
    """Check a history: of one event (FILE, a .tlog-proof), of this zone's whole ledger, or of it since a shift.

    \b
      fourmusts verify FILE --key ZONE_KEY --key HEADQUARTERS_KEY    offline, on any machine
      fourmusts verify --ledger --level full                         on the zone's board
      fourmusts verify --line "FM1 NZ01 …"                           on the zone's board
      fourmusts central verify --level full                          at headquarters

    Ends with an error that says what does not hold, in which file and at which line.
    """
    if [file is not None, typed is not None, whole].count(True) != 1:
        raise click.UsageError("give a FILE, --ledger or --line, one of them")
    if file is not None:
        _verify_file(file, given_keys, event_file, witnesses)
    elif whole:
        _verify_ledger(load_zone(config_file), Level[level.upper()])
    elif typed is not None:
        _verify_line(typed, config_file)


@click.command("shift-line")
@zone_option
@click.option("--svg", type=FILE, help="Also write its QR code there, for a printed sheet.")
def shift_line(config_file: Path, svg: Path | None) -> None:
    """Print size and root of the ledger as one short line and a QR code, for the paper register of a shift.

    Typed back at any later time, 'fourmusts verify --line' shows that the ledger still contains all that it
    contained at that moment.
    """
    ledger = open_ledger(load_zone(config_file))
    try:
        line = line_of(ledger)
    finally:
        ledger.close()
    click.echo(line)
    click.echo(qr_text(line))
    if svg is not None:
        svg.write_text(qr_svg(line))
        click.echo(f"wrote {svg}")


def open_ledger(settings: ZoneSettings) -> Ledger:
    identity = settings.zone
    clock = clock_of(identity.utc_offset_hours, None)
    return Ledger.open(settings.ledger_dir, zone=identity.id, deployment=identity.deployment, clock=clock)


def write_proof(made: Proof, event_id: str, output: Path | None) -> None:
    """Into a new file, or onto the screen for ``-``; says where and with what it is checked."""
    if output == Path("-"):
        click.echo(made.text(), nl=False)
        return
    target = output or Path(f"{event_id}.tlog-proof")
    try:
        with target.open("x") as opened:
            opened.write(made.text())
    except FileExistsError:
        raise ProofRefused(f"{target} exists already and is not overwritten; give another name with -o") from None
    except OSError as error:
        raise ProofRefused(
            f"{target} could not be written: {error.strerror}; give another name with -o"
        ) from error
    click.echo(f"wrote {target}; check it with: fourmusts verify {target} --key ZONE_KEY --key HEADQUARTERS_KEY")


def _verify_file(file: Path, keys: tuple[str, ...], event_file: Path | None, witnesses: int | None) -> None:
    if not keys:
        raise click.UsageError("give the public keys with --key: the zone's and headquarters'")
    try:
        text, line = file.read_text(), None if event_file is None else event_file.read_bytes().rstrip(b"\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ProofRefused(f"{file}: it cannot be read: {error}") from error
    try:
        proven = verify_proof(Proof.parse(text), read_keys(keys), line=line, witnesses=witnesses)
        _tell(proven)
    except SyncError as wrong:
        raise ProofRefused(f"{file}: {wrong}") from wrong


def _tell(proven: Proven) -> None:
    event, checkpoint = proven.event, proven.checkpoint
    click.echo(
        f"proven: line {proven.sequence} of {checkpoint.origin}, whose root at size {checkpoint.size} was signed"
    )
    for signer in proven.signers:
        when = (
            ""
            if signer.time_s is None
            else f" at {datetime.fromtimestamp(signer.time_s, UTC):%Y-%m-%d %H:%M:%S} UTC"
        )
        click.echo(f"  by {signer.key.name} ({signer.key.id.hex()}){when}")
    click.echo(f"{event.type} {event.id}")
    click.echo(event.line.decode())


def _verify_line(typed: str, config_file: Path) -> None:
    line = ShiftLine.parse(typed)
    ledger = open_ledger(load_zone(config_file))
    try:
        check_line(ledger, line)
        size = ledger.spans()[-1][0].size()
    finally:
        ledger.close()
    click.echo(
        f"holds: ledger {line.ledger} still contains its first {line.size} lines unchanged; it has {size} now"
    )


def _verify_ledger(settings: ZoneSettings, level: Level) -> None:
    headquarters = settings.headquarters
    ledger = open_ledger(settings)
    keys: Sequence[VerifierKey] = ()
    if headquarters is not None:
        keys = FollowedKey(VerifierKey.parse(headquarters.verifier_key), ledger.directory).all
    try:
        found = [
            f"{ledger.directory / one.ledger}{'' if one.sequence is None else f', line {one.sequence}'}: "
            f"{one.invariant.name} does not hold ({one.invariant}): {one.detail}"
            for one in check(ledger, level, *keys)
        ]
        spans = ledger.spans()
        lines = sum(file.size() for file, _ in spans)
    finally:
        ledger.close()
    report(found, f"{len(spans)} ledgers, {lines} lines", level)


def report(found: Sequence[str], what: str, level: Level) -> None:
    """Say what holds, or raise ``HistoryBroken`` with all that does not and what to do about it."""
    if found:
        mend = "Keep a copy of the disk as it is, tell the other end, and restore from there: docs/en/operating.md"
        raise HistoryBroken("\n".join([*found, mend]))
    click.echo(f"holds: {what}, level {level.name.lower()}")
