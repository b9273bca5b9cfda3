"""A proof of one event, written on one machine and checked on another with nothing but public keys."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from config.clock import ManualClock
from custody.events import Draft, parse_line
from fourmusts import main
from sync.keys import ZONE_KEY, make_zone_key
from sync.ledger import Ledger
from sync.merkle import CompactRange, inclusion_proof
from sync.note import Checkpoint, KeyType, SigningKey, VerifierKey, cosigned, only_cosigned
from sync.proof import NotProvable, Proof, ProofRefused, prove, read_keys, verify_proof

HQ = SigningKey.generate("test/hq", KeyType.COSIGNATURE)
WITNESS = SigningKey.generate("witness.example/w1", KeyType.COSIGNATURE)

# The example of c2sp.org/tlog-proof, down to its checkpoint.
PUBLISHED = """\
c2sp.org/tlog-proof@v1
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=
EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=
RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=
AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=

"""


@pytest.fixture
def zone_dir(tmp_path: Path) -> Path:
    """The state directory of a zone with a key and a ledger of 21 lines, 12 of them cosigned."""
    state = tmp_path / "state"
    key = make_zone_key(state / "keys", "test", "nz01")
    (tmp_path / "zone.toml").write_text(
        f'[zone]\nid = "nz01"\nname = "Zone"\ndeployment = "test"\nstate_dir = "{state}"\n'
        '[[room]]\nid = "hall"\nname = "Hall"\n'
    )
    assert key.verifier.name == "test/nz01"
    return state


@pytest.fixture
def told(zone_dir: Path, clock: ManualClock) -> Iterator[Ledger]:
    ledger = Ledger.create(zone_dir / "ledger", zone="nz01", deployment="test", clock=clock)
    ledger.append(*[Draft("door.opened", {"door": f"door-{number}"}) for number in range(20)])
    _cosign(ledger, zone_dir, 12)
    yield ledger
    ledger.close()


def _cosign(ledger: Ledger, state: Path, size: int) -> None:
    file = ledger.spans()[-1][0]
    key = SigningKey.parse((state / "keys" / ZONE_KEY).read_text())
    note = Checkpoint(file.identity.origin, size, file.root(size)).signed(key)
    file.keep_cosigned(size, cosigned(cosigned(note, HQ, 1_795_400_000), WITNESS, 1_795_400_060), 1)


def _keys(state: Path) -> list[VerifierKey]:
    return [SigningKey.parse((state / "keys" / ZONE_KEY).read_text()).verifier, HQ.verifier]


def fourmusts(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


def test_the_form_is_that_of_the_specification() -> None:
    text = PUBLISHED + only_cosigned(Checkpoint("example.com/fancylog", 109482, b"\7" * 32), HQ, 1)
    proof = Proof.parse(text)
    assert (proof.index, len(proof.path), proof.extra) == (73894, 5, None)
    assert proof.text() == text
    with_extra = Proof(b"any bytes \n\0", 0, (), proof.checkpoint)
    assert with_extra.text().startswith("c2sp.org/tlog-proof@v1\nextra YW55IGJ5dGVzIAoA\nindex 0\n\n")
    assert Proof.parse(with_extra.text()) == with_extra


@pytest.mark.parametrize("size", [*range(1, 20), 64, 65, 255])
def test_every_line_of_a_ledger_of_any_size_is_proven_and_no_other(size: int) -> None:
    lines = [b"line %d" % number for number in range(size)]
    tree, completed = CompactRange().extended(lines)
    owner = SigningKey.generate("test/nz01", KeyType.NOTE)
    note = cosigned(Checkpoint("test/nz01/log", size, tree.root()).signed(owner), HQ, 7)

    def subtree(level: int, index: int) -> bytes:
        return completed[((index + 1) << level) - 1][32 * level : 32 * level + 32]

    for index in {0, size // 2, size - 1}:
        proof = Proof(lines[index], index, tuple(inclusion_proof(subtree, index, size)), note)
        proven = verify_proof(Proof.parse(proof.text()), [owner.verifier, HQ.verifier])
        assert (proven.line, proven.sequence) == (lines[index], index + 1)
        for wrong in (Proof(b"other", index, proof.path, note), Proof(lines[index], index + 1, proof.path, note)):
            with pytest.raises(ProofRefused, match="is not line"):
                verify_proof(wrong, [owner.verifier, HQ.verifier])


def test_a_cosigned_line_is_proven_with_the_two_public_keys(told: Ledger, zone_dir: Path) -> None:
    event = list(told.events())[7]
    proven = verify_proof(Proof.parse(prove(told, event.id).text()), _keys(zone_dir))
    assert proven.event == event
    assert [(signer.key.name, signer.time_s) for signer in proven.signers] == [
        ("test/nz01", None),
        ("test/hq", 1_795_400_000),
    ]


def test_what_is_not_cosigned_or_not_there_has_no_proof_yet(told: Ledger, zone_dir: Path) -> None:
    late = list(told.events())[15]
    with pytest.raises(NotProvable, match=r"is line 16, headquarters has cosigned 12"):
        prove(told, late.id)
    with pytest.raises(NotProvable, match="no line has the id nobody"):
        prove(told, "nobody")
    _cosign(told, zone_dir, 20)
    assert verify_proof(prove(told, late.id), _keys(zone_dir)).event == late


def test_each_missing_or_foreign_key_is_named(told: Ledger, zone_dir: Path) -> None:
    proof = prove(told, list(told.events())[3].id)
    zone, hq = _keys(zone_dir)
    with pytest.raises(ProofRefused, match=r"none of the given keys is that of test/nz01.*--key"):
        verify_proof(proof, [hq])
    with pytest.raises(ProofRefused, match=r"0 of the given keys have cosigned.*headquarters' verifier key"):
        verify_proof(proof, [zone])
    assert verify_proof(proof, [zone], witnesses=0).sequence == 4
    assert len(verify_proof(proof, [zone, hq, WITNESS.verifier], witnesses=2).signers) == 3
    another = SigningKey.generate("test/nz01", KeyType.NOTE).verifier
    with pytest.raises(ProofRefused, match="none of the given keys"):
        verify_proof(proof, [another, hq])


def test_a_forged_cosignature_refuses_the_whole_proof(told: Ledger, zone_dir: Path) -> None:
    proof = prove(told, list(told.events())[3].id)
    text = proof.checkpoint.rpartition("\n\n")[0] + "\n"
    forged = only_cosigned(Checkpoint("o", 1, b"\1" * 32), HQ, 5).rpartition("\n\n")[2]
    owner = next(line for line in proof.checkpoint.splitlines(keepends=True) if line.startswith("— test/nz01 "))
    with pytest.raises(ProofRefused, match=r"was changed, or is forged: .*test/hq does not verify"):
        verify_proof(Proof(proof.extra, proof.index, proof.path, f"{text}\n{owner}{forged}"), _keys(zone_dir))


def test_a_line_that_names_another_place_is_refused(zone_dir: Path) -> None:
    line = b'{"specversion":"1.0","id":"e1","source":"/zones/nz02","type":"door.opened",' + (
        b'"time":"2026-11-23T09:00:00.000000+08:00","ledger":"9f2c61d07a3be845","sequence":"000000000001","data":{}}'
    )
    assert parse_line(line).zone == "nz02"
    owner = SigningKey.generate("test/nz01", KeyType.NOTE)
    checkpoint = Checkpoint("test/nz01/9f2c61d07a3be845", 1, CompactRange().extended([line])[0].root())
    proof = Proof(line, 0, (), cosigned(checkpoint.signed(owner), HQ, 7))
    proven = verify_proof(proof, [owner.verifier, HQ.verifier])
    with pytest.raises(ProofRefused, match=r"line 1 of nz02/9f2c61d07a3be845, but it is line 1 of test/nz01"):
        _ = proven.event


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("tlog-proof@v1", "tlog-proof@v9"), "line 1: 'c2sp.org/tlog-proof@v9'"),
        (("extra ", "extra !"), "line 2 is not base64"),
        (("index 7\n", "index 07\n"), "line 3: expected 'index'"),
        (("index 7\n", "index 7\n!\n"), "line 4 is not base64"),
        (("index 7\n", "index 7\nAAAA\n"), "line 4: a hash of 3 bytes, expected 32"),
        (("index 7\n", "index 8\n"), "is not line 9"),
        (("\n\n", "\n"), "expected 32|is not base64|without a checkpoint"),
        (("\n12\n", "\n13\n"), "was changed, or is forged"),
    ],
)
def test_a_changed_file_is_refused_with_the_place_of_the_damage(
    told: Ledger, zone_dir: Path, tmp_path: Path, change: tuple[str, str], says: str
) -> None:
    event = list(told.events())[7]
    file = tmp_path / "damaged.tlog-proof"
    file.write_text(prove(told, event.id).text().replace(*change, 1))
    zone, hq = map(str, _keys(zone_dir))
    result = fourmusts("verify", file, "--key", zone, "--key", hq)
    assert result.exit_code == 1
    assert re.search(says, result.output), result.output
    assert str(file) in result.output


def test_the_two_commands_work_on_two_machines(told: Ledger, zone_dir: Path, tmp_path: Path) -> None:
    event = list(told.events())[7]
    told.close()
    file = tmp_path / "court.tlog-proof"
    made = fourmusts("proof", event.id, "--config", tmp_path / "zone.toml", "-o", file)
    assert made.exit_code == 0, made.output
    zone, hq = map(str, _keys(zone_dir))
    keys = tmp_path / "keys.txt"
    keys.write_text(f'# fourmusts/old+00000000+{"A" * 44}\n[[zone]]\nverifier_key = "{zone}"\n{hq}\n')
    for given in (("--key", zone, "--key", hq), ("--key", str(keys))):
        checked = fourmusts("verify", file, *given)
        assert checked.exit_code == 0, checked.output
        assert checked.output.startswith(f"proven: line 8 of test/nz01/{event.ledger}, whose root at size 12")
        assert "by test/hq" in checked.output and "UTC" in checked.output
        assert event.line.decode() in checked.output
    again = fourmusts("proof", event.id, "--config", tmp_path / "zone.toml", "-o", file)
    assert again.exit_code == 1 and "is not overwritten" in again.output
    shown = fourmusts("proof", event.id, "--config", tmp_path / "zone.toml", "-o", "-")
    assert shown.output == file.read_text()
    without = fourmusts("verify", file)
    assert without.exit_code == 2 and "--key" in without.output


def test_a_proof_without_its_line_is_checked_with_the_line_beside_it(
    told: Ledger, zone_dir: Path, tmp_path: Path
) -> None:
    event = list(told.events())[7]
    proof = prove(told, event.id)
    bare = tmp_path / "bare.tlog-proof"
    bare.write_text(Proof(None, proof.index, proof.path, proof.checkpoint).text())
    line = tmp_path / "line.json"
    line.write_bytes(event.line + b"\n")
    keys = [part for key in _keys(zone_dir) for part in ("--key", str(key))]
    assert "--event FILE" in fourmusts("verify", bare, *keys).output
    assert fourmusts("verify", bare, *keys, "--event", line).exit_code == 0


def test_keys_are_taken_as_themselves_or_from_files_and_nothing_else(tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_text("nothing\n")
    for given, says in (
        (str(HQ.verifier)[:-4], "verifier key"),
        (str(empty), "no verifier key in this file"),
        (str(tmp_path / "none"), "neither a verifier key nor a file"),
    ):
        with pytest.raises(ValueError, match=says):
            read_keys([given])


def test_the_whole_ledger_is_checked_at_three_levels(told: Ledger, zone_dir: Path, tmp_path: Path) -> None:
    config = tmp_path / "zone.toml"
    path = told.spans()[0][0].path
    for level in ("quick", "normal", "full"):
        holds = fourmusts("verify", "--ledger", "--level", level, "--config", config)
        assert holds.exit_code == 0, holds.output
        assert f"holds: 1 ledgers, 21 lines, level {level}" in holds.output
    with contextlib.closing(sqlite3.connect(path)) as opened:
        opened.execute("UPDATE line SET line = CAST('other' AS BLOB) WHERE sequence = 5")
        opened.commit()
    assert fourmusts("verify", "--ledger", "--level", "quick", "--config", config).exit_code == 0
    broken = fourmusts("verify", "--ledger", "--config", config)
    assert broken.exit_code == 1
    assert f"{told.directory / told.id}, line 5: L6 does not hold" in broken.output
    assert "docs/en/operating.md" in broken.output
