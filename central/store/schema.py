"""The tables of headquarters. They hold the zones' ledgers byte for byte, and what was made of them.

``logs`` and ``lines`` are the truth: the exact bytes that zones signed, and headquarters' own ledger under the
zone id ``hq``. Everything else (``events``, ``findings``, ``stays``, ``zones``) can be made again from them;
only ``findings`` has a past of its own, which is why each of its changes is also a line of headquarters' ledger.
Nothing is ever deleted from any table.

Times are UTC microseconds. JSON stands as text in the form in which it goes out.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

VERSION = 3
"""Of this schema. A database of another version is refused, never guessed at."""

OWN_ZONE = "hq"
"""Under this zone id stands headquarters' own ledger; no zone can be enrolled under it."""

metadata = MetaData()

_Key = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only in an INTEGER

schema_version = Table(
    "schema_version",
    metadata,
    Column("version", Integer, primary_key=True),
)

logs = Table(
    "logs",
    metadata,
    Column("key", _Key, primary_key=True),
    Column("zone", String(23), nullable=False),
    Column("log", String(16), nullable=False),
    # The verified size. It only grows, and only by a compare-and-swap on the size before.
    Column("size", BigInteger, nullable=False),
    # Hashes of the perfect subtrees at the right edge, largest first, 32 bytes each (RFC 9162 section 2.1).
    Column("edge", LargeBinary, nullable=False),
    # The note that the zone signed for exactly this size.
    Column("checkpoint", Text, nullable=False),
    Column("advanced_us", BigInteger, nullable=False),
    # Lines up to here have been judged, and published on the feed. Both are done after the commit that the zone
    # is told of, so a crash leaves them behind ``size``; whoever starts next goes on from here.
    Column("judged", BigInteger, nullable=False),
    Column("fed", BigInteger, nullable=False),
    UniqueConstraint("zone", "log"),
    CheckConstraint("size >= 0 AND judged BETWEEN 0 AND size AND fed BETWEEN 0 AND size", name="marks"),
    CheckConstraint("length(edge) % 32 = 0", name="edge_of_hashes"),
    CheckConstraint("(size = 0) = (length(edge) = 0)", name="edge_of_size"),
)

