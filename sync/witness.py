"""A third party's witness, asked to cosign: the client's side of c2sp.org/tlog-witness.

::

    POST <url>/add-checkpoint            200  — witness.example/w1 CMp+6LWBU0anHGH5aNDT…
    old 40                               409  42          what the witness has cosigned last
    <consistency proof, a hash a line>   404  it does not know this ledger
                                         403  it knows another key for it
    <signed checkpoint>                  422  it has seen another history

Whoever runs the witness needs the origin of the ledger and the verifier key of its owner, and trusts nobody.
"""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from .errors import BadNote, SyncError
from .note import KeyType, Note, VerifierKey, split_note, to_base64

TIMEOUT_S = 10.0
ANSWER_BYTES_MAX = 64 * 1024
PROOF_HASHES_MAX = 63
_SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\n")
_WHY = {
    400: "it calls the request malformed; is it a witness of c2sp.org/tlog-witness?",
    403: "it has another key for this ledger: give its operator headquarters' verifier key",
    404: "it does not know this ledger, or this is not its address: give its operator the origin and the key",
    422: "it has cosigned another history of this ledger: compare its checkpoint with yours before anything else",
}


class WitnessFailed(SyncError):
    """A witness that did not cosign; the text says which, why, and what to do."""


class WitnessAhead(Exception):
    """The witness has cosigned another size than was thought; internal: it is asked again from there."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


class Witness:
    """One witness. Belongs to one thread; it keeps its connection open for the next time."""

    def __init__(self, name: str, url: str, key: VerifierKey) -> None:
        """``name`` is what people call it. Raises ``BadNote`` for a key that cannot cosign, or no http address."""
        if key.type is not KeyType.COSIGNATURE:
            raise BadNote(f"witness {name}: its key {key.name} signs notes, a witness cosigns (type 0x04)")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadNote(f"witness {name}: {url!r} is no address of the form https://host/path")
        self.name, self.url, self.key = name, url, key
        self._path = parts.path.rstrip("/") + "/add-checkpoint"
        make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = make(parts.hostname, parts.port, timeout=TIMEOUT_S)

    def cosign(self, note: str, size: int, known: int, consistency: Callable[[int], Sequence[bytes]]) -> str:
        """The note of that size with this witness's cosignature lines added.

        ``known`` is the size that it cosigned last, as far as we know; ``consistency(old)`` the proof from there.
        Raises ``WitnessFailed``.
        """
        try:
            return note + self.add_checkpoint(known, consistency(known) if known else (), note)
        except WitnessAhead as ahead:
            if ahead.size > size:
                raise WitnessFailed(
                    f"witness {self.name} ({self.url}) has cosigned {ahead.size} lines of this ledger, here are "
                    f"{size}: this database was restored from an old state, or the witness is wrong"
                ) from None
            old = ahead.size
        try:
            return note + self.add_checkpoint(old, consistency(old) if old else (), note)
        except WitnessAhead as ahead:
            raise WitnessFailed(
                f"witness {self.name} ({self.url}) says {old} and then {ahead.size}: somebody else sends it "
                "checkpoints of this ledger; is a second headquarters running?"
            ) from None

    def add_checkpoint(self, old: int, proof: Sequence[bytes], note: str) -> str:
        """Its verified cosignature lines. Raises ``WitnessAhead`` (409) or ``WitnessFailed``."""
        status, kind, answer = self._post(request(old, proof, note))
        if status == 409:
            found = _SIZE.fullmatch(answer)
            if kind != "text/x.tlog.size" or found is None:
                raise self._failed(f"it answers 409 without a size ({answer!r:.60})")
            raise WitnessAhead(int(found[1]))
        if status != 200:
            raise self._failed(f"status {status}: {_WHY.get(status, answer.strip()[:200] or 'no reason given')}")
        try:
            return own_lines(answer, note, self.key)
        except BadNote as bad:
            raise self._failed(f"its cosignature does not hold: {bad}") from bad

    def close(self) -> None:
        self._connection.close()

    def _post(self, body: bytes) -> tuple[int, str, str]:
        try:
            self._connection.request("POST", self._path, body, {"Content-Type": "text/plain; charset=utf-8"})
            response = self._connection.getresponse()
            raw = response.read(ANSWER_BYTES_MAX)
            if not response.isclosed():
                self._connection.close()  # what is left of a huge answer would be the next one's beginning
            return response.status, response.getheader("Content-Type", ""), raw.decode()
        except (OSError, http.client.HTTPException, UnicodeDecodeError) as error:
            self._connection.close()
            raise self._failed(f"no answer: {error}; is it up, does a firewall stand between?") from error

    def _failed(self, why: str) -> WitnessFailed:
        return WitnessFailed(f"witness {self.name} ({self.url}) did not cosign: {why}")


def request(old: int, proof: Sequence[bytes], note: str) -> bytes:
    """The body of add-checkpoint, byte for byte."""
    if len(proof) > PROOF_HASHES_MAX:
        raise ValueError(f"a proof of {len(proof)} hashes; at most {PROOF_HASHES_MAX} may be sent")
    return "".join([f"old {old}\n", *(f"{to_base64(one)}\n" for one in proof), "\n", note]).encode()


def own_lines(answer: str, note: str, key: VerifierKey) -> str:
    """Of the signature lines in an answer those by ``key``, verified; others are ignored. Raises ``BadNote``."""
    text, _ = split_note(note)
    Note.parse(f"{text}\n{answer}")
    taken: list[str] = []
    for line in answer.splitlines(keepends=True):
        alone = Note.parse(f"{text}\n{line}")
        if alone.signed_by(key):
            if not alone.verify(key):
                raise BadNote(f"the cosignature by {key.name} has no time")
            taken.append(line)
    if not taken:
        raise BadNote(f"there is none by {key.name} ({key.id.hex()}) among {answer!r:.200}")
    return "".join(taken)
