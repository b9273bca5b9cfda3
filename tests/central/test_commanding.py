"""Commands to zones: announced in headquarters' own ledger, sent until the zone has them or they expire."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient

from central.commanding import RESEND_S, Commander, CommandUnfit, Dispatch
from central.operators import make_token
from central.store.commands import ANSWER_AWAITED_US, CommandTable
from central.store.database import Database
from central.store.logs import LogTable
from config.clock import ManualClock
from config.policy import policy_bytes
from config.roster import RosterTables, read_roster
from config.zone import HeadquartersCommand
from sync.commands import VALID_S_MAX, check_signature
from sync.documents import joined, read_part
from sync.note import SigningKey
from sync.protocol.messages import Command, decode

from .conftest import ZoneHand

ROSTER = RosterTables.model_validate(
    {
        "officer": [
            {"id": "p0231", "name": "民警甲", "rank": "police", "sex": "m", "card": "0A1B2C3D", "roles": ["guard"]}
        ]
    }
)


class Road:
    def __init__(self) -> None:
        self.is_connected = True
        self.sent: list[tuple[str, Command]] = []

    def send(self, zone: str, payload: bytes) -> None:
        message = decode(payload)
        assert isinstance(message, Command)
        self.sent.append((zone, message))


@pytest.fixture
def road() -> Road:
    return Road()


@pytest.fixture
def dispatch(commands: CommandTable, road: Road, clock: ManualClock) -> Dispatch:
    return Dispatch(commands, road, clock)


@pytest.fixture
def answer(hand: Callable[..., ZoneHand], store: LogTable, dispatch: Dispatch) -> Callable[..., None]:
    """The zone writes this into its ledger, and headquarters stores it."""
    zone = hand()
    zone.write("ledger.opened", {"follows": None, "reason": "first"})

    def answer(type_: str, **data: Any) -> None:
        if type_ != "door.released":
            data = {"command": "open", "actor": "hq-duty", "reason": None, "args": {}, **data}
        zone.write(type_, data)
        assert zone.advance(store)
        dispatch.heard(zone.lines[-1:])

    return answer


def state(commands: CommandTable, id_: str) -> str:
    row = commands.command(id_)
    assert row is not None
    assert (row["message"] is not None) == (row["state"] == "waiting"), "what is not sent any more is not kept"
    return str(row["state"])


def own_lines(database: Database) -> list[dict[str, Any]]:
    from sqlalchemy import select

    from central.store import schema

    query = select(schema.lines.c.line).join(schema.logs).where(schema.logs.c.zone == "hq")
    with database.read.connect() as connection:
        return [orjson.loads(line) for line in connection.execute(query).scalars()]


def test_a_command_is_signed_for_its_zone_and_announced_in_the_own_ledger(
    commander: Commander, dispatch: Dispatch, road: Road, database: Database, signer: SigningKey
) -> None:
    (id_,) = commander.open("nz01", "front", "hq-duty")
    assert dispatch.send_due(0.0) == 1
    ((zone, message),) = road.sent
    assert (zone, message.id, message.name, message.args) == ("nz01", id_, "open", {"door": "front"})
    check_signature(message, "nz01", signer.verifier)
    (line,) = [line for line in own_lines(database) if line["type"] == "command.issued"]
    assert line["data"]["command"] == id_
    assert (line["data"]["actor"], line["data"]["args"]) == ("hq-duty", {"door": "front"})


def test_it_is_sent_again_ever_more_rarely_until_the_zone_has_it(
    commander: Commander, dispatch: Dispatch, road: Road, commands: CommandTable, answer: Callable[..., None]
) -> None:
    (id_,) = commander.open("nz01", "front", "hq-duty", valid_s=3600)
    sent_at = [now_s for now_s in range(200) if dispatch.send_due(float(now_s))]
    assert sent_at == [0, 5, 15, 35, 75, 135, 195]
    assert RESEND_S == 5.0
    answer("command.received", id=id_)
    assert [now_s for now_s in range(200, 500) if dispatch.send_due(float(now_s))] == []
    assert state(commands, id_) == "received"


def test_it_is_never_sent_after_it_has_expired_and_a_late_answer_still_counts(
    commander: Commander,
    dispatch: Dispatch,
    road: Road,
    commands: CommandTable,
    clock: ManualClock,
    answer: Callable[..., None],
) -> None:
    (id_,) = commander.open("nz01", "front", "hq-duty", valid_s=30)
    dispatch.send_due(0.0)
    clock.advance(31)
    assert dispatch.send_due(31.0) == 0
    assert state(commands, id_) == "expired"
    answer("command.received", id=id_)
    dispatch.send_due(32.0)
    assert state(commands, id_) == "received"


def test_without_a_broker_nothing_is_sent_and_with_one_again_everything_is(
    commander: Commander, dispatch: Dispatch, road: Road
) -> None:
    commander.open("nz01", "front", "hq-duty")
    road.is_connected = False
    assert dispatch.send_due(0.0) == 0
    road.is_connected = True
    assert dispatch.send_due(1.0) == 1


def test_what_the_doors_say_after_the_zone_has_it_is_the_outcome(
    commander: Commander, dispatch: Dispatch, commands: CommandTable, answer: Callable[..., None]
) -> None:
    opened, refused, repeated = (commander.open("nz01", "front", "hq-duty")[0] for _ in range(3))
    for id_ in (opened, refused, repeated):
        answer("command.received", id=id_)
    answer("door.released", door="front", cause="remote", actor="hq-duty", command=opened)
    answer("command.refused", id=refused, reason="interlock")
    answer("command.refused", id=repeated, reason="it was given before", repeated=True)
    dispatch.send_due(0.0)
    assert [state(commands, id_) for id_ in (opened, refused, repeated)] == ["done", "refused", "received"]
    (locked,) = commander.set_mode("nz01", HeadquartersCommand.LOCKDOWN, "front", "hq-duty")
    answer("command.received", id=locked)
    answer("door.mode", door="front", released=None, locked_down=True, actor="hq-duty", command=locked)
    dispatch.send_due(0.0)
    assert state(commands, locked) == "done"
    row = commands.command(refused)
    assert row is not None and row["reason"] == "interlock" and row["answer"]


def test_an_answer_from_another_zone_is_none(
    commander: Commander, dispatch: Dispatch, commands: CommandTable, answer: Callable[..., None]
) -> None:
    (id_,) = commander.open("nz02", "front", "hq-duty")
    answer("command.received", id=id_)  # by nz01
    dispatch.send_due(0.0)
    assert state(commands, id_) == "waiting"


def test_answers_that_came_while_headquarters_was_down_are_read_at_its_start(
    commander: Commander, road: Road, commands: CommandTable, clock: ManualClock, answer: Callable[..., None]
) -> None:
    (id_,) = commander.open("nz01", "front", "hq-duty")
    answer("command.refused", id=id_, reason="may not")
    Dispatch(commands, road, clock).send_due(0.0)
    assert (state(commands, id_), road.sent) == ("refused", [])
    clock.advance(ANSWER_AWAITED_US / 1e6 + 60)
    assert commands.settle(clock.now_us()) == 0


def test_a_roster_goes_out_whole_and_leaves_nothing_of_it_in_ledger_or_table_afterwards(
    commander: Commander,
    dispatch: Dispatch,
    road: Road,
    commands: CommandTable,
    database: Database,
    answer: Callable[..., None],
) -> None:
    (id_,) = commander.send_roster("nz01", ROSTER, "hq-duty")
    dispatch.send_due(0.0)
    part = read_part(road.sent[0][1].args)
    assert read_roster(joined([part.piece], part.sha256)).officers == ROSTER.officers
    answer("command.received", id=id_, command="roster.set")
    dispatch.send_due(1.0)
    assert state(commands, id_) == "received"
    row = commands.command(id_)
    kept = orjson.dumps([own_lines(database), row and row["args"]])
    assert b"0A1B2C3D" not in kept and b"content" not in kept
    assert part.sha256.encode() in kept


def test_a_newer_roster_takes_the_place_of_one_that_the_zone_has_not_and_versions_only_grow(
    commander: Commander, dispatch: Dispatch, road: Road, commands: CommandTable, clock: ManualClock
) -> None:
    (first,) = commander.send_roster("nz01", ROSTER, "hq-duty")
    (second,) = commander.send_roster("nz01", ROSTER, "hq-duty")
    (elsewhere,) = commander.send_roster("nz02", ROSTER, "hq-duty")
    dispatch.send_due(0.0)
    assert {message.id for _, message in road.sent} == {second, elsewhere}
    assert state(commands, first) == "superseded"
    clock.step_wall(-86_400)
    commander.send_roster("nz01", ROSTER, "hq-duty")
    versions = [row["version"] for row in commands.commands("nz01", limit=10)]
    assert len(set(versions)) == 3
    assert commands.next_version("nz01", "roster.set", 0) == max(versions) + 1


@pytest.mark.parametrize(
    ("give", "expected"),
    [
        (lambda to: to.open("nz09", "front", "hq"), "not enrolled; there are: nz01, nz02, nz03"),
        (lambda to: to.open("nz01", "front", "hq", valid_s=VALID_S_MAX + 1), "cannot be valid"),
        (lambda to: to.open("nz01", "front", "*"), "names nobody"),
        (lambda to: to.open("nz01", "x" * 70_000, "hq"), "at most 65536"),
        (lambda to: to.send_roster("nz01", RosterTables(), "hq"), "nobody could pass"),
        (lambda to: to.send_policy("nz01", lambda version: b" " * 3_000_000, "hq"), "at most"),
    ],
)
def test_what_no_zone_would_take_is_not_given(
    commander: Commander, commands: CommandTable, give: Callable[[Commander], Any], expected: str
) -> None:
    with pytest.raises(CommandUnfit, match=expected):
        give(commander)
    assert commands.commands(None, limit=10) == []


def asked(web: TestClient, token: str | None, **fields: Any) -> Any:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return web.post("/api/v1/commands", json={"zone": "nz01", "actor": "hq-duty", **fields}, headers=headers)


@pytest.fixture
def token(settings: Any) -> str:
    return make_token(settings.keys_dir).read_text().strip()


def test_only_who_has_the_operators_token_can_give_commands(
    web: TestClient, settings: Any, commands: CommandTable
) -> None:
    fields = {"name": "open", "door": "front"}
    assert "fourmusts central init makes it" in asked(web, "", **fields).json()["detail"]
    token = make_token(settings.keys_dir).read_text().strip()
    for wrong in (None, "", "x", token[:-1], "令牌".encode().hex()):
        assert asked(web, wrong, **fields).status_code == 401
    (settings.keys_dir / "operator.token").chmod(0o644)
    assert asked(web, token, **fields).status_code == 401
    (settings.keys_dir / "operator.token").chmod(0o600)
    assert commands.commands(None, limit=10) == []
    assert asked(web, token, **fields).status_code == 202


def test_commands_are_given_and_seen_over_the_interface(web: TestClient, token: str) -> None:
    (opened,) = asked(web, token, name="open", door="front").json()
    assert (opened["state"], opened["args"], opened["answer"]) == ("waiting", {"door": "front"}, None)
    (roster,) = asked(web, token, name="roster.set", roster=ROSTER.model_dump(mode="json", by_alias=True)).json()
    assert set(roster["args"]) == {"version", "sha256", "part", "parts"}
    (policy,) = asked(web, token, name="policy.set").json()
    (locked,) = asked(web, token, name="lockdown", door="*").json()
    assert (locked["name"], locked["args"]) == ("lockdown", {"door": "*"})
    assert web.get(f"/api/v1/commands/{policy['id']}").json() == policy
    listed = web.get("/api/v1/commands", params={"zone": "nz01"}).json()
    assert {one["id"] for one in listed} == {one["id"] for one in (policy, roster, opened, locked)}
    assert web.get("/api/v1/commands", params={"zone": "nz02"}).json() == []
    assert web.get("/api/v1/commands/none").status_code == 404


@pytest.mark.parametrize(
    ("fields", "status", "expected"),
    [
        ({"name": "open"}, 422, "needs `door`"),
        ({"name": "secure"}, 422, "needs `door`"),
        ({"name": "roster.set"}, 422, "needs `roster`"),
        ({"name": "passage"}, 422, "name"),
        ({"name": "open", "door": "front", "actor": "A B"}, 422, "actor"),
        ({"name": "open", "door": "front", "zone": "nz09"}, 409, "not enrolled"),
        ({"name": "roster.set", "roster": {"officer": [{"id": "x"}]}}, 422, "officer"),
    ],
)
def test_a_command_that_cannot_be_is_answered_with_the_reason(
    web: TestClient, token: str, fields: dict[str, Any], status: int, expected: str
) -> None:
    answered = asked(web, token, **fields)
    assert answered.status_code == status
    assert expected in answered.text


def test_the_policy_that_is_sent_is_headquarters_own(
    commander: Commander, dispatch: Dispatch, road: Road, tmp_path: Path
) -> None:
    own = tmp_path / "policy.toml"
    own.write_text("[guards]\nguard_valid_s = 77\n")
    commander.send_policy("nz01", lambda version: policy_bytes(version, own), "hq-duty")
    dispatch.send_due(0.0)
    part = read_part(road.sent[0][1].args)
    document = orjson.loads(joined([part.piece], part.sha256))
    assert (document["version"], document["policy"]["guards"]["guard_valid_s"]) == (part.version, 77)
