"""Every finding of generated days can be said in both languages, with its law and its lines in words."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from stories import story

from config.explaining import explain
from config.policy import load_policy
from config.telling import names_in
from custody.court import judge
from custody.events import EventError, parse_line


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("seed", range(12))
def test_every_finding_is_explained_in_words(seed: int, lang: Any) -> None:
    events = []
    for line in story(seed):
        with suppress(EventError):
            events.append(parse_line(line))
    policy, names = load_policy(), names_in(events)
    for finding in judge(events, policy):
        told = explain(finding, policy, events, lang, names=names)
        assert {one.id for one in told.evidence} == set(finding.evidence)
        known = [one for one in told.evidence if one.event is not None]
        assert [one.time for one in known] == sorted(one.time for one in known)
        assert all(one.event and one.text != one.event.type and "{" not in one.text for one in known)
        assert told.citations and told.sentence and told.must and told.verdict
        text = told.as_text()
        assert finding.id in text and "None" not in text
        names_of_values = [name for name, _ in told.values]
        assert not any("_" in name for name in names_of_values), names_of_values
