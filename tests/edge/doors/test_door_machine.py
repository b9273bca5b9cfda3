"""Whatever happens in whatever order: what must never be."""

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from config.roster import Roster
from config.zone import ZoneSettings
from custody.events import Area, Draft, ReleaseCause, check_data
from devices.doors.contact import ContactState
from devices.doors.lock import LockState
from devices.readers.reader import ReaderState
from edge.doors.core import State, next_deadline_s, step
from edge.doors.facts import (
    ButtonPressed,
    CardPresented,
    ContactReported,
    FireReported,
    KnownStay,
    LedgerReported,
    Lock,
    LockReported,
    ModeChange,
    ModeRequested,
    Now,
    OpenRequested,
    PassageDeclared,
    PastKnown,
    PinPresented,
    PinVerdict,
    PinVerified,
    ReaderReported,
    ReadLock,
    RosterChanged,
    StaysChanged,
    TimePassed,
    Unlock,
    VerifyPin,
)
from edge.doors.layout import Layout
from edge.doors.leaf import Phase
from edge.doors.mode import USUAL, followed
from edge.doors.whereabouts import Whereabouts

STAY = "nz01-20261123-004"
UNLOCK_S = 5.0
NAMES = ("front-door", "sally-a", "sally-b", "armoury", "hatch")
WITH_CONTACT = NAMES[:4]
CARDS = ("A1", "A2", "A3", "FF")
PINS = {"739146": PinVerdict.RIGHT, "739147": PinVerdict.DURESS, "739148": PinVerdict.WRONG}
HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHRzYWx0$8bKaL7fF3dNq3W0u3PYX4vAw2p0k5Kq0Qe1m5uYyJbU"
PERSON = {"rank": "police", "sex": "f", "pin_hash": HASH, "duress_pin_hash": HASH[:-1] + "V"}
OFFICERS = [
    {"id": "p1", "name": "1", "card": "A1", "roles": ["case_officer"], **PERSON},
    {"id": "m1", "name": "2", "card": "A2", "roles": ["zone_manager"], **PERSON},
    {"id": "n1", "name": "3", "card": "A3", "roles": [], **PERSON},
]
ACCESS = [
    {"door": "front-door", "passback": "hard"},
    {"door": "sally-a", "passback": "soft"},
    {"door": "armoury", "level": "card_and_pin", "two_person": {"within_s": 20}},
]


def a_zone():
    simulated = {"driver": "simulated"}
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
                    "lock": {
                        **simulated,
                        "hardware": "power_to_lock" if name == "sally-a" else "power_to_unlock",
                        "relay": "normally_closed" if name == "sally-a" else "normally_open",
                        "on_controller_loss": "locked",
                        "on_power_loss": "unlocked" if name == "sally-a" else "locked",
                        "unlock_s": UNLOCK_S,
                    },
                    "button": simulated,
                    "button_opens": name in ("hatch", "sally-b"),
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
            "officer": OFFICERS,
            "access": ACCESS,
            "fire": simulated,
        }
    )


def roster(version, active):
    officers = [{**officer, "active": officer["id"] in active} for officer in OFFICERS]
    return Roster.model_validate({"version": version, "officer": officers, "access": ACCESS})


ROSTERS = [roster(1, ("p1", "m1")), roster(2, ("m1",)), roster(3, ("p1",))]

names = st.sampled_from(NAMES)
readers = st.sampled_from([f"{name}-{side}" for name in NAMES for side in ("in", "out")])
pins = st.sampled_from(sorted(PINS))


