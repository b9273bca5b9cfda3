"""Which roster and which policy count in this zone now: the newest good ones that headquarters sent."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TypeVar

from config.errors import ConfigurationError
from config.policy import PolicyDocument, load_policy, read_policy
from config.roster import OfficerSettings, Roster, read_roster
from config.zone import ZoneSettings
from custody.errors import FourmustsError
from custody.events import CommandReceived, Event, PartId
from custody.policy import Policy
from sync.commands import ORIGIN
from sync.documents import POLICY_SET, ROSTER_SET

from .store import DirectiveStore, Version

log = logging.getLogger(__name__)

KINDS = (ROSTER_SET, POLICY_SET)
Document = TypeVar("Document", Roster, PolicyDocument)


def store_of(settings: ZoneSettings) -> DirectiveStore:
    return DirectiveStore(settings.zone.state_dir / "directives")


class InForce:
    """One process's view. Read from any thread; ``follow`` from one only."""

    def __init__(self, settings: ZoneSettings) -> None:
        self._settings = settings
        self._store = store_of(settings)
        self.troubles: dict[str, str] = {}
        """By kind: why the newest that headquarters sent is not the one that counts."""
        self.roster: Roster
        self.officers: Mapping[PartId, OfficerSettings]
        self.policy: Policy
        self.reload()

    def reload(self) -> None:
        """Look at what is kept."""
        self.troubles = {}
        self.roster = self._newest(ROSTER_SET, self._read_roster) or self._settings.roster
        self.officers = {officer.id: officer for officer in self.roster.officers}
        document = self._newest(POLICY_SET, read_policy)
        self.policy = load_policy() if document is None else document.policy
        for trouble in self.troubles.values():
            log.error("%s", trouble)

    def follow(self, event: Event) -> str | None:
        """The kind of what came into force with this event, if anything did; ``reload`` then shows it.

        Whoever reads the event first puts it in force: also if the link died right after it had written it.
        """
        version = received(event)
        if version is None:
            return None
        try:
            self._store.put_in_force(version)
        except OSError as error:
            log.error("%s version %d cannot be put in force: %s", version.kind, version.number, error)
        return version.kind

    def _read_roster(self, content: bytes) -> Roster:
        roster = read_roster(content)
        roster.check_fits([door.id for door in self._settings.doors])
        return roster

    def _newest(self, kind: str, read: Callable[[bytes], Document]) -> Document | None:
        passed_over: list[str] = []
        found: Document | None = None
        for version in self._store.in_force(kind):
            content = self._store.read(version)
            try:
                found = None if content is None else read(content)
            except (FourmustsError, ConfigurationError) as error:
                passed_over.append(f"version {version.number} cannot be used here any more ({error})")
                continue
            if found is not None:
                break
            passed_over.append(f"version {version.number}, as it is kept here, is damaged")
        if passed_over:
            instead = "that of zone.toml" if kind == ROSTER_SET else "the programs' own"
            instead = f"version {found.version}" if found is not None else instead
            self.troubles[kind] = f"{kind}: {'; '.join(passed_over)}; {instead} counts; send the newest again"
        return found


def received(event: Event) -> Version | None:
    """The document that is complete with this event."""
    if event.type != CommandReceived.TYPE or event.data.get("command") not in KINDS:
        return None
    args = event.data.get("args")
    if event.data.get("origin") != ORIGIN or not isinstance(args, dict) or args.get("complete") is not True:
        return None
    number, sha256 = args.get("version"), args.get("sha256")
    if not isinstance(number, int) or not isinstance(sha256, str):
        return None
    return Version(number, sha256, event.data["command"])
