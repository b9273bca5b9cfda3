"""Headquarters' own ledger cosigned by a third party: a real HTTP witness, written after c2sp.org/tlog-witness."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from central.errors import WitnessUnusable
from central.publishing import TREE_EVERY_S, TreePublisher
from central.store.database import Database
from central.store.logs import LogTable
from central.store.own import OwnLedger
from central.store.own_tree import OwnTree
from central.witnesses import RETRY_S, Witnesses
from config.central import CentralSettings, WitnessSettings
from config.clock import ManualClock
from sync.merkle import EMPTY_ROOT, verify_consistency
from sync.note import Checkpoint, KeyType, Note, SigningKey, VerifierKey
from sync.proof import verify_checkpoint
from sync.witness import Witness, WitnessAhead, WitnessFailed, request

HQ = SigningKey.generate("fourmusts/hq", KeyType.COSIGNATURE)


class ThirdParty:
    """A witness as its specification has it; it knows the logs that its operator was told of."""

    def __init__(self) -> None:
        self.key = SigningKey.generate("witness.example/w1", KeyType.COSIGNATURE)
        self.logs: dict[str, VerifierKey] = {}
        self.seen: dict[str, tuple[int, bytes]] = {}
        self.requests: list[bytes] = []
        self.statuses: list[int] = []
        self._lock = threading.Lock()
        party = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                known = self.path == "/w/add-checkpoint"
                status, kind, answer = party.add_checkpoint(body) if known else (404, "text/plain", "")
                party.requests.append(body)
                party.statuses.append(status)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(answer.encode())))
                self.end_headers()
                self.wfile.write(answer.encode())

            def log_message(self, format: str, *args: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/w/"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    def add_checkpoint(self, body: bytes) -> tuple[int, str, str]:
        plain = "text/plain"
        head, separator, note = body.decode().partition("\n\n")
        old_line, *hashes = head.split("\n")
        found = re.fullmatch(r"old (0|[1-9][0-9]*)", old_line)
        if not separator or found is None or len(hashes) > 63:
            return 400, plain, ""
        old, proof = int(found[1]), [base64.b64decode(one, validate=True) for one in hashes]
        text = Note.parse(note).text
        checkpoint = Checkpoint.parse(text)
        key = self.logs.get(checkpoint.origin)
        if key is None:
            return 404, plain, ""
        try:
            Note.parse(note).verify(key)
        except ValueError:
            return 403, plain, ""
        if old > checkpoint.size:
            return 400, plain, ""
        with self._lock:
            size, root = self.seen.get(checkpoint.origin, (0, EMPTY_ROOT))
            if old != size:
                return 409, "text/x.tlog.size", f"{size}\n"
            if not verify_consistency(old, checkpoint.size, proof, root, checkpoint.root):
                return 422, plain, ""
            self.seen[checkpoint.origin] = (checkpoint.size, checkpoint.root)
        other = SigningKey.generate("witness.example/w2", KeyType.COSIGNATURE)
        return 200, plain, other.cosign(text, 1_700_000_000) + self.key.cosign(text, 1_700_000_000)


class Bureau:
    """Headquarters' own ledger, published, with one witness asked."""

    def __init__(self, database: Database, clock: ManualClock, party: ThirdParty) -> None:
        self.clock, self.party, self.now_s = clock, party, 0.0
        own = OwnLedger(database, clock, lambda log, size, root: "")
        self.store = LogTable(database, own, clock)
        self.tree = OwnTree(database, own, clock)
        self.publisher = TreePublisher(self.tree, HQ, clock, lambda: self.now_s)
        settings = WitnessSettings(name="检察院", url=party.url, key=str(party.key.verifier))
        self.witnesses = Witnesses([settings], self.tree, self.publisher)
        self.origin = f"fourmusts/hq/{own.id}"
        self.log = own.id
        party.logs[self.origin] = HQ.verifier

    def publish(self, lines: int = 1) -> str:
        for _ in range(lines):
            word = f"{self.clock.now_us()}"
            self.clock.advance(1)
            self.store.keep_evidence("nz01", "00000000000000a1", "wrong_root", word, word.encode())
        self.now_s += TREE_EVERY_S
        shown = self.publisher.due()
        assert shown is not None
        return shown

    def cosigned(self) -> int:
        return self.tree.cosigned_size(self.log, self.party.key.verifier.name)


@pytest.fixture
def party() -> Iterator[ThirdParty]:
    made = ThirdParty()
    yield made
    made.stop()


@pytest.fixture
def bureau(database: Database, clock: ManualClock, party: ThirdParty) -> Iterator[Bureau]:
    made = Bureau(database, clock, party)
    yield made
    made.witnesses.stop()


def test_each_tree_is_cosigned_and_shown_with_the_cosignature(bureau: Bureau, party: ThirdParty) -> None:
    for lines in (1, 2, 7):
        bureau.publish(lines)
        bureau.witnesses.ask_all()
        bureau.witnesses.ask_all()
    assert party.statuses == [200, 200, 200]
    assert bureau.cosigned() == 10
    bureau.now_s += TREE_EVERY_S
    shown = bureau.publisher.due()
    assert shown is not None
    checkpoint, signers = verify_checkpoint(shown, [HQ.verifier, party.key.verifier], witnesses=1)
    assert checkpoint.size == 10
    assert [signer.key.name for signer in signers] == ["fourmusts/hq", "witness.example/w1"]


