"""Keys through their whole life with the real commands: made, enrolled, exchanged at both ends, revoked."""

from __future__ import annotations

import getpass
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from config.clock import SystemClock
from custody.events import Draft
from fourmusts import main
from sync.broker import free_port
from sync.keys import HEADQUARTERS_KEY, ZONE_KEY, load_signing_key
from sync.ledger import Ledger
from sync.note import Note, VerifierKey

from .conftest import until

TLS = 'ca = "keys/ca.crt"\ncertificate = "keys/tls.crt"\nkey = "keys/tls.key"\n'


class Process:
    """One of the programs, ended by its own id."""

    def __init__(self, folder: Path, name: str, *command: str) -> None:
        self._command, self._folder, self.log = command, folder, folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, cwd=self._folder, stdout=log, stderr=log)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
            self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()


class Deployment:
    """Made by the commands of the manual, in their order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run("keys", "authority", "authority", "--deployment", "test")
        port = free_port()
        own = ("--authority", "authority")
        self.run("keys", "broker", "broker", *own, "--host", "127.0.0.1", "--port", str(port))
        self.run("keys", "headquarters", "hq/keys", *own, "--deployment", "test")
        self.run("keys", "certificate", "nz01/keys", "nz01", *own)
        self.run("keys", "zone", "nz01/keys", "nz01", "--deployment", "test")
        with (folder / "broker" / "mosquitto.conf").open("a") as opened:
            opened.write(f"user {getpass.getuser()}\n")  # started as root it would give up the right to its keys
        (folder / "nz01" / "zone.toml").write_text(
            '[zone]\nid = "nz01"\nname = "Z"\ndeployment = "test"\nstate_dir = "."\n[headquarters]\n'
            f'host = "127.0.0.1"\nport = {port}\nverifier_key = "{self.headquarters_key()}"\n{TLS}'
            '[[room]]\nid = "hall"\nname = "Hall"\n'
        )
        (folder / "hq" / "central.toml").write_text(
            f'[bureau]\nname = "B"\ndeployment = "test"\nstate_dir = "."\n[broker]\nport = {port}\n{TLS}'
            f'[web]\nport = {free_port()}\n[[zone]]\nid = "nz01"\nname = "Z"\nverifier_key = "{self.zone_key()}"\n'
        )
        self.run("init", "--config", "nz01/zone.toml")
        self.run("central", "init", "--config", "hq/central.toml")
        program = (sys.executable, "-m", "fourmusts")
        mosquitto = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self.broker = Process(folder, "mosquitto", mosquitto, "-c", "broker/mosquitto.conf")
        self.central = Process(folder, "central", *program, "central", "run", "--config", "hq/central.toml")
        self.link = Process(folder, "link", *program, "link", "--config", "nz01/zone.toml")
        clock = SystemClock(fixed_utc_offset_s=28_800)
        self.ledger = Ledger.open(folder / "nz01" / "ledger", zone="nz01", deployment="test", clock=clock)

    def run(self, *words: str) -> str:
        """One of the commands, in this process: ten starts of Python are not what is tested here."""
        done = CliRunner().invoke(main, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    def zone_key(self) -> VerifierKey:
        return load_signing_key(self.folder / "nz01" / "keys" / ZONE_KEY).verifier

    def headquarters_key(self) -> VerifierKey:
        return load_signing_key(self.folder / "hq" / "keys" / HEADQUARTERS_KEY).verifier

    def start(self) -> None:
        for process in (self.broker, self.central, self.link):
            process.start()

    def stop(self) -> None:
        for process in (self.link, self.central, self.broker):
            process.stop()
        self.ledger.close()

    def append(self) -> None:
        self.ledger.append(Draft("door.opened", {"door": "front"}))

    def is_safe(self) -> bool:
        file = self.ledger.spans()[-1][0]
        return file.cosigned()[0] == file.size()

    def carries_one_more(self) -> Note:
        """Append an event; the note with which headquarters has confirmed it."""
        self.append()
        until(self.is_safe, "the event was not confirmed")
        return Note.parse(self.ledger.spans()[-1][0].cosigned()[1])

    def rotations(self) -> list[str]:
        return [event.data["new"] for event in self.ledger.events() if event.type == "key.rotated"]


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    monkeypatch.chdir(tmp_path)
    made = Deployment(tmp_path)
    yield made
    made.stop()


def test_keys_are_exchanged_at_both_ends_and_revoked(deployment: Deployment) -> None:
    one = deployment
    one.start()
    old_zone, old_headquarters = one.zone_key(), one.headquarters_key()
    note = one.carries_one_more()
    assert note.signed_by(old_zone) and note.signed_by(old_headquarters)

    assert "systemctl restart fourmusts-link" in one.run("keys", "rotate", "nz01/keys")
    one.link.restart()
    note = one.carries_one_more()
    assert one.zone_key() != old_zone and note.signed_by(one.zone_key())
    assert one.rotations() == [str(one.zone_key())]

    # Headquarters believes the new key alone, and its own new key is believed, over restarts of both.
    (one.folder / "nz01" / "keys" / f"{ZONE_KEY}.previous").unlink()
    assert "systemctl restart fourmusts-central" in one.run("keys", "rotate", "hq/keys")
    one.central.restart()
    one.link.restart()
    note = one.carries_one_more()
    assert one.headquarters_key() != old_headquarters
    assert note.verify(one.headquarters_key()) is not None and not note.signed_by(old_headquarters)
    assert note.signed_by(one.zone_key()) and not note.signed_by(old_zone)
    assert one.rotations()[1:] == [str(one.headquarters_key())]
    one.link.restart()
    one.carries_one_more()
    assert len(one.rotations()) == 2
    one.run("central", "verify", "--level", "full", "--config", "hq/central.toml")
    one.run("verify", "--ledger", "--level", "full", "--config", "nz01/zone.toml")

    one.run("keys", "revoke", "nz01", "--authority", "authority", "--broker", "broker")
    one.broker.restart()
    one.link.stop()
    said = len(one.link.log.read_text())
    one.link.start()
    # When the broker's refusal overtakes CONNECT depends on the moment; it is in all three.
    refusals = ("the broker ended the connection", "TLS failed", "reset by peer")
    until(lambda: any(one.link.log.read_text()[said:].count(words) for words in refusals), "it was let in")
    one.append()
    assert not one.is_safe()


def test_no_program_runs_with_a_key_that_others_can_read(deployment: Deployment) -> None:
    for words, key in (
        (("link", "--config", "nz01/zone.toml"), "nz01/keys/zone.key"),
        (("central", "run", "--config", "hq/central.toml"), "hq/keys/headquarters.key"),
    ):
        (deployment.folder / key).chmod(0o644)
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 1
        assert "may be read by others (mode 0644)" in done.output and "chmod 600" in done.output
