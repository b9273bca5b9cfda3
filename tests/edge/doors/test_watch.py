import hashlib
import queue

import pytest

from config.clock import SystemClock
from config.policy import policy_bytes
from config.roster import Roster, roster_bytes
from custody.events import Draft
from custody.register import Permit, Stay
from edge.directives.in_force import InForce, store_of
from edge.directives.store import Version
from edge.doors.facts import CommandUnusable, OpenRequested, PastKnown, RosterChanged, StaysChanged
from edge.doors.layout import Layout
from edge.doors.watch import LedgerWatch, known_stay
from sync.documents import POLICY_SET, ROSTER_SET
from sync.ledger import Ledger

STAY = "nz01-20261123-004"
OFFICER = {"id": "p0231", "rank": "police", "sex": "m"}


def permit(id_="p-1", role="unit_head", used=False):
    return Permit(id_, "medical", role, 0, None, used)


@pytest.mark.parametrize(
    ("stay", "permitted"),
    [
        (Stay(STAY), False),
        (Stay(STAY, permits={"p-1": permit()}), True),
        (Stay(STAY, permits={"p-1": permit(role="duty_chief")}), False),
        (Stay(STAY, inside=True, first_entered_us=1, permits={"p-1": permit(used=True)}), False),
        (Stay(STAY, first_entered_us=1, permits={"p-1": permit(used=True)}, left_permit="p-1"), True),
        (Stay(STAY, first_entered_us=1, left_permit="p-9"), False),
    ],
    ids=["none", "ready", "by another chief", "used before", "used by this departure", "of nobody"],
)
def test_a_permit_serves_one_departure_and_is_the_unit_heads(stay, permitted):
    assert known_stay(stay).permitted is permitted


@pytest.fixture
def ledger(settings):
    clock = SystemClock()
    ledger = Ledger.create(settings.ledger_dir, zone="nz01", deployment="fourmusts", clock=clock)
    yield ledger
    ledger.close()


@pytest.fixture
def watch(settings, ledger):
    facts = queue.Queue()
    watch = LedgerWatch(ledger, Layout.of(settings), SystemClock(), facts.put)
    watch.facts = facts
    yield watch
    watch.stop()


def arrived(stay=STAY):
    data = {
        "stay": stay,
        "person": "c0ffee",
        "category": "suspect",
        "sex": "m",
        "flags": [],
        "case": {"id": "c-1", "kind": "criminal"},
        "measure": {"kind": "none", "limit_hours": None, "document": None, "since": None},
        "brought_by": [OFFICER],
        "via": "front-door",
        "exempt": None,
    }
    return Draft("stay.arrived", data, f"stay/{stay}")


def opening():
    data = {"command": "open", "actor": "m0001", "reason": None, "args": {"door": "front-door"}}
    return Draft("command.received", data)


def next_of(watch, kind):
    while True:
        fact = watch.facts.get(timeout=30)
        if isinstance(fact, kind):
            return fact


def test_what_was_written_before_the_start_is_known_when_start_returns(ledger, watch):
    ledger.append(arrived(), opening())
    watch.start()
    fact = watch.facts.get_nowait()
    assert isinstance(fact, StaysChanged) and fact.all_of_them and fact.stays[STAY].awaited
    assert isinstance(watch.facts.get_nowait(), PastKnown)
    assert watch.facts.empty(), "an opening asked for before the start is history"


def test_what_is_written_later_is_told_as_it_comes(ledger, watch):
    watch.start()
    ledger.append(arrived())
    fact = next_of(watch, StaysChanged)
    while STAY not in fact.stays:
        fact = next_of(watch, StaysChanged)
    assert fact.stays[STAY].brought_by == {"p0231"}
    ledger.append(opening())
    assert next_of(watch, OpenRequested) == OpenRequested("front-door", "m0001")


def test_a_correction_changes_what_the_doors_know(ledger, watch):
    (line,) = ledger.append(arrived())
    watch.start()
    next_of(watch, StaysChanged)
    correction = {
        "corrects": line.id,
        "reason": "typed wrongly",
        "by": OFFICER,
        "data": {"category": "witness"},
        "time": None,
        "void": False,
    }
    ledger.append(Draft("record.corrected", correction))
    assert next_of(watch, StaysChanged).stays[STAY].needs_permit is False


