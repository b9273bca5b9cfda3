"""What a witness is sent and what is taken from it, held against published requests and answers."""

from __future__ import annotations

import base64

import pytest

from sync.errors import BadNote
from sync.merkle import leaf_hash, verify_consistency
from sync.note import Checkpoint, KeyType, Note, SigningKey, VerifierKey, only_cosigned
from sync.witness import Witness, WitnessFailed, own_lines, request

# Requests that litewitness accepts in its own tests (seed b4e385f4…): sizes 3 and 5 from size 1.
LOG = "sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562"
LOG_KEY = VerifierKey(
    LOG, KeyType.NOTE, bytes.fromhex("ffdc2d4d98e4124d3feaf788c0c2f9abfd796083d1f0495437f302ec79cf100f")
)
FIRST_ROOT = "KgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
TO_THREE = f"""\
old 1
KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
KgIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

{LOG}
3
RcCI1Nk56ZcSmIEfIn0SleqtV7uvrlXNccFx595Iwl0=

— {LOG} UgIom2VbtIcdFbwFAy1n7s6IkAxIY6J/GQOTuZF2ORV39d75cbAj2aQYwyJre36kezNobZs4SUUdrcawfAB8WVrx6go=
"""
TO_FIVE = f"""\
old 1
KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
+fUDV+k970B4I3uKrqJM4aP1lloPZP8mvr2Z4wRw2LI=
KgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

{LOG}
5
QrtXrQZCCvpIgsSmOsah7HdICzMLLyDfxToMql9WTjY=

— {LOG} UgIomw/EOJmWi0i1FQsOj+etB7F8IccFam/jgd6wzRns4QPVmyEZtdvl1U2KEmLOZ/ASRcWJi0tW90dJWAShei7sDww=
"""
# The answer in the text of c2sp.org/tlog-witness.
ANSWER = """\
— witness.example/w1 CMp+6LWBU0anHGH5aNDTJkH/gj79sG+T6+iP2ThYN5krrDJbR1HDnucjL39QsZTSvVjyQLrdk3DXDqI5G2HgLatVs0pWh6Up69HVOw==
— witness.example/w1 I7rEps0pvK2UqkS2gSpVUDhrhVtQV9lgF6pRrWAvjJHjyWpW7VcE3SiOlVlbQNt64vWhO+DlkL0+UfzuOBMh9ChdMkP1vi/lCAsmlw==
— witness.example/w2 AWui8Sk55XjYLOijihBjhqEH6nS1ndDymE0a+6idX7pLcnoB+dhnz0854aLZgrrKbYKA7nC3HNJhm/kWl7oJlqU3rXXvpysAdyP3wQ==
"""  # noqa: E501
W1 = SigningKey.generate("witness.example/w1", KeyType.COSIGNATURE)


@pytest.mark.parametrize("published", [TO_THREE, TO_FIVE])
def test_published_requests_are_made_byte_for_byte_and_their_proofs_hold(published: str) -> None:
    head, _, note = published.partition("\n\n")
    proof = [base64.b64decode(line) for line in head.splitlines()[1:]]
    assert request(1, proof, note) == published.encode()
    assert Note.parse(note).verify(LOG_KEY) is None
    checkpoint = Checkpoint.parse(Note.parse(note).text)
    first = base64.b64decode(FIRST_ROOT)
    assert verify_consistency(1, checkpoint.size, proof, first, checkpoint.root)
    assert not verify_consistency(1, checkpoint.size, proof[::-1], first, checkpoint.root)


def test_the_first_request_has_no_proof() -> None:
    note = only_cosigned(Checkpoint("o", 1, leaf_hash(b"x")), W1, 9)
    assert request(0, (), note) == b"old 0\n\n" + note.encode()
    with pytest.raises(ValueError, match="at most 63"):
        request(1, [b"\0" * 32] * 64, note)


def test_of_an_answer_only_the_known_witness_s_lines_are_taken() -> None:
    note = only_cosigned(Checkpoint("o", 7, b"\7" * 32), SigningKey.generate("o", KeyType.COSIGNATURE), 9)
    own = W1.cosign(note.partition("\n\n")[0] + "\n", 1_700_000_000)
    taken = own_lines(ANSWER + own, note, W1.verifier)
    assert taken == own
    assert Note.parse(note + taken).verify(W1.verifier) == 1_700_000_000


@pytest.mark.parametrize("time_s", [0])
def test_an_answer_that_proves_nothing_is_refused(time_s: int) -> None:
    note = only_cosigned(Checkpoint("o", 7, b"\7" * 32), SigningKey.generate("o", KeyType.COSIGNATURE), 9)
    text = note.partition("\n\n")[0] + "\n"
    of_another_text = W1.cosign(text.replace("7", "8", 1), 5)
    for answer in (ANSWER, "", "rubbish\n", of_another_text, W1.cosign(text, time_s), W1.cosign(text, 5)[:-1]):
        with pytest.raises(BadNote):
            own_lines(answer, note, W1.verifier)


def test_an_address_or_a_key_that_cannot_be_a_witness_s_is_refused() -> None:
    note_key = SigningKey.generate("w", KeyType.NOTE).verifier
    with pytest.raises(BadNote, match="a witness cosigns"):
        Witness("W", "https://w.example", note_key)
    for url in ("w.example", "ftp://w.example", "https://"):
        with pytest.raises(BadNote, match="no address"):
            Witness("W", url, W1.verifier)


def test_a_witness_that_is_away_says_so() -> None:
    witness = Witness("W", "http://127.0.0.1:1/w", W1.verifier)
    with pytest.raises(WitnessFailed, match=r"witness W \(http://127.0.0.1:1/w\) did not cosign: no answer"):
        witness.cosign("note", 1, 0, lambda old: ())
