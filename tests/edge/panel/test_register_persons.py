"""Who the people are: never in the ledger, sealed at the zone, and gone when destroyed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from config.zone import ZoneSettings
from edge.register.errors import PersonKeyBroken, PersonRecordBroken
from edge.register.persons import DATABASE_FILE, KEY_FILE, Paper, Persons, commitment, create_key, read_key
from edge.register.requests import ViewIdentity
from edge.register.service import RegisterService
from sync.ledger import Ledger

Number = Callable[..., str]


def test_no_name_and_no_number_reaches_the_ledger_or_lies_open_on_the_disk(
    arrive: Number, ledger: Ledger, settings: ZoneSettings
) -> None:
    arrive()
    lines = b"\n".join(event.line for event in ledger.events())
    stored = (settings.zone.state_dir / DATABASE_FILE).read_bytes()
    for secret in ("张三丰".encode(), b"610721199001011234"):
        assert secret not in lines
        assert secret not in stored


def test_the_ledger_commits_to_the_record_and_the_record_opens_the_commitment(
    arrive: Number, persons: Persons, service: RegisterService
) -> None:
    stay = arrive()
    committed = service.book.of_stay(stay)[0].data["person"]
    assert committed.startswith("sha256:") and len(committed) == 71
    assert persons.opens(stay, Paper.IDENTITY, committed)
    record = persons.read(stay, Paper.IDENTITY)
    assert record is not None and record["name"] == "张三丰"


def test_the_same_person_is_committed_to_differently_each_time(arrive: Number, service: RegisterService) -> None:
    first, second = (service.book.of_stay(arrive())[0].data["person"] for _ in range(2))
    assert first != second


def test_a_commitment_is_the_hash_of_salt_and_canonical_json() -> None:
    assert commitment(b"\0" * 16, {"b": 1, "a": "张"}) == commitment(b"\0" * 16, {"a": "张", "b": 1})
    assert commitment(b"\0" * 16, {"a": 1}) != commitment(b"\1" * 16, {"a": 1})


def test_a_destroyed_record_is_gone_and_the_ledger_stays_whole(
    arrive: Number, persons: Persons, service: RegisterService, settings: ZoneSettings
) -> None:
    stay = arrive()
    committed = service.book.of_stay(stay)[0].data["person"]
    file = settings.zone.state_dir / DATABASE_FILE
    with sqlite3.connect(file) as connection:
        sealed = connection.execute("SELECT sealed FROM record").fetchone()[0]
    connection.close()
    assert sealed in file.read_bytes()
    assert persons.destroy(stay) == 1
    assert persons.read(stay, Paper.IDENTITY) is None
    assert sealed not in file.read_bytes()
    assert service.book.of_stay(stay)[0].data["person"] == committed
    assert service.book.stay(stay) is not None


def test_nobody_looks_at_an_identity_unseen(arrive: Number, service: RegisterService) -> None:
    stay = arrive()
    found = service.identity(ViewIdentity(by="p0007", stay=stay, purpose="核对身份证号"))
    assert found is not None and found["id_number"] == "610721199001011234"
    last = service.book.of_stay(stay)[-1]
    assert (last.type, last.data["by"]["id"], last.data["purpose"]) == ("record.viewed", "p0007", "核对身份证号")


def test_a_record_moved_to_another_stay_does_not_open(
    arrive: Number, persons: Persons, settings: ZoneSettings
) -> None:
    first, second = arrive(), arrive()
    with sqlite3.connect(settings.zone.state_dir / DATABASE_FILE) as connection:
        connection.execute("DELETE FROM record WHERE stay = ?", (second,))
        connection.execute("UPDATE record SET stay = ? WHERE stay = ?", (second, first))
    connection.close()
    with pytest.raises(PersonRecordBroken, match="it was changed"):
        persons.read(second, Paper.IDENTITY)


def test_another_key_does_not_open_the_records(arrive: Number, settings: ZoneSettings) -> None:
    stay = arrive()
    other = Persons(settings.zone.state_dir / DATABASE_FILE, AESGCM.generate_key(256))
    with pytest.raises(PersonRecordBroken, match="sealed with another key"):
        other.read(stay, Paper.IDENTITY)
    other.close()


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "keys" / KEY_FILE
    create_key(file)
    assert file.stat().st_mode & 0o777 == 0o600
    key = read_key(file)
    with pytest.raises(FileExistsError):
        create_key(file)
    assert read_key(file) == key


@pytest.mark.parametrize(
    ("content", "mode", "mend"),
    [(None, 0o600, "fourmusts init"), ("00" * 32, 0o644, "chmod 600"), ("no key", 0o600, "restore it")],
)
def test_a_key_that_cannot_be_used_says_why_and_what_to_do(
    tmp_path: Path, content: str | None, mode: int, mend: str
) -> None:
    file = tmp_path / KEY_FILE
    if content is not None:
        file.write_text(content)
        file.chmod(mode)
    with pytest.raises(PersonKeyBroken, match=mend) as broken:
        read_key(file)
    assert str(file) in str(broken.value)
