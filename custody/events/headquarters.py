"""Events that headquarters writes into its own ledger; zones receive those that concern them."""

from __future__ import annotations

from typing import Any, ClassVar

from .base import EventData, Seconds, Time, ZoneId


class FindingData(EventData):
    """A finding as rules.md shapes it: what is required less what is proven."""

    id: str
    zone: ZoneId
    stay: str | None
    must: int
    rule: str
    verdict: str
    severity: str
    start: Time
    end: Time | None
    seconds: Seconds
    evidence: list[str]
    values: dict[str, Any]


class FindingRaised(FindingData):
    TYPE: ClassVar[str] = "finding.raised"


class FindingChanged(FindingData):
    TYPE: ClassVar[str] = "finding.changed"


class FindingClosed(FindingData):
    TYPE: ClassVar[str] = "finding.closed"


class FindingExcused(EventData):
    """Two different people: ``by`` proposes, ``second`` agrees."""

    TYPE: ClassVar[str] = "finding.excused"
    finding: str
    reason: str
    by: str
    second: str


class OrderIssued(EventData):
    """A supervision order (督办单)."""

    TYPE: ClassVar[str] = "order.issued"
    order: str
    zone: ZoneId
    findings: list[str]
    due: Time | None
    text: str
    by: str


class OrderAnswered(EventData):
    TYPE: ClassVar[str] = "order.answered"
    order: str
    zone: ZoneId
    findings: list[str]
    due: Time | None
    text: str
    by: str


class OrderClosed(EventData):
    TYPE: ClassVar[str] = "order.closed"
    order: str
    zone: ZoneId
    findings: list[str]
    due: Time | None
    text: str
    by: str


class NoticePublished(EventData):
    """A monthly notice (通报)."""

    TYPE: ClassVar[str] = "notice.published"
    text: str
    by: str


class CommandIssued(EventData):
    """Headquarters gives a zone a command. Of a document ``args`` has version and digest, never the content."""

    TYPE: ClassVar[str] = "command.issued"
    command: str
    """Its id, which the zone's ``command.received`` or ``command.refused`` has as ``id``."""
    zone: ZoneId
    name: str
    args: dict[str, Any]
    actor: str
    not_after: Time


class CheckpointAccepted(EventData):
    """Headquarters binds itself to a zone's history: this ledger, this size, under this signed checkpoint."""

    TYPE: ClassVar[str] = "checkpoint.accepted"
    zone: ZoneId
    log: str
    size: int
    checkpoint: str


class LedgerFork(EventData):
    """A zone has signed two different histories of one ledger; the message is kept as evidence."""

    TYPE: ClassVar[str] = "ledger.fork"
    zone: ZoneId
    log: str
    detail: str


class LedgerRollback(EventData):
    """A zone's disk was restored from an old image: it goes on in a new ledger, and may have lost lines."""

    TYPE: ClassVar[str] = "ledger.rollback"
    zone: ZoneId
    log: str
    detail: str
