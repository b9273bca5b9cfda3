"""How long headquarters and zones wait for a broker."""

from __future__ import annotations

import random

from sync.patience import ECHO_S_MAX, RETRY_S, RETRY_S_MAX, SILENCE_S, Hearing, Retry


def test_attempts_come_at_longer_and_longer_intervals_until_one_succeeds() -> None:
    retry = Retry(random.Random(1))
    waits_s = [retry.failed() for _ in range(8)]
    for doubled, wait_s in enumerate(waits_s):
        middle_s = min(RETRY_S * 2**doubled, RETRY_S_MAX)
        assert 0.75 * middle_s <= wait_s <= 1.25 * middle_s
    retry.succeeded()
    assert retry.failed() <= 1.25 * RETRY_S


def test_in_a_silence_one_message_to_oneself_is_sent_and_its_coming_ends_it() -> None:
    hearing = Hearing(0.0)
    assert not hearing.must_ask(SILENCE_S - 1)
    assert hearing.must_ask(SILENCE_S)
    assert not hearing.must_ask(SILENCE_S + 1)
    assert not hearing.is_deaf(SILENCE_S + ECHO_S_MAX - 1)
    hearing.heard(SILENCE_S + 1)
    assert not hearing.is_deaf(SILENCE_S + ECHO_S_MAX)
    assert hearing.must_ask(2 * SILENCE_S + 1)


def test_a_broker_that_does_not_bring_it_back_is_left() -> None:
    hearing = Hearing(0.0)
    assert hearing.must_ask(SILENCE_S)
    assert hearing.is_deaf(SILENCE_S + ECHO_S_MAX)


def test_who_slept_is_not_deaf_before_having_asked() -> None:
    hearing = Hearing(0.0)
    slept_s = 10 * (SILENCE_S + ECHO_S_MAX)
    assert not hearing.is_deaf(slept_s)
    assert hearing.must_ask(slept_s)
    assert not hearing.is_deaf(slept_s)