def corrected(line, **changes):
    correction = {
        "corrects": line.id,
        "reason": "typed wrongly",
        "by": OFFICER,
        "data": {},
        "time": None,
        "void": False,
    }
    return Draft("record.corrected", {**correction, **changes})


def approved():
    approver = {"id": "m0001", "role": "unit_head"}
    data = {"stay": STAY, "permit": "p-1", "reason": "medical", "approver": approver, "return_by": None}
    return Draft("leave.approved", data)


def test_a_permit_that_was_voided_before_the_start_opens_nothing_after_it(ledger, watch):
    (_, permit) = ledger.append(arrived(), approved())
    ledger.append(corrected(permit, void=True))
    watch.start()
    assert next_of(watch, StaysChanged).stays[STAY].permitted is False


def test_a_correction_that_makes_no_sense_does_not_cost_the_others(ledger, watch):
    (line, permit) = ledger.append(arrived(), approved())
    watch.start()
    next_of(watch, StaysChanged)
    ledger.append(corrected(permit, data={"permit": ["p-1"]}))
    ledger.append(corrected(line, data={"category": "witness"}))
    while next_of(watch, StaysChanged).stays[STAY].needs_permit:
        pass


def roster(version):
    officer = {"id": f"p{version}", "name": "x", "rank": "police", "sex": "m", "card": "AB", "roles": ["guard"]}
    return Roster.model_validate({"version": version, "officer": [officer]})


def sent(settings, version, kind=ROSTER_SET):
    """Headquarters' roster or policy as the link leaves it: kept beside the ledger, and named in it."""
    content = roster_bytes(roster(version)) if kind == ROSTER_SET else policy_bytes(version)
    kept = Version(version, hashlib.sha256(content).hexdigest(), kind)
    store_of(settings).keep_whole(kept, content)
    args = {"version": version, "sha256": kept.sha256, "part": 1, "parts": 1, "complete": True}
    return Draft("command.received", {"command": kind, "actor": "hq", "args": args, "origin": "headquarters"})


@pytest.fixture
def watch_rosters(settings, ledger):
    facts = queue.Queue()
    in_force = InForce(settings)
    layout = Layout.of(settings, in_force.roster)
    watch = LedgerWatch(ledger, layout, SystemClock(), facts.put, in_force)
    watch.facts = facts
    yield watch
    watch.stop()


def test_a_roster_counts_as_soon_as_the_ledger_has_it(settings, ledger, watch_rosters):
    watch_rosters.start()
    ledger.append(sent(settings, 3))
    assert next_of(watch_rosters, RosterChanged).roster == roster(3)


def test_a_roster_that_came_while_the_doors_were_down_counts_when_start_returns(settings, ledger, watch_rosters):
    ledger.append(sent(settings, 3), sent(settings, 4))
    watch_rosters.start()
    assert isinstance(watch_rosters.facts.get_nowait(), StaysChanged)
    assert isinstance(watch_rosters.facts.get_nowait(), PastKnown)
    assert watch_rosters.facts.get_nowait() == RosterChanged(roster(4))
    assert watch_rosters.facts.empty()


def test_a_damaged_roster_is_told_and_the_one_before_counts(settings, ledger, watch_rosters):
    ledger.append(sent(settings, 3), sent(settings, 4))
    for event in ledger.events():
        InForce(settings).follow(event)
    (newest,) = (settings.zone.state_dir / "directives").glob("*-000004-*")
    newest.write_bytes(b"{}")
    watch_rosters.start()
    told = next_of(watch_rosters, CommandUnusable)
    assert (told.command, told.actor) == (ROSTER_SET, None)
    assert "version 4" in told.reason and "version 3 counts" in told.reason
    assert next_of(watch_rosters, RosterChanged).roster == roster(3)


def test_a_damaged_policy_is_told_too_and_once(settings, ledger, watch_rosters):
    ledger.append(sent(settings, 3, POLICY_SET))
    for event in ledger.events():
        InForce(settings).follow(event)
    (newest,) = (settings.zone.state_dir / "directives").glob("policy.set-000003-*")
    newest.write_bytes(b"{}")
    watch_rosters.start()
    told = next_of(watch_rosters, CommandUnusable)
    assert (told.command, told.actor) == (POLICY_SET, None)
    assert "version 3" in told.reason and "the programs' own counts" in told.reason
    ledger.append(sent(settings, 4))
    while not isinstance(fact := watch_rosters.facts.get(timeout=30), RosterChanged):
        assert not isinstance(fact, CommandUnusable)
