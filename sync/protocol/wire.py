"""What goes over the road, as models: from them the published AsyncAPI document is made (``sync.asyncapi``).

``messages`` reads and writes the headers by hand, since it must name what is wrong with one that came from
anywhere; a test holds that both say the same.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from .messages import BATCH_LINES_MAX, HELLO_LOGS_MAX, NOTE_BYTES_MAX, PROOF_HASHES_MAX, VERSION

Random = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$", description="8 random bytes.")]
LogId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$", description="Id of a ledger: 8 random bytes.")]
Note = Annotated[
    str,
    Field(
        max_length=NOTE_BYTES_MAX,
        description="A C2SP checkpoint: signed note of origin, size and root of a ledger's tree.",
    ),
]
LINE_MAX = 2**62


class Header(BaseModel):
    """The first line of a message. Unknown fields are ignored."""

    model_config = ConfigDict(extra="allow", frozen=True)
    v: Literal[1] = Field(description="Version of the road.")


class LogCheckpoint(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)
    log: LogId
    cp: Note


class HelloHeader(Header):
    """A zone names every ledger on its disk, retired ones too."""

    k: Literal["hello"]
    logs: list[LogCheckpoint] = Field(max_length=HELLO_LOGS_MAX)
    ask: Random | None = Field(None, description="Names the question; whoever answers it repeats it.")


class BatchHeader(Header):
    """Lines of a ledger, from ``first`` on, follow; ``cp`` is the zone's checkpoint at the last of them."""

    k: Literal["batch"]
    log: LogId
    first: int = Field(ge=1, lt=LINE_MAX)
    n: int = Field(ge=1, le=BATCH_LINES_MAX, description="How many lines follow.")
    cp: Note


class StatusHeader(Header):
    """How far headquarters has a ledger; ``cp`` bears its cosignature."""

    k: Literal["status"]
    log: LogId
    cp: Note
    ask: str | None = Field(
        None, pattern=r"^([0-9a-f]{16})?$", description="The hello's that it answers; empty if a batch's."
    )
    proof: list[str] = Field(
        [],
        max_length=PROOF_HASHES_MAX,
        description="That it continues what the hello named (RFC 9162 section 2.1.4): SHA-256 hashes, base64.",
    )


class AckHeader(Header):
    """Headquarters has committed a ledger up to this checkpoint, which bears its cosignature."""

    k: Literal["ack"]
    log: LogId
    cp: Note


class CommandHeader(Header):
    """A signed order to a zone. ``sig`` is Ed25519 by headquarters' key, base64, over ``command/v1``, a line feed,
    the zone's id, a line feed, and the other fields but ``v`` and ``k`` as JSON with sorted keys."""

    k: Literal["command"]
    id: str = Field(description="UUIDv7, made once.")
    name: str
    args: dict[str, Any]
    actor: str
    not_after: AwareDatetime
    nonce: str
    sig: str


class TreeHeader(Header):
    """A zone says which tree of headquarters' own ledger it has seen last, and cosigns it."""

    k: Literal["tree"]
    log: LogId
    cp: Note


class ProofHeader(Header):
    """Headquarters' present tree, and that it continues the one of size ``old`` (RFC 9162 section 2.1.4)."""

    k: Literal["proof"]
    log: LogId
    old: int = Field(ge=0, lt=LINE_MAX)
    proof: list[str] = Field(max_length=PROOF_HASHES_MAX, description="SHA-256 hashes, base64.")
    cp: Note


class KeyHeader(Header):
    """Headquarters has exchanged its key; ``sig`` is by the old one, base64, over ``key-rotation/v1``, a line
    feed, the old verifier key, a line feed, the new one, a line feed."""

    k: Literal["key"]
    old: str = Field(description="C2SP verifier key.")
    new: str = Field(description="C2SP verifier key.")
    sig: str


class ZoneState(BaseModel):
    """Whether a zone is connected; its last will says that it is not."""

    model_config = ConfigDict(extra="allow", frozen=True)
    on: Literal[0, 1]
    boot: str = Field(description="Identity of this boot.")
    t: AwareDatetime


class HeadquartersState(BaseModel):
    """Whether headquarters is connected; its last will says that it is not."""

    model_config = ConfigDict(extra="allow", frozen=True)
    on: Literal[0, 1]


UP: tuple[type[Header], ...] = (HelloHeader, BatchHeader, TreeHeader)
DOWN: tuple[type[Header], ...] = (StatusHeader, AckHeader, CommandHeader, ProofHeader, KeyHeader)


def kind(header: type[Header]) -> str:
    """The ``k`` of such a header."""
    (name,) = header.model_fields["k"].annotation.__args__  # type: ignore[union-attr]
    return str(name)


assert VERSION == 1, "Header.v says so too"

__all__ = ["DOWN", "UP", "Header", "HeadquartersState", "ZoneState", "kind"]