def test_a_request_is_byte_for_byte_what_the_specification_says(bureau: Bureau, party: ThirdParty) -> None:
    bureau.publish(3)
    bureau.witnesses.ask_all()
    bureau.publish(1)
    bureau.witnesses.ask_all()
    first, second = party.requests
    root = base64.b64encode(bureau.tree.own_root(bureau.log, 4) or b"").decode()
    head, checkpoint = second.decode().split("\n\n", 1)
    assert first.startswith(b"old 0\n\n" + bureau.origin.encode() + b"\n3\n")
    assert head.split("\n")[0] == "old 3" and len(head.split("\n")) == 4
    assert checkpoint.startswith(f"{bureau.origin}\n4\n{root}\n\n— fourmusts/hq ")


def test_who_forgot_what_the_witness_has_seen_is_told_by_it(bureau: Bureau, party: ThirdParty) -> None:
    """As after a restart from a backup that has the lines and not the cosignature."""
    bureau.publish(5)
    party.seen[bureau.origin] = (3, bureau.tree.own_root(bureau.log, 3) or b"")
    bureau.witnesses.ask_all()
    assert party.statuses == [409, 200]
    assert bureau.cosigned() == 5


def test_a_witness_that_has_seen_more_than_there_is_is_reported(
    bureau: Bureau, party: ThirdParty, caplog: pytest.LogCaptureFixture
) -> None:
    bureau.publish(5)
    party.seen[bureau.origin] = (9, b"\1" * 32)
    bureau.witnesses.ask_all()
    assert bureau.cosigned() == 0
    assert "has cosigned 9 lines of this ledger, here are 5" in caplog.text
    assert "restored from an old state" in caplog.text


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        (lambda party, origin: party.logs.clear(), 404, "give its operator the origin and the key"),
        (
            lambda party, origin: party.logs.update({origin: party.key.verifier}),
            403,
            "another key for this ledger",
        ),
        (lambda party, origin: party.seen.update({origin: (2, b"\1" * 32)}), 422, "another history"),
    ],
)
def test_each_refusal_says_why_and_is_asked_again_later(
    bureau: Bureau,
    party: ThirdParty,
    caplog: pytest.LogCaptureFixture,
    change: Callable[[ThirdParty, str], None],
    status: int,
    says: str,
) -> None:
    bureau.publish(5)
    change(party, bureau.origin)
    bureau.witnesses.ask_all()
    assert party.statuses[-1] == status
    assert says in caplog.text and "检察院" in caplog.text
    asked = len(party.requests)
    bureau.witnesses.ask_all()
    assert len(party.requests) == asked
    party.logs[bureau.origin] = HQ.verifier
    party.seen.clear()
    for _ in range(round(RETRY_S)):
        bureau.witnesses.ask_all()
    assert bureau.cosigned() == 5


def test_a_witness_that_is_down_delays_nothing_and_is_asked_again(
    bureau: Bureau, party: ThirdParty, caplog: pytest.LogCaptureFixture
) -> None:
    bureau.publish(2)
    party.stop()
    bureau.witnesses.ask_all()
    assert "no answer" in caplog.text
    assert bureau.publish(1)


def test_a_witness_that_answers_rubbish_has_not_cosigned(bureau: Bureau, party: ThirdParty) -> None:
    note = bureau.publish(2)
    witness = Witness("W", party.url, SigningKey.generate("witness.example/w1", KeyType.COSIGNATURE).verifier)
    with pytest.raises(WitnessFailed, match="its cosignature does not hold"):
        witness.add_checkpoint(0, (), note)
    with pytest.raises(WitnessAhead):
        witness.add_checkpoint(0, (), note)
    elsewhere = Witness("W", party.url + "x", party.key.verifier)
    with pytest.raises(WitnessFailed, match="status 404"):
        elsewhere.add_checkpoint(0, (), note)
    witness.close()
    elsewhere.close()


def test_the_thread_asks_by_itself(bureau: Bureau) -> None:
    bureau.publish(2)
    bureau.witnesses.start()
    ends_s = time.monotonic() + 30
    while bureau.cosigned() != 2:
        assert time.monotonic() < ends_s, "the witness was not asked"
        time.sleep(0.01)
    bureau.witnesses.check()


def test_settings_that_cannot_be_a_witness_are_refused_by_name(bureau: Bureau, tmp_path: Path) -> None:
    with pytest.raises(WitnessUnusable, match=r"central\.toml, witness '检察院'.*copy address and key"):
        Witnesses([WitnessSettings(name="检察院", url="x", key="y")], bureau.tree, bureau.publisher)
    assert CentralSettings.model_validate({"bureau": {"name": "B"}}).witnesses == []


def test_the_witness_of_these_tests_keeps_the_rules_itself(party: ThirdParty) -> None:
    """The specification's table of answers, so that what headquarters is tested against is a witness."""
    log = SigningKey.generate("example.com/log", KeyType.NOTE)
    party.logs["example.com/log"] = log.verifier
    leaf = hashlib.sha256(b"\0leaf").digest()

    def post(old: int, size: int, root: bytes, proof: tuple[bytes, ...] = ()) -> int:
        return party.add_checkpoint(request(old, proof, Checkpoint("example.com/log", size, root).signed(log)))[0]

    assert post(0, 0, leaf) == 422
    assert post(0, 0, EMPTY_ROOT, (leaf,)) == 422
    assert post(0, 0, EMPTY_ROOT) == 200
    assert post(1, 0, EMPTY_ROOT) == 400
    assert post(0, 1, leaf, (leaf,)) == 422
    assert post(0, 1, leaf) == 200
    assert post(0, 1, leaf) == 409
    assert post(1, 1, EMPTY_ROOT) == 422
    assert post(1, 1, leaf) == 200
    with contextlib.suppress(ValueError):
        assert party.add_checkpoint(b"rubbish")[0] == 400
