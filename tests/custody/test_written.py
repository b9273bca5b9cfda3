"""What a ledger says it wrote is what whoever reads the line will read."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from custody.events import Draft, Stamp, encode_line, event_id, parse_line, written

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
MOMENTS = st.integers(1_500_000_000_000_000, 2_500_000_000_000_000)


@given(
    st.dictionaries(st.text(max_size=10), VALUES, max_size=5),
    st.none() | st.text(min_size=1, max_size=20),
    st.none() | MOMENTS,
    MOMENTS,
    st.sampled_from([0, 28_800, -12_600]),
    st.floats(0, 1e8),
)
def test_an_event_as_written_is_the_event_as_read(
    data: dict[str, Any],
    subject: str | None,
    time_us: int | None,
    written_us: int,
    offset_s: int,
    boottime_s: float,
) -> None:
    stamp = Stamp(
        event_id(written_us, bytes(10)), "nz01", "9f2c61d07a3be845", 7, written_us, offset_s, "3f0c", boottime_s
    )
    draft = Draft("window.opened", data, subject, time_us)
    event = written(draft, stamp)
    assert event == parse_line(encode_line(draft, stamp))
    assert event.line == encode_line(draft, stamp)
