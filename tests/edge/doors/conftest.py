"""A small zone, and its doors as a story is told to them: given, when, then."""

import pytest

from config.zone import ZoneSettings
from custody.events import PassagePurpose
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
    LockReported,
    ModeChange,
    ModeRequested,
    Now,
    OpenRequested,
    PassageDeclared,
    PinPresented,
    PinVerdict,
    PinVerified,
    ReaderReported,
    ReadLock,
    RosterChanged,
    StaysChanged,
    TimePassed,
    VerifyPin,
)
from edge.doors.layout import Layout
from edge.doors.watch import Past

NOON_US = 1_795_406_400_000_000
"""2026-11-23 04:00 UTC."""
STAY = "nz01-20261123-004"
CARDS = {
    "p0231": "04A1B2C3",
    "p0232": "04A1B2C4",
    "m0001": "04A1B2C5",
    "x0001": "04A1B2C6",
    "x0002": "04A1B2C7",
    "x0003": "04A1B2C8",
    "v0001": "04A1B2C9",
    "i0001": "04A1B2CA",
}


def lock(**changes):
    settings = {
        "driver": "simulated",
        "hardware": "power_to_unlock",
        "on_controller_loss": "locked",
        "on_power_loss": "locked",
        "unlock_s": 5.0,
    }
    return {**settings, **changes}


def officer(id_, roles, **changes):
    fields = {"id": id_, "name": id_, "rank": "police", "sex": "m", "card": CARDS[id_], "roles": roles}
    return {**fields, **changes}


def zone_of(state_dir):
    """front-door leads from reception into custody, sally-a and sally-b are interlocked, hatch has no contact."""
    simulated = {"driver": "simulated"}
    return {
        "zone": {"id": "nz01", "name": "North", "state_dir": str(state_dir)},
        "room": [
            {"id": "reception", "name": "Reception", "area": "reception"},
            {"id": "corridor", "name": "Corridor", "purpose": "corridor"},
            {"id": "yard", "name": "Yard", "area": "outside"},
        ],
        "door": [
            {
                "id": "front-door",
                "name": "Front door",
                "from": "reception",
                "to": "corridor",
                "lock": lock(),
                "contact": simulated,
                "button": simulated,
                "held_s": 30.0,
            },
            *(
                {
                    "id": name,
                    "name": name,
                    "from": "yard",
                    "to": "reception",
                    "lock": lock(),
                    "contact": simulated,
                    "interlock": "sally-port",
                }
                for name in ("sally-a", "sally-b")
            ),
            {
                "id": "hatch",
                "name": "Hatch",
                "from": "reception",
                "to": "corridor",
                "lock": lock(),
                "button": simulated,
                "button_opens": True,
                "roles": ["zone_manager"],
            },
        ],
        "reader": [
            {"id": f"{door}-{side}", "door": door, "direction": side, **simulated}
            for door in ("front-door", "sally-a", "sally-b", "hatch")
            for side in ("in", "out")
        ],
        "officer": [
            officer("p0231", ["case_officer"]),
            officer("p0232", ["case_officer"]),
            officer("m0001", ["zone_manager"]),
            officer("x0001", ["guard"], active=False),
            officer("x0002", ["guard"], valid_until="2026-11-23T03:00:00+00:00"),
            officer("x0003", ["guard"], valid_from="2026-11-23T05:00:00+00:00"),
            officer("v0001", []),
            officer("i0001", ["inspector"], rank="other", sex="f"),
        ],
    }


