"""The step gate: what the musts forbid to begin. Pure; it answers with obstacles, never decides on an override.

It asks only what can be known before the act. What can only be seen afterwards (a camera that fails during an
interview) is the judge's.
"""

from __future__ import annotations

from collections.abc import Sequence

from config.zone import RoomSettings
from custody.events import ActivityKind, Area, Coverage, Purpose
from custody.events.base import Officer, Rank
from custody.events.stays import ActivityExemption, CollectionItem, SearchKind
from custody.policy import Rules
from custody.reading import BLIND_FAULTS
from custody.register import CameraNow, Permit, Stay

from .book import Book
from .errors import Obstacle, Said

QUESTIONING = (ActivityKind.INTERVIEW, ActivityKind.IDENTIFICATION)
AFTER_SEARCH = (*QUESTIONING, ActivityKind.MEETING)


def _obstacle(rule: str, pattern: str, **values: object) -> Obstacle:
    return Obstacle(rule, Said(pattern, values))


def before_activity(
    book: Book,
    stay: Stay,
    kind: ActivityKind,
    room: RoomSettings,
    officers: Sequence[Officer],
    exempt: ActivityExemption | None,
    rules: Rules,
) -> list[Obstacle]:
    """M1.7, M2.1, M2.5, M3.7 and M4.2, for suspects; recording for everybody who is interviewed."""
    found: list[Obstacle] = []
    suspect = stay.category == "suspect"
    if suspect and kind in AFTER_SEARCH and not stay.searched_this_round:
        found.append(_obstacle("M2.1", "The search of this person is not finished."))
    if suspect and kind in QUESTIONING and exempt is None and room.area is not Area.CUSTODY:
        found.append(_obstacle("M1.7", "%(room)s is not inside the custody zone.", room=room.name))
    if kind is not ActivityKind.INTERVIEW:
        return found
    if suspect and _unidentified(stay, rules):
        found.append(_obstacle("M2.5", "Basic identity data have not been collected."))
    police = sum(officer.rank is Rank.POLICE for officer in officers)
    if suspect and police < rules.m3_7.officers and (stay.case_kind == "criminal" or police == 0):
        found.append(_obstacle("M3.7", "An interview needs two police officers; %(count)d named.", count=police))
    if exempt is None:
        found.extend(_recording(book, room))
    return found


def _unidentified(stay: Stay, rules: Rules) -> bool:
    return rules.m2_5.collection_required and stay.exempt is None and "basic" not in stay.collected


def _recording(book: Book, room: RoomSettings) -> list[Obstacle]:
    if not room.audio:
        return [_obstacle("M4.2", "%(room)s does not record sound.", room=room.name)]
    states = [book.register.cameras.get(camera) for camera in room.cameras]
    blind = [state is not None and _shows_nothing(state) for state in states]
    if all(blind) or (room.coverage is Coverage.ALL and any(blind)):
        return [_obstacle("M4.2", "No camera records in %(room)s.", room=room.name)]
    if all(state is not None and state.audio in ("bad", "none") for state in states):
        return [_obstacle("M4.2", "%(room)s does not record sound.", room=room.name)]
    return []


def _shows_nothing(camera: CameraNow) -> bool:
    """rules.md, "Recorded": what counts as missing. What is not known stops nobody; it is judged."""
    return camera.state == "lost" or (camera.state == "impaired" and not BLIND_FAULTS.isdisjoint(camera.faults))


def before_search(stay: Stay, kind: SearchKind, officers: Sequence[Officer], rules: Rules) -> list[Obstacle]:
    """M2.3 and M2.4. A safety check by fewer than two is only reviewed; it passes the gate."""
    found: list[Obstacle] = []
    able = [officer for officer in officers if officer.rank.value in rules.m2_3.ranks]
    if kind is SearchKind.BODY and len(able) < rules.m2_3.officers:
        found.append(
            _obstacle("M2.3", "A body search needs two police or doctors; %(count)d named.", count=len(able))
        )
    if stay.sex == "f" and any(o.sex.value == "m" and o.rank is not Rank.DOCTOR for o in officers):
        found.append(_obstacle("M2.4", "A woman is searched by women or by a doctor only."))
    return found


def before_collection(
    stay: Stay, items: Sequence[CollectionItem], approval: str | None, rules: Rules
) -> list[Obstacle]:
    """M2.6: biometrics without an approval, or taken twice (治安管理处罚法 art. 102)."""
    found: list[Obstacle] = []
    if not approval and any(item.value not in rules.m2_6.free_items for item in items):
        found.append(_obstacle("M2.6", "Taking biometrics or samples needs an approval number."))
    again = [i.value for i in items if i.value not in rules.m2_6.repeatable_items and i.value in stay.collected]
    if again:
        found.append(_obstacle("M2.6", "Already taken in this stay: %(items)s.", items=", ".join(again)))
    return found


def before_leave(permit: Permit | None, reason: str | None, rules: Rules) -> list[Obstacle]:
    """M1.5. For a medical emergency the approval may follow within two hours."""
    if reason == "medical":
        return []
    if permit is None:
        return [_obstacle("M1.5", "There is no approval for taking this person out.")]
    if permit.used:
        return [_obstacle("M1.5", "The approval %(permit)s has been used for an earlier leave.", permit=permit.id)]
    removal = rules.m1_5
    if permit.approver_role not in removal.approver_roles or permit.reason not in removal.removal_reasons:
        return [
            _obstacle(
                "M1.5",
                "The approval %(permit)s is not valid: its reason or its approver is not one that the law names.",
                permit=permit.id,
            )
        ]
    return []


def before_exit(
    stay: Stay, reason: str, destination: str | None, belongings: str, signed: bool, rules: Rules
) -> list[Obstacle]:
    """M1.8, and M2.5 for a suspect who was never identified."""
    found: list[Obstacle] = []
    if reason != "released" and not destination:
        found.append(_obstacle("M1.8", "Say where the person is taken to."))
    if not signed:
        found.append(_obstacle("M1.8", "The exit record is not signed."))
    if belongings == "unsettled":
        found.append(_obstacle("M1.8", "The belongings are not settled."))
    entered_suspect = stay.category == "suspect" and stay.first_entered_us is not None
    if entered_suspect and _unidentified(stay, rules):
        found.append(_obstacle("M2.5", "Basic identity data have not been collected."))
    return found


def before_room(book: Book, stay: Stay, room: RoomSettings) -> list[Obstacle]:
    """M3.6: who must not share a waiting room (继续盘问规定 art. 30)."""
    if room.purpose is not Purpose.WAITING or stay.category != "suspect":
        return []
    others = [o for o in book.register.in_room(room.id) if o.id != stay.id and o.category == "suspect"]
    found: list[Obstacle] = []
    if any({stay.sex, other.sex} == {"m", "f"} for other in others):
        found.append(_obstacle("M3.6", "Men and women must not share %(room)s.", room=room.name))
    if any(("minor" in stay.flags) != ("minor" in other.flags) for other in others):
        found.append(_obstacle("M3.6", "Minors and adults must not share %(room)s.", room=room.name))
    return found


def before_handover(book: Book, room: RoomSettings, stays: Sequence[str]) -> list[Obstacle]:
    """M3.4: the list is who is there. That the incoming guard is present the handover itself brings about."""
    there = {stay.id for stay in book.register.in_room(room.id) if stay.category == "suspect"}
    if set(stays) != there:
        return [_obstacle("M3.4", "The list does not match who is in %(room)s.", room=room.name)]
    return []
