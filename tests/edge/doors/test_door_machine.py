"""Whatever happens in whatever order: what must never be."""

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from config.zone import ZoneSettings
from custody.events import check_data
from devices.doors.contact import ContactState
from devices.doors.lock import LockState
from devices.readers.reader import ReaderState
from edge.doors.core import State, next_deadline_s, step
from edge.doors.facts import (
    ButtonPressed,
    CardPresented,
    ContactReported,
    KnownStay,
    LedgerReported,
    Lock,
    LockReported,
    Now,
    OpenRequested,
    PassageDeclared,
    ReaderReported,
    StaysChanged,
    TimePassed,
    Unlock,
)
from edge.doors.layout import Layout
from edge.doors.leaf import Phase

STAY = "nz01-20261123-004"
UNLOCK_S = 5.0
NAMES = ("front-door", "sally-a", "sally-b", "hatch")
WITH_CONTACT = NAMES[:3]
CARDS = ("A1", "A2", "A3", "FF")


def a_zone():
    simulated = {"driver": "simulated"}
    lock = {
        **simulated,
        "hardware": "power_to_unlock",
        "on_controller_loss": "locked",
        "on_power_loss": "locked",
        "unlock_s": UNLOCK_S,
    }
    person = {"rank": "police", "sex": "f"}
    return ZoneSettings.model_validate(
        {
            "zone": {"id": "nz01", "name": "North"},
            "room": [
                {"id": "out", "name": "o", "area": "outside"},
                {"id": "in", "name": "i", "area": "custody"},
            ],
            "door": [
                {
                    "id": name,
                    "name": name,
                    "from": "out",
                    "to": "in",
                    "lock": lock,
                    "button": simulated,
                    "button_opens": name == "hatch",
                    **({} if name == "hatch" else {"contact": simulated}),
                    **({"interlock": "sally"} if name.startswith("sally") else {}),
                }
                for name in NAMES
            ],
            "reader": [
                {"id": f"{name}-{side}", "door": name, "direction": side, **simulated}
                for name in NAMES
                for side in ("in", "out")
            ],
            "officer": [
                {"id": "p1", "name": "1", "card": "A1", "roles": ["case_officer"], **person},
                {"id": "m1", "name": "2", "card": "A2", "roles": ["zone_manager"], **person},
                {"id": "n1", "name": "3", "card": "A3", "roles": [], **person},
            ],
        }
    )


names = st.sampled_from(NAMES)
readers = st.sampled_from([f"{name}-{side}" for name in NAMES for side in ("in", "out")])


class Doors(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.layout = Layout.of(a_zone())
        self.state = State.at_start(self.layout)
        self.boot_s = 50.0
        self.relay = dict.fromkeys(NAMES, LockState.LOCKED)
        self.unlocked_since_s = {}
        self.allowed_at_s = {}

    def tell(self, fact):
        outcome = step(self.state, fact, Now(self.boot_s, int(self.boot_s * 1e6)))
        assert step(self.state, fact, Now(self.boot_s, int(self.boot_s * 1e6))) == outcome, "not a function"
        self.state = outcome.state
        for draft in outcome.drafts:
            check_data(draft.type, draft.data)
        allowed = {d.data["door"] for d in outcome.drafts if d.type in ("door.granted", "door.released")}
        unlocked = {action.door for action in outcome.actions if isinstance(action, Unlock)}
        assert unlocked == allowed, "a lock moves with a line, and only with one"
        for action in outcome.actions:
            if isinstance(action, Unlock):
                assert self.state.doors[action.door].relock_at_s is not None, "relock armed before the lock"
                self.relay[action.door] = LockState.UNLOCKED
                self.unlocked_since_s[action.door] = self.boot_s
            elif isinstance(action, Lock):
                self.relay[action.door] = LockState.LOCKED
        return outcome

    @initialize(closed=st.booleans())
    def begin(self, closed):
        if closed:
            for name in WITH_CONTACT:
                self.tell(ContactReported(name, ContactState.CLOSED))

    @rule(reader=readers, card=st.sampled_from(CARDS))
    def tap(self, reader, card):
        self.tell(CardPresented(reader, card))

    @rule(name=st.sampled_from(WITH_CONTACT), state=st.sampled_from(ContactState))
    def contact(self, name, state):
        self.tell(ContactReported(name, state))

    @rule(name=names, measured=st.sampled_from(LockState), problem=st.sampled_from([None, "broken"]))
    def lock(self, name, measured, problem):
        self.tell(LockReported(name, measured, problem))

    @rule(reader=readers, state=st.sampled_from(ReaderState))
    def reader(self, reader, state):
        self.tell(ReaderReported(reader, state, "so"))

    @rule(name=names)
    def press(self, name):
        self.tell(ButtonPressed(name))

    @rule(name=names, actor=st.sampled_from(["p1", "m1", "hq"]))
    def open_from_afar(self, name, actor):
        self.tell(OpenRequested(name, actor))

    @rule(name=names, who=st.sampled_from(["p1", "m1"]), purpose=st.sampled_from(["bring_in", "take_out", "pass"]))
    def declare(self, name, who, purpose):
        self.tell(PassageDeclared(name, who, purpose, STAY, self.boot_s + 120))

    @rule(inside=st.booleans(), permitted=st.booleans())
    def stay(self, inside, permitted):
        known = KnownStay(STAY, True, not inside, inside, False, False, permitted, 0, frozenset({"p1"}))
        self.tell(StaysChanged({STAY: known}))

    @rule(writable=st.booleans())
    def ledger(self, writable):
        self.tell(LedgerReported(writable))

    @rule(seconds=st.sampled_from([0.0, 0.1, 0.6, 2.0, 4.9, 5.1, 40.0, 200.0]))
    def wait(self, seconds):
        until_s = self.boot_s + seconds
        while (due_s := next_deadline_s(self.state)) is not None and due_s <= until_s:
            before = self.state
            self.boot_s = max(self.boot_s, due_s)
            self.tell(TimePassed())
            assert self.state != before, "a deadline that is met and stays would spin for ever"
        self.boot_s = until_s

    @invariant()
    def no_door_stays_unlocked_beyond_its_time(self):
        for name, relay in self.relay.items():
            if relay is LockState.UNLOCKED:
                assert self.boot_s <= self.unlocked_since_s[name] + UNLOCK_S
                assert self.state.doors[name].relock_at_s is not None

    @invariant()
    def what_was_commanded_is_what_the_relay_was_told(self):
        assert {name: door.commanded for name, door in self.state.doors.items()} == self.relay

    @invariant()
    def a_sally_port_is_never_unlocked_on_both_sides(self):
        assert [self.relay["sally-a"], self.relay["sally-b"]].count(LockState.UNLOCKED) < 2

    @invariant()
    def a_door_that_stands_open_is_never_called_secure(self):
        for door in self.state.doors.values():
            if door.contact is ContactState.OPEN:
                assert door.phase in (Phase.OPEN, Phase.HELD, Phase.FORCED)
            if door.contact is ContactState.FAULT:
                assert door.phase in (Phase.UNSEEN, Phase.PASSABLE)

    @invariant()
    def an_open_passage_always_ends(self):
        for door in self.state.doors.values():
            if door.phase is Phase.PASSABLE:
                assert door.taken_by_s is not None


Doors.TestCase.settings = hypothesis_settings(max_examples=150, stateful_step_count=40, deadline=None)
TestDoors = Doors.TestCase