class Doors(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.layout = Layout.of(a_zone())
        self.boot_s = 50.0
        self.lines = []
        self.jammed = set()
        self.fire = ContactState.CLOSED
        self.was_somewhere = set()
        self.power_up()

    def power_up(self):
        self.state = State.at_start(self.layout)
        self.relay = dict.fromkeys(NAMES, LockState.LOCKED)
        self.unlocked_since_s = {}
        self.asked = []
        self.right_pins = set()

    @property
    def now(self):
        return Now(self.boot_s, int(self.boot_s * 1e6))

    def tell(self, fact):
        outcome = step(self.state, fact, self.now)
        assert step(self.state, fact, self.now) == outcome, "not a function"
        before, self.state = self.state, outcome.state
        self.lines += outcome.drafts
        for draft in outcome.drafts:
            check_data(draft.type, draft.data)
            if draft.type == "door.granted":
                self.check_granted(draft.data, before)
        self.check_moved(fact, outcome)
        assert not any(pin in repr((outcome, fact)) for pin in PINS), "no PIN is ever shown"
        for action in outcome.actions:
            if isinstance(action, ReadLock):
                bolt = LockState.UNLOCKED if action.door in self.jammed else self.relay[action.door]
                self.tell(LockReported(action.door, bolt))

    def check_moved(self, fact, outcome):
        allowed = {d.data["door"] for d in outcome.drafts if d.type in ("door.granted", "door.released")}
        unlocked = {action.door for action in outcome.actions if isinstance(action, Unlock)}
        was_so = {door for door, mode in fact.modes.items() if mode.released} if type(fact) is PastKnown else set()
        assert unlocked <= allowed | was_so, "a lock moves with a line, and only with one"
        for action in outcome.actions:
            if isinstance(action, Unlock):
                door = self.state.doors[action.door]
                assert door.relock_at_s is not None or door.mode.released, "relock armed before the lock"
                self.relay[action.door] = LockState.UNLOCKED
                self.unlocked_since_s[action.door] = self.boot_s
            elif isinstance(action, Lock):
                self.relay[action.door] = LockState.LOCKED
            elif isinstance(action, VerifyPin):
                self.asked.append(action)

    def check_granted(self, data, before):
        passing = [officer["id"] for officer in (data["officer"], data["second"]) if officer is not None]
        held = {officer.id: officer for officer in self.state.layout.roster.officers}
        assert all(held[officer].active and held[officer].roles for officer in passing)
        place = self.state.layout.readers[data["reader"]]
        assert (place.door, place.direction) == (data["door"], data["direction"])
        if (data["door"], data["direction"]) == ("front-door", "in"):
            inside = before.whereabouts.is_in(passing[0], Area.CUSTODY)
            assert inside is None or not inside.certain, "nobody comes in twice"
        locked_down = self.state.doors[data["door"]].mode.locked_down
        assert not locked_down or passing[0] == "m1"
        if data["door"] == "armoury":
            assert len(set(passing)) == 2, "two different people"
            assert set(passing) <= {officer for officer, _ in self.right_pins}, "each with his own PIN"
            assert data.get("duress", False) is (
                any((officer, PinVerdict.DURESS) in self.last_pins.items() for officer in passing)
            )
        else:
            assert data["second"] is None and "duress" not in data

    @initialize(closed=st.booleans())
    def begin(self, closed):
        self.tell(PastKnown(Whereabouts(), {}))
        self.lines.append(Draft("zone.started", {}))
        self.last_pins = {}
        if closed:
            for name in WITH_CONTACT:
                self.tell(ContactReported(name, ContactState.CLOSED))
            self.wait(1.0)

    @rule(reader=readers, card=st.sampled_from(CARDS))
    def tap(self, reader, card):
        self.tell(CardPresented(reader, card))

    @rule(door=st.sampled_from(WITH_CONTACT), side=st.sampled_from(["in", "out"]), card=st.sampled_from(CARDS[:2]))
    def pass_through(self, door, side, card):
        self.tell(CardPresented(f"{door}-{side}", card))
        if self.relay[door] is LockState.UNLOCKED:
            self.tell(ContactReported(door, ContactState.OPEN))
            self.wait(1.0)
            self.tell(ContactReported(door, ContactState.CLOSED))
            self.wait(1.0)

    @rule(order=st.permutations(["sally-a", "sally-b"]), state=st.sampled_from(ContactState))
    def the_other_door_of_the_sally_port_moves_after_a_grant(self, order, state):
        self.tell(CardPresented(f"{order[0]}-in", "A2"))
        self.tell(ContactReported(order[1], state))

    @rule(reader=st.sampled_from(["armoury-in", "armoury-out"]), order=st.permutations(["A1", "A2"]), pin=pins)
    def pass_by_two(self, reader, order, pin):
        for card in order:
            self.tell(CardPresented(reader, card))
            self.tell(PinPresented(reader, pin))
            self.verdict()

    @rule(reader=readers, pin=pins)
    def pin(self, reader, pin):
        self.tell(PinPresented(reader, pin))

    @precondition(lambda self: self.asked)
    @rule()
    def verdict(self):
        if not self.asked:
            return
        asked = self.asked.pop(0)
        dialogue = self.state.dialogues.get(asked.reader)
        verdict = PINS[asked.pin]
        if dialogue is not None and dialogue.ticket == asked.ticket and verdict is not PinVerdict.WRONG:
            self.right_pins.add((dialogue.officer, asked.reader))
            self.last_pins[dialogue.officer] = verdict
        self.tell(PinVerified(asked.reader, asked.ticket, verdict))

    @rule(name=st.sampled_from(WITH_CONTACT), state=st.sampled_from(ContactState))
    def contact(self, name, state):
        self.tell(ContactReported(name, state))

    @rule(name=names, jams=st.booleans())
    def bolt(self, name, jams):
        (self.jammed.add if jams else self.jammed.discard)(name)

    @rule(name=names, problem=st.sampled_from([None, "broken"]))
    def lock_answers_late(self, name, problem):
        self.tell(LockReported(name, LockState.UNKNOWN, problem))

    @rule(reader=readers, state=st.sampled_from(ReaderState))
    def reader(self, reader, state):
        self.tell(ReaderReported(reader, state, "so"))

    @rule(name=names)
    def press(self, name):
        self.tell(ButtonPressed(name))

    @rule(name=names, actor=st.sampled_from(["p1", "m1", "hq"]))
    def open_from_afar(self, name, actor):
        self.tell(OpenRequested(name, actor))

    @rule(change=st.sampled_from(ModeChange), name=st.none() | names, actor=st.sampled_from(["p1", "m1"]))
    def mode(self, change, name, actor):
        before = {door: now.mode for door, now in self.state.doors.items()}
        self.tell(ModeRequested(change, name, actor))
        after = {door: now.mode for door, now in self.state.doors.items()}
        if actor == "p1" or self.state.layout.officers["m1"].active is False:
            assert after == before, "only a manager's word counts"
        lifted = [door for door in NAMES if before[door].locked_down and not after[door].locked_down]
        assert not lifted or change is ModeChange.LOCKDOWN_END

    @rule(state=st.sampled_from(ContactState))
    def fire_input(self, state):
        self.fire = state
        self.tell(FireReported(state))

    @rule(version=st.sampled_from([0, 0, 0, 1, 2]))
    def new_roster(self, version):
        self.tell(RosterChanged(ROSTERS[version]))

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

    @rule(seconds=st.sampled_from([0.0, 0.1, 0.6, 2.0, 4.9, 5.1, 16.0, 40.0, 400.0]))
    def wait(self, seconds):
        until_s = self.boot_s + seconds
        while (due_s := next_deadline_s(self.state)) is not None and due_s <= until_s:
            before = self.state
            self.boot_s = max(self.boot_s, due_s)
            self.tell(TimePassed())
            assert self.state != before, "a deadline that is met and stays would spin for ever"
        self.boot_s = until_s

    @rule()
    def all_is_well_again(self):
        """Otherwise, with everything broken at once, nobody would ever pass."""
        self.jammed.clear()
        self.new_roster(0)
        self.ledger(True)
        self.fire_input(ContactState.CLOSED)
        for reader in self.layout.readers:
            self.tell(ReaderReported(reader, ReaderState.ONLINE, "so"))
        for change in (ModeChange.SECURE, ModeChange.LOCKDOWN_END):
            self.mode(change, None, "m1")
        for name in WITH_CONTACT:
            self.tell(ContactReported(name, ContactState.CLOSED))
        self.wait(20.0)

    @rule()
    def restart(self):
        """The process ends at any moment and reads its ledger again; the contacts are as they were."""
        modes = {door: now.mode for door, now in self.state.doors.items()}
        contacts = {door: now.contact for door, now in self.state.doors.items() if door in WITH_CONTACT}
        roster = self.state.layout.roster
        self.power_up()
        self.tell(PastKnown(self.folded(), self.modes_told()))
        self.lines.append(Draft("zone.started", {}))
        self.tell(RosterChanged(roster))
        assert {door: now.mode for door, now in self.state.doors.items()} == modes
        for door, said in contacts.items():
            self.tell(ContactReported(door, said))
        self.tell(FireReported(self.fire))

    def folded(self):
        known = Whereabouts()
        for line in self.lines:
            known = known.follow(line.type, line.data, self.layout)
        return known

    def modes_told(self):
        modes = {}
        for line in self.lines:
            modes = followed(modes, line.type, line.data)
        return modes

    @invariant()
    def no_door_stays_unlocked_beyond_its_time(self):
        for name, relay in self.relay.items():
            if relay is LockState.UNLOCKED and self.state.doors[name].mode.released is None:
                assert self.boot_s <= self.unlocked_since_s[name] + UNLOCK_S
                assert self.state.doors[name].relock_at_s is not None

    @invariant()
    def what_was_commanded_is_what_the_relay_was_told(self):
        assert {name: door.commanded for name, door in self.state.doors.items()} == self.relay

    @invariant()
    def a_sally_port_is_let_open_on_one_side_at_most_unless_a_release_is_on_record(self):
        for one, other in (("sally-a", "sally-b"), ("sally-b", "sally-a")):
            door = self.state.doors[one]
            if self.relay[one] is LockState.UNLOCKED and door.mode.released is None:
                assert self.relay[other] is LockState.LOCKED or self.is_released_on_record(other)
                assert self.state.doors[other].is_shut or door.contact is not ContactState.CLOSED

    def is_released_on_record(self, door):
        return self.modes_told().get(door, USUAL).released is not None

    @invariant()
    def a_fire_is_never_locked_in(self):
        if self.state.fire is ContactState.OPEN:
            assert self.state.doors["sally-a"].mode.released in (ReleaseCause.FIRE, ReleaseCause.EMERGENCY)
            assert self.relay["sally-a"] is LockState.UNLOCKED

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
            if door.phase is Phase.PASSABLE and door.mode.released is None:
                assert door.taken_by_s is not None

    @invariant()
    def nobody_is_lost(self):
        assert self.state.whereabouts == self.folded(), "a restart would know the same"
        places = self.state.whereabouts.places
        assert self.was_somewhere <= places.keys(), "who has a place keeps one"
        self.was_somewhere |= places.keys()

    @invariant()
    def whatever_waits_at_a_reader_ends(self):
        for dialogue in self.state.dialogues.values():
            assert dialogue.until_s >= self.boot_s


Doors.TestCase.settings = hypothesis_settings(max_examples=70, stateful_step_count=40, deadline=None)
TestDoors = Doors.TestCase
