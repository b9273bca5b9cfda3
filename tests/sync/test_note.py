"""Notes, checkpoints and cosignatures, held against published vectors of C2SP, of Go and of a real witness."""

from __future__ import annotations

import pytest

from sync.errors import BadNote, WrongSignature
from sync.note import Checkpoint, KeyType, Note, SigningKey, VerifierKey, cosigned, only_cosigned, open_checkpoint

# The example of c2sp.org/signed-note (v1.0.0).
C2SP_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
C2SP_NOTE = """\
This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""

# The example of golang.org/x/mod/sumdb/note, whose private key is published too.
GO_PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)

# A checkpoint of a public Certificate Transparency log with cosignatures of public witnesses.
WITNESS_KEY = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
WITNESSED = """\
arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
"""  # noqa: E501
LOG_KEY = "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"


def test_the_example_of_the_specification_verifies() -> None:
    key = VerifierKey.parse(C2SP_KEY)
    assert Note.parse(C2SP_NOTE).verify(key) is None
    assert str(key) == C2SP_KEY


def test_go_s_example_is_made_byte_for_byte() -> None:
    key = SigningKey.parse(GO_PRIVATE)
    assert str(key.verifier) == GO_KEY
    assert key.sign_note(GO_TEXT) == GO_LINE
    assert key.encode() == GO_PRIVATE


def test_a_real_witness_s_cosignature_verifies_with_its_time() -> None:
    note = Note.parse(WITNESSED)
    assert note.verify(VerifierKey.parse(WITNESS_KEY)) == 0x6A122120
    assert note.verify(VerifierKey.parse(LOG_KEY)) is None
    checkpoint = open_checkpoint(WITNESSED, VerifierKey.parse(WITNESS_KEY))
    assert (checkpoint.origin, checkpoint.size) == ("arche2025h1.staging.ct.transparency.dev", 1432088532)
    assert checkpoint.text() == note.text


@pytest.mark.parametrize("key", [WITNESS_KEY, LOG_KEY])
def test_a_changed_text_does_not_verify(key: str) -> None:
    with pytest.raises(WrongSignature, match="does not verify"):
        Note.parse(WITNESSED.replace("1432088532", "1432088533")).verify(VerifierKey.parse(key))


def test_a_cosignature_with_another_time_does_not_verify() -> None:
    cosigner = SigningKey.generate("hq", KeyType.COSIGNATURE)
    text = Checkpoint("o", 1, b"r" * 32).text()
    earlier, later = cosigner.cosign(text, 1_000), cosigner.cosign(text, 2_000)
    head, tail = len("— hq ") + 16, len("— hq ") + 16  # key id and time are the first 12 bytes: 16 base64 digits
    forged = later[:head] + earlier[tail:]
    assert Note.parse(f"{text}\n{later}").verify(cosigner.verifier) == 2_000
    with pytest.raises(WrongSignature):
        Note.parse(f"{text}\n{forged}").verify(cosigner.verifier)


def test_a_note_that_nobody_known_signed_says_whose_signature_is_missing() -> None:
    with pytest.raises(WrongSignature, match=r"not signed by example\.com/foo \(530d903a\)"):
        Note.parse(WITNESSED).verify(VerifierKey.parse(C2SP_KEY))


def test_a_cosigned_checkpoint_carries_both_signatures() -> None:
    zone, hq = SigningKey.generate("t/nz01", KeyType.NOTE), SigningKey.generate("t/hq", KeyType.COSIGNATURE)
    checkpoint = Checkpoint("t/nz01/9f2c61d07a3be845", 12, b"\x07" * 32)
    note = cosigned(checkpoint.signed(zone), hq, 1_700_000_000)
    assert open_checkpoint(note, zone.verifier) == open_checkpoint(note, hq.verifier) == checkpoint
    assert open_checkpoint(only_cosigned(checkpoint, hq, 5), hq.verifier) == checkpoint


def test_a_key_serves_only_its_own_signature_type() -> None:
    key = SigningKey.generate("t/nz01", KeyType.NOTE)
    with pytest.raises(ValueError, match="does not cosign"):
        key.cosign("text\n", 1)
    other = key.verifier.of_type(KeyType.COSIGNATURE)
    assert other.id != key.verifier.id
    with pytest.raises(WrongSignature, match="not signed by"):
        Note.parse(Checkpoint("o", 0, b"r" * 32).signed(key)).verify(other)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("o\n1\n" + "A" * 43 + "=", "three lines"),
        ("o\n1\n" + "A" * 43 + "=\nextension\n", "three lines"),
        ("\n1\n" + "A" * 43 + "=\n", "three lines"),
        ("o\n01\n" + "A" * 43 + "=\n", "decimal"),
        ("o\n-1\n" + "A" * 43 + "=\n", "decimal"),
        ("o\n+1\n" + "A" * 43 + "=\n", "decimal"),
        ("o\n1\n" + "A" * 43 + "\n", "base64"),
        ("o\n1\n" + "A" * 42 + "B=\n", "canonical"),
        ("o\n1\nAAAA\n", "3 bytes"),
    ],
)
def test_a_checkpoint_that_is_not_canonical_is_refused(text: str, reason: str) -> None:
    with pytest.raises(BadNote, match=reason):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    ("note", "reason"),
    [
        ("", "no signatures"),
        (GO_TEXT, "no signatures"),
        (f"{GO_TEXT}\n", "no signatures"),
        (f"{GO_TEXT}\n{GO_LINE}"[:-1], "no signatures"),
        (f"{GO_TEXT}\n{GO_LINE.replace('—', '-')}", "em dash"),
        (f"{GO_TEXT}\n{GO_LINE.replace(' x08', '  x08')}", "base64"),
        (f"{GO_TEXT}\n{GO_LINE.replace('nAM=', 'nAN=')}", "canonical"),
        (f"{GO_TEXT}\n— PeterNeumann AAAA\n", "too short"),
        (f"{GO_TEXT}\r\n\n{GO_LINE}", "control"),
        (f"{GO_TEXT}\n" + GO_LINE * 101, "101 signatures"),
    ],
)
def test_a_note_that_is_not_canonical_is_refused(note: str, reason: str) -> None:
    with pytest.raises(BadNote, match=reason):
        Note.parse(note)


def test_a_verifier_key_is_taken_whole_or_not_at_all() -> None:
    for start in range(len(GO_KEY)):
        for end in range(start + 1, len(GO_KEY) + 1):
            if (start, end) != (0, len(GO_KEY)):
                with pytest.raises(BadNote):
                    VerifierKey.parse(GO_KEY[start:end])
    for place in range(len(GO_KEY)):
        changed = GO_KEY[:place] + chr(ord(GO_KEY[place]) + 1) + GO_KEY[place + 1 :]
        with pytest.raises(BadNote):
            VerifierKey.parse(changed)


def test_a_private_key_does_not_show_in_messages() -> None:
    key = SigningKey.generate("t/nz01", KeyType.NOTE)
    secret = key.encode().split("+", 4)[4]  # base64 may itself have plus signs in it
    assert len(secret) == 44
    assert secret not in repr(key)
    with pytest.raises(BadNote) as refused:
        SigningKey.parse(key.encode()[:-4] + "AAA=")
    assert key.encode()[-20:-4] not in str(refused.value)