class Story:
    """Tells facts to the core at moments of its own clock and remembers what came of them."""

    def __init__(self, settings):
        self.settings = settings
        self.layout = Layout.of(settings)
        self.state = State.at_start(self.layout)
        self.boot_s = 1000.0
        self.drafts = []
        self.all_drafts = []
        self.actions = []
        self.locks = {}
        """By door: what its lock measures, and what is wrong with it; unless it was said, it measures nothing."""

    @property
    def now(self):
        return Now(self.boot_s, NOON_US + round((self.boot_s - 1000.0) * 1e6))

    def tell(self, fact):
        """What was newly written, as (type, data)."""
        outcome = step(self.state, fact, self.now)
        self.state = outcome.state
        self.drafts += outcome.drafts
        self.all_drafts += outcome.drafts
        self.actions += outcome.actions
        told = [(draft.type, draft.data) for draft in outcome.drafts]
        for action in outcome.actions:
            if isinstance(action, ReadLock):
                told += self.tell(
                    LockReported(action.door, *self.locks.get(action.door, (LockState.UNKNOWN, None)))
                )
        return told

    def wait(self, seconds):
        """Let time pass, meeting every deadline at its moment."""
        until_s, told = self.boot_s + seconds, []
        while (due_s := next_deadline_s(self.state)) is not None and due_s <= until_s:
            self.boot_s = max(self.boot_s, due_s)
            told += self.tell(TimePassed())
        self.boot_s = until_s
        return told

    def tap(self, who, reader="front-door-in"):
        return self.tell(CardPresented(reader, CARDS.get(who, who)))

    def contact(self, state, door="front-door"):
        return self.tell(ContactReported(door, ContactState(state)))

    def closed_everywhere(self):
        for door in self.settings.doors:
            if door.contact is not None:
                self.contact("closed", door.id)
        for reader in self.layout.readers:
            self.tell(ReaderReported(reader, ReaderState.ONLINE, "it answers"))
        self.wait(0)
        self.drafts.clear()
        self.actions.clear()
        return self

    def press(self, door):
        return self.tell(ButtonPressed(door))

    def reader(self, state, reader="front-door-in"):
        return self.tell(ReaderReported(reader, ReaderState(state), "so it is said"))

    def lock_measures(self, measured, problem=None, door="front-door"):
        self.locks[door] = (measured, problem)
        return self.tell(LockReported(door, measured, problem))

    def key(self, pin, reader="front-door-in"):
        """What the reader is asked to have compared, if anything."""
        before = len(self.actions)
        told = self.tell(PinPresented(reader, pin))
        asked = [action for action in self.actions[before:] if isinstance(action, VerifyPin)]
        return (asked[0] if asked else None), told

    def verdict(self, asked, verdict):
        return self.tell(PinVerified(asked.reader, asked.ticket, PinVerdict(verdict)))

    def change(self, change, door="front-door", actor="m0001", **more):
        return self.tell(ModeRequested(ModeChange(change), door, actor, **more))

    def new_roster(self, roster):
        return self.tell(RosterChanged(roster))

    def fire(self, state):
        return self.tell(FireReported(ContactState(state)))

    def passes(self, who, reader="front-door-in"):
        """Taps, opens and closes; what the tap came to."""
        told = self.tap(who, reader)
        door = self.layout.readers[reader].door
        if told[-1][0] == "door.granted":
            self.contact("open", door)
            self.contact("closed", door)
            self.wait(1)
        return told

    def restarted(self):
        """The same doors after a restart, on what their lines tell."""
        again = Story(self.settings)
        again.boot_s = self.boot_s
        past = Past(again.layout)
        for line in self.all_drafts:
            past.follow(line)
        again.tell(past.told())
        return again

    def ledger(self, *, writable):
        return self.tell(LedgerReported(writable))

    def open_remotely(self, actor, door="front-door"):
        return self.tell(OpenRequested(door, actor))

    def declare(self, purpose, who="p0231", stay=STAY, door="front-door", valid_s=120.0):
        return self.tell(PassageDeclared(door, who, PassagePurpose(purpose), stay, self.boot_s + valid_s))

    def stay(self, id_=STAY, **is_so):
        fields = {
            "needs_permit": True,
            "awaited": False,
            "inside": False,
            "away": False,
            "finished": False,
            "permitted": False,
            "arrived_us": 0,
            "brought_by": frozenset(),
        }
        return self.tell(StaysChanged({id_: KnownStay(id=id_, **{**fields, **is_so})}))

    def door(self, name="front-door"):
        return self.state.doors[name]


@pytest.fixture
def settings(tmp_path):
    return ZoneSettings.model_validate(zone_of(tmp_path / "state"))


HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHRzYWx0$8bKaL7fF3dNq3W0u3PYX4vAw2p0k5Kq0Qe1m5uYyJbU"


@pytest.fixture
def zone_with(tmp_path):
    """The small zone with other tables of its roster: ``zone_with(access=…, schedule=…, p0231={…})``; what is said
    of a door by its id changes that door."""

    def build(*, access=(), schedule=(), lockout=None, fire=None, **changes):
        zone = zone_of(tmp_path / "state")
        zone["access"], zone["schedule"] = list(access), list(schedule)
        if lockout is not None:
            zone["lockout"] = lockout
        if fire is not None:
            zone["fire"] = fire
        for table in (*zone["officer"], *zone["door"]):
            table.update(changes.pop(table["id"].replace("-", "_"), {}))
        assert not changes, f"there is neither an officer nor a door {', '.join(changes)}"
        return Story(ZoneSettings.model_validate(zone)).closed_everywhere()

    return build


@pytest.fixture
def doors(settings):
    """All doors closed and locked, all readers online, nobody known to be inside."""
    return Story(settings).closed_everywhere()


@pytest.fixture
def fresh_doors(settings):
    """As at a start: nothing has been read yet."""
    return Story(settings)
