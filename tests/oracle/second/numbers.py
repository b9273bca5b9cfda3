"""The numbers of the rules, written down a second time: none comes from the product's policy."""

from __future__ import annotations

S = 1_000_000
"""One second in microseconds."""

HOUR = 3600 * S
DAY = 24 * HOUR
FOREVER = 10**18
"""The end of a fact that nothing has ended."""

# Reading the events
HEARTBEAT_TIMEOUT = 150 * S
STEP_THAT_BREAKS_KNOWN_S = 5
RECONFIRM_GUARD = 300 * S
RECONFIRM_CAMERA = 60 * S

# What is proven when
GUARD_VALID_S = 3600
LINGER = 120 * S
ARRIVAL = 900 * S
TRANSFER = 300 * S
COLLECTION_BEFORE = 600 * S
CHECK_PROVES = 60 * S
BRIDGE = 10 * S
GUARD_RANKS = {"police", "auxiliary", "doctor"}
PICTURE_FAULTS = {"no_signal", "not_recording", "frozen", "replayed", "dark", "covered", "defocused", "moved"}
HIGH_RISK_FLAGS = {"minor", "drunk", "ill", "injured", "pregnant", "high_risk"}

# Must 1
STRAIGHT_IN = ((600 * S, "review"), (1800 * S, "breach"))
PAPER_ENTRY = 300 * S
OPENED_AFTER_GRANT = 30 * S
GRANTS_OF_ONE_GROUP = 120 * S
ENTRY_BEFORE_GRANT = 120 * S
ENTRY_AFTER_GRANT = 600 * S
WRITTEN_LATE = ((1800 * S, "review"), (7200 * S, "breach"))
WRITTEN_LATE_TYPES = (
    "stay.", "search.", "collection.", "activity.", "guard.", "check.", "leave.", "measure.", "flags.",
    "property.", "care.",
)  # fmt: skip
REMOVAL_REASONS = {"retrieve_evidence", "scene_identification", "body_identification", "medical", "transfer"}
MEDICAL_APPROVAL_AFTER = 7200 * S
BACK_LATE = 900 * S
CORRECTED_LATE = 600 * S

# Must 2
SEARCH_SOON = ((900 * S, "review"), (1800 * S, "breach"))
ENTRIES_TOGETHER = 600 * S
SEARCH_AT_LEAST = 60 * S

# Must 3
UNGUARDED = ((60 * S, "review"), (180 * S, "breach"), (600 * S, "serious"))
UNGUARDED_HIGH_RISK = ((30 * S, "review"), (60 * S, "breach"), (180 * S, "serious"))
UNGUARDED_FLOOR = 20 * S
AUXILIARIES_ALONE_QUESTIONING = 60 * S
AUXILIARIES_ALONE = 600 * S
SUSPECTS_PER_OFFICER = 3
SUSPECTS_PER_OFFICER_HIGH_RISK = 1
TOO_MANY = 60 * S
INCOMING_PRESENT = 120 * S
HANDOVER_LEFT_OUT = 600 * S
CHECK_LIMIT = {"general": 3600 * S, "intermittent": 1800 * S, "constant": 1800 * S}
CHECK_GRACE = 60 * S
MIXED_ROOM = 60 * S
FEW_OFFICERS = 60 * S
SUM_SHARE_PERCENT = 10
SUM_AT_LEAST = 300 * S

# Must 4
UNRECORDED = ((10 * S, "review"), (60 * S, "breach"), (600 * S, "serious"))
UNRECORDED_FLOOR = 2 * S
UNRECORDED_UNKNOWN_FLOOR = 10 * S
INTERVIEW_UNRECORDED = ((2 * S, "breach"),)
INTERVIEW_UNKNOWN_FLOOR = 2 * S
CLOCK_OFF_S = ((5, "review"), (60, "breach"))
AUDIT_WITHIN = 24 * HOUR
RETENTION = 90 * DAY

# Legal clocks
TIERS_H = {
    "administrative_summons": [8, 24],
    "criminal_summons": [12, 24],
    "compelled_appearance": [12, 24],
    "continued_questioning": [12, 24, 48],
    "detention": [24],
    "none": [8],
}
NEW_LAW = "2026-01-01"
FOUR_HOUR_FLAGS = {"minor", "pregnant", "nursing", "elderly"}
