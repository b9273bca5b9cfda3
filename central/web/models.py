"""The shapes of the interface ``/api/v1``; its OpenAPI description is made from them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Verdict = Literal["breach", "review", "unproven"]
Severity = Literal["serious", "breach", "notice"]
FindingState = Literal["raised", "changed", "closed", "open"]
StayVerdict = Literal["breached", "unproven", "pending", "kept", "excused"]


class Shape(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class MustOut(Shape):
    must: int = Field(ge=0, le=4, description="1 to 4, and 0 for the legal clocks")
    mark: str = Field(description="breach, unproven, review, kept; unknown where a silent zone proves nothing")
    breach: int
    unproven: int
    review: int


class ZoneOut(Shape):
    """A zone as headquarters knows it."""

    id: str
    name: str
    presence: str = Field(description="live, silent (since `heard`) or never")
    heard: datetime | None = Field(description="when its last batch was committed here")
    known: datetime | None = Field(description="written time of the last event judged")
    inside: int
    musts: list[MustOut] = Field(description="open findings of the last 24 hours, and what still lasts")
    lines: int = Field(description="verified lines of all its ledgers")
    behind: int = Field(description="of them, not judged yet")
    kept_as_evidence: int
    heartbeat: dict[str, Any] | None
    described: dict[str, Any] | None


class StayOut(Shape):
    zone: str
    stay: str
    category: str
    inside: bool
    room: str | None
    arrived: datetime | None
    entered: datetime | None
    exited: datetime | None
    flags: list[str]
    measure: dict[str, Any]
    verdicts: dict[str, StayVerdict] = Field(description='by must, "1" to "4", and "0" for the legal clocks')


class FindingOut(Shape):
    """A finding as docs/rules.md shapes it, and what became of it at headquarters."""

    id: str
    zone: str
    stay: str | None
    must: int
    rule: str
    verdict: Verdict
    severity: Severity
    start: datetime
    end: datetime | None = Field(description="null while it lasts")
    seconds: float
    evidence: list[str] = Field(description="ids of events")
    values: dict[str, Any]
    state: FindingState
    raised: datetime
    changed: datetime
    sentence: dict[str, str] = Field(description="by language, zh and en")


class StepOut(Shape):
    state: FindingState
    at: datetime
    event: str = Field(description="id of the line of headquarters' own ledger that says so")
    finding: dict[str, Any]


class FindingFull(FindingOut):
    history: list[StepOut]


class EventOut(Shape):
    """One line of a ledger: its place, and the event that it is."""

    zone: str
    ledger: str
    sequence: int
    judged: bool
    line: str = Field(description="the exact bytes, as text; its hash is a leaf of the ledger's tree")
    event: dict[str, Any]


class ProofOut(Shape):
    """Inclusion proof of RFC 9162 section 2.1.3 against a checkpoint that the ledger's owner signed."""

    zone: str
    ledger: str
    sequence: int
    size: int
    leaf: str = Field(description="SHA-256(0x00 and the line), hexadecimal")
    path: list[str]
    root: str
    checkpoint: str


class CommandOut(Shape):
    """A command to a zone, and what the zone's own ledger says became of it."""

    id: str
    zone: str
    name: str
    args: dict[str, Any] = Field(description="of a document version and digest only")
    actor: str
    issued: datetime
    not_after: datetime
    state: Literal["waiting", "received", "done", "refused", "expired", "superseded"]
    reason: str | None
    answer: str | None = Field(description="id of the line of the zone's ledger that says so")


class EvidenceOut(Shape):
    zone: str
    ledger: str | None
    kind: str
    detail: str
    first: datetime
    last: datetime
    times: int
    sha256: str


class FindingPage(Shape):
    items: list[FindingOut]
    next: str | None = Field(description="give it as `after` for the next page")


class StayPage(Shape):
    items: list[StayOut]
    next: str | None


class Problem(Shape):
    """Problem details of RFC 9457, as application/problem+json."""

    type: str
    title: str
    status: int
    detail: str