lines = Table(
    "lines",
    metadata,
    Column("log_key", _Key, ForeignKey("logs.key"), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("line", LargeBinary, nullable=False),
    # Hashes of the perfect subtrees that this line completes, from its own leaf upwards (``sync.merkle``): with
    # them a proof is some twenty point reads, however long the log.
    Column("hashes", LargeBinary, nullable=False),
    # Why this line is kept but not judged: it breaks the schema, or claims a place that is not its own.
    Column("flaw", Text),
    CheckConstraint("seq >= 1", name="counts_from_one"),
    CheckConstraint("length(hashes) >= 32 AND length(hashes) % 32 = 0", name="whole_hashes"),
)

events = Table(
    "events",
    metadata,
    # After a zone's disk was restored the same event comes again in another ledger, under its old id. The tree of
    # that ledger needs the line, the count of events does not: the first place stays.
    Column("id", String(64), primary_key=True),
    Column("log_key", _Key, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("zone", String(23), nullable=False),
    Column("type", String(64), nullable=False),
    Column("stay", String(48)),
    Column("time_us", BigInteger, nullable=False),
    Column("written_us", BigInteger, nullable=False),
    # Few events outside the register name a stay; the others need no place in its index.
    Index("events_by_stay", "stay", "time_us", sqlite_where=text("stay IS NOT NULL")),
    Index("events_by_zone", "zone", "written_us"),
    # Keyed by its id and by nothing else: each tree that a line must be put into is felt while zones catch up.
    sqlite_with_rowid=False,
)

findings = Table(
    "findings",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("zone", String(23), nullable=False),
    Column("stay", String(48)),
    Column("must", Integer, nullable=False),
    Column("rule", String(8), nullable=False),
    Column("verdict", String(8), nullable=False),
    Column("severity", String(8), nullable=False),
    # ``closed``: what came later (an audit of the recorder, a correction) shows that it does not hold. It stays.
    Column("state", String(8), nullable=False),
    Column("start_us", BigInteger, nullable=False),
    Column("end_us", BigInteger),
    Column("seconds", Float, nullable=False),
    Column("raised_us", BigInteger, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
    Column("json", Text, nullable=False),
    CheckConstraint("must BETWEEN 0 AND 4", name="a_must_or_a_legal_clock"),
    CheckConstraint("verdict IN ('breach', 'review', 'unproven')", name="verdicts"),
    CheckConstraint("severity IN ('serious', 'breach', 'notice')", name="severities"),
    CheckConstraint("state IN ('raised', 'changed', 'closed')", name="states"),
    Index("findings_by_zone", "zone", "start_us"),
    Index("findings_by_stay", "stay"),
    Index("findings_by_start", "start_us", "id"),
)

finding_history = Table(
    "finding_history",
    metadata,
    Column("finding", String(64), ForeignKey("findings.id"), primary_key=True),
    Column("nr", Integer, primary_key=True, autoincrement=False),
    Column("state", String(8), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("json", Text, nullable=False),
    # The line of headquarters' own ledger that says so.
    Column("event", String(64), nullable=False),
    CheckConstraint("nr >= 1", name="counts_from_one"),
    CheckConstraint("state IN ('raised', 'changed', 'closed')", name="states"),
)

stays = Table(
    "stays",
    metadata,
    Column("zone", String(23), primary_key=True),
    Column("stay", String(48), primary_key=True),
    Column("inside", Boolean, nullable=False),
    Column("room", String(32)),
    Column("arrived_us", BigInteger),
    Column("exited_us", BigInteger),
    # When it began, by whatever line names it first: for sorting.
    Column("begun_us", BigInteger, nullable=False),
    # Verdict of must 1..4, and of the legal clocks in ``must_0``: breached, unproven, pending or kept.
    Column("must_0", String(8), nullable=False),
    Column("must_1", String(8), nullable=False),
    Column("must_2", String(8), nullable=False),
    Column("must_3", String(8), nullable=False),
    Column("must_4", String(8), nullable=False),
    Column("json", Text, nullable=False),
    Index("stays_by_time", "begun_us", "stay"),
)

zones = Table(
    "zones",
    metadata,
    Column("zone", String(23), primary_key=True),
    # Written time of the last judged line: up to here headquarters knows this zone.
    Column("known_us", BigInteger),
    # What the broker said last of its connection: a hint, the truth is the heartbeat.
    Column("connected", Boolean),
    Column("connected_us", BigInteger),
    Column("described", Text),
    Column("heartbeat", Text),
)

evidence = Table(
    "evidence",
    metadata,
    Column("key", _Key, primary_key=True),
    Column("zone", String(23), nullable=False),
    Column("log", String(64)),
    Column("kind", String(32), nullable=False),
    Column("detail", Text, nullable=False),
    # SHA-256 of the whole message: the same one sent again is counted, not kept again.
    Column("digest", LargeBinary, nullable=False),
    Column("message", LargeBinary, nullable=False),
    Column("first_us", BigInteger, nullable=False),
    Column("last_us", BigInteger, nullable=False),
    Column("times", BigInteger, nullable=False),
    UniqueConstraint("zone", "kind", "digest"),
    CheckConstraint("length(digest) = 32 AND times >= 1", name="digest_and_count"),
)

commands = Table(
    "commands",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("zone", String(23), nullable=False),
    Column("name", String(32), nullable=False),
    # Without the content of a document, which may be cards and PINs: the ledger and this column are for ever.
    Column("args", Text, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("issued_us", BigInteger, nullable=False),
    Column("not_after_us", BigInteger, nullable=False),
    # Of a document, which of its versions the command brings.
    Column("version", BigInteger),
    # The signed message as it is sent; gone once it is not sent any more.
    Column("message", LargeBinary),
    Column("state", String(12), nullable=False),
    Column("reason", Text),
    # The line of the zone's ledger that says so.
    Column("answer", String(64)),
    CheckConstraint(
        "state IN ('waiting', 'received', 'done', 'refused', 'expired', 'superseded')", name="command_states"
    ),
    CheckConstraint("(state = 'waiting') = (message IS NOT NULL)", name="kept_while_it_is_sent"),
    Index("commands_by_zone", "zone", "issued_us"),
    Index("commands_by_state", "state", "zone"),
)

cosignatures = Table(
    "cosignatures",
    metadata,
    # Who vouches for a log that is not its owner's to rewrite any more: a zone for headquarters' own ledger, or a
    # third party's witness. Of each only the largest is kept, for it includes those before.
    Column("log_key", _Key, ForeignKey("logs.key"), primary_key=True),
    Column("cosigner", String(255), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Column("received_us", BigInteger, nullable=False),
    CheckConstraint("size >= 1", name="cosigned_something"),
)
