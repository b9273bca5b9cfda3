"""Messages as bytes and back; what is not exactly one of them is refused with its reason."""

from __future__ import annotations

import random
import zlib

import pytest

from sync.errors import BadMessage
from sync.protocol.messages import (
    BATCH_LINES_MAX,
    MESSAGE_BYTES_MAX,
    Ack,
    Batch,
    Command,
    Hello,
    Message,
    Status,
    decode,
    encode,
    lines_that_fit,
)

LOG = "9f2c61d07a3be845"
NOTE = "test/nz01/9f2c61d07a3be845\n2\nAAAA=\n\n— test/nz01 AAAA\n"


@pytest.mark.parametrize(
    "message",
    [
        Hello(((LOG, NOTE), ("0" * 16, NOTE))),
        Hello(()),
        Hello(((LOG, NOTE),), ask="5d0c2b7e9a41f863"),
        Batch(LOG, 1235, NOTE, (b'{"a":1}', b'{"b":2}')),
        Batch(LOG, 1, NOTE, tuple(b'{"line":%d}' % number for number in range(BATCH_LINES_MAX))),
        Status(LOG, NOTE),
        Status(LOG, NOTE, ask=""),
        Status(LOG, NOTE, ask="5d0c2b7e9a41f863", proof=(b"h" * 32, b"i" * 32)),
        Ack(LOG, NOTE),
        Command("c1", "door.release", {"door": "front-door"}, "p0231", "2026-11-23T09:04:11Z", "n1", "sig"),
    ],
)
def test_a_message_comes_back_as_it_was(message: Message) -> None:
    assert decode(encode(message)) == message


@pytest.mark.parametrize(
    "header",
    [
        b'"ask":7',
        b'"ask":"a question"',
        b'"proof":"AAAA"',
        b'"proof":["AAAA"]',
        b'"proof":[7]',
        b'"proof":[' + b",".join([b'"AAAA"'] * 64) + b"]",
    ],
)
def test_a_question_or_a_proof_in_another_form_is_refused(header: bytes) -> None:
    with pytest.raises(BadMessage) as caught:
        decode(b'{"v":1,"k":"status","log":"9f2c61d07a3be845","cp":"cp",' + header + b"}")
    assert caught.value.kind == "malformed"


def test_a_batch_is_its_header_and_its_exact_lines() -> None:
    assert encode(Batch(LOG, 7, "cp", (b'{"a":1}', b'{"b": 2}'))) == (
        b'{"v":1,"k":"batch","log":"9f2c61d07a3be845","first":7,"n":2,"cp":"cp"}\n{"a":1}\n{"b": 2}'
    )


def test_a_large_batch_is_compressed() -> None:
    payload = encode(Batch(LOG, 1, NOTE, tuple(b'{"line":%d}' % number for number in range(200))))
    assert payload[:1] == b"\x78"
    assert len(payload) < 2000


def test_a_batch_takes_as_many_lines_as_fit() -> None:
    assert lines_that_fit([b"x" * 10] * 300) == BATCH_LINES_MAX
    assert lines_that_fit([b"x" * 1000] * 100) == 63
    assert lines_that_fit([b"x" * 48 * 1024] * 2) == 1
    assert lines_that_fit([b"x"]) == 1
    for size in (100, 1000, 30_000, 48 * 1024):
        lines = [b"x" * size] * 300
        encode(Batch(LOG, 2**61, NOTE * 4, tuple(lines[: lines_that_fit(lines)])))


@pytest.mark.parametrize(
    ("payload", "kind", "reason"),
    [
        (b"", "malformed", "not JSON"),
        (b"\x00\xff", "malformed", "not JSON"),
        (b"[]", "malformed", "version 1"),
        (b'{"v":2,"k":"hello","logs":[]}', "malformed", "version 1"),
        (b'{"v":1,"logs":[]}', "malformed", "lacks 'k'"),
        (b'{"v":1,"k":"hullo","logs":[]}', "malformed", "lacks 'hullo'"),
        (b'{"v":1,"k":[],"logs":[]}', "malformed", "another form"),
        (b'{"v":1,"k":"hello","logs":7}', "malformed", "another form"),
        (b'{"v":1,"k":"hello","logs":[]}\n{}', "malformed", "announces none"),
        (b'{"v":1,"k":"hello","logs":[{"log":"../../etc","cp":""}]}', "malformed", "no ledger id"),
        (b'{"v":1,"k":"status","log":"9f2c61d07a3be845"}', "malformed", "lacks 'cp'"),
        (b'{"v":1,"k":"status","log":"9f2c61d07a3be845","cp":7}', "malformed", "not a text"),
        (b'{"v":1,"k":"batch","log":"9f2c61d07a3be845","first":0,"n":1,"cp":""}\n{}', "malformed", "from 1"),
        (b'{"v":1,"k":"batch","log":"9f2c61d07a3be845","first":true,"n":1,"cp":""}\n{}', "malformed", "from 1"),
        (b'{"v":1,"k":"batch","log":"9f2c61d07a3be845","first":1,"n":2,"cp":""}\n{}', "malformed", "has 1"),
        (b'{"v":1,"k":"batch","log":"9f2c61d07a3be845","first":1,"n":0,"cp":""}', "malformed", "has 0"),
        (b'{"v":1,"k":"ack","log":"9f2c61d07a3be845","cp":"%s"}' % (b"x" * 1501), "malformed", "1501 characters"),
        (b"{" * (MESSAGE_BYTES_MAX + 1), "oversize", "65537 bytes"),
        (zlib.compress(b"x" * 10_000_000), "oversize", "when unpacked"),
        (zlib.compress(b"{}")[:-1], "malformed", "cut off"),
        (zlib.compress(b"{}") + b"x", "malformed", "something after"),
        (b"\x78broken", "malformed", "not zlib"),
    ],
)
def test_what_is_no_message_is_refused_with_the_reason(payload: bytes, kind: str, reason: str) -> None:
    with pytest.raises(BadMessage, match=reason) as refused:
        decode(payload)
    assert refused.value.kind == kind


def test_damaged_messages_never_raise_anything_else() -> None:
    dice = random.Random(1)
    for message in (Hello(((LOG, NOTE),)), Batch(LOG, 1, NOTE, (b"{}",) * 200), Ack(LOG, NOTE)):
        good = encode(message)
        for _ in range(500):
            bad = bytearray(good)
            for _ in range(dice.randrange(1, 4)):
                bad[dice.randrange(len(bad))] = dice.randrange(256)
            try:
                decode(bytes(bad))
            except BadMessage as refused:
                assert refused.kind in ("malformed", "oversize")


def test_a_message_above_the_limit_is_never_made() -> None:
    with pytest.raises(ValueError, match="at most 65536"):
        encode(Batch(LOG, 1, NOTE, (b"x" * MESSAGE_BYTES_MAX,)))
