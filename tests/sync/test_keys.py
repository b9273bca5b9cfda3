"""Keys and certificates, and the command that makes them."""

from __future__ import annotations

import errno
import os
import re
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509

from fourmusts import main
from sync import keys
from sync.errors import KeyMissing, KeyReadable, KeyUnusable
from sync.keys import KeyRefused
from sync.mosquitto import render
from sync.note import KeyType, VerifierKey


def fourmusts(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["keys", *map(str, arguments)])


def test_the_commands_of_the_help_make_a_whole_deployment(tmp_path: Path) -> None:
    authority, hq, zone = tmp_path / "authority", tmp_path / "hq", tmp_path / "zone"
    for arguments in (
        ("authority", authority),
        (
            "broker",
            tmp_path / "broker",
            "--authority",
            authority,
            "--host",
            "broker.example",
            "--host",
            "10.0.0.1",
        ),
        ("headquarters", hq, "--authority", authority),
        ("certificate", zone, "nz01", "--authority", authority),
        ("reader", tmp_path / "reader", "--authority", authority),
    ):
        result = fourmusts(*arguments)
        assert result.exit_code == 0, result.output
    enrolment = fourmusts("zone", zone, "nz01")
    shown = enrolment.output.split('verifier_key = "')[1].split('"')[0]
    assert VerifierKey.parse(shown) == keys.load_signing_key(zone / keys.ZONE_KEY).verifier
    assert VerifierKey.parse(shown).name == "fourmusts/nz01"
    assert keys.load_signing_key(hq / keys.HEADQUARTERS_KEY).verifier.type is KeyType.COSIGNATURE
    assert "allow_anonymous false" in (tmp_path / "broker" / "mosquitto.conf").read_text()
    assert "{" not in (tmp_path / "broker" / "mosquitto.conf").read_text()

    listed = fourmusts("show", zone).output
    assert "tls.crt: certificate of nz01, valid until" in listed
    assert f"zone.key: verifier key {shown}" in listed
    assert "PRIVATE" not in listed
    assert "broker.example, 10.0.0.1" in fourmusts("show", tmp_path / "broker").output


def test_the_zone_s_certificate_names_it_and_is_only_for_clients(deployment_keys: Path) -> None:
    certificate = x509.load_pem_x509_certificate((deployment_keys / "nz01" / keys.TLS_CERTIFICATE).read_bytes())
    assert certificate.subject.rfc4514_string() == "CN=nz01"
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [x509.ExtendedKeyUsageOID.CLIENT_AUTH]


def test_private_keys_are_readable_for_their_owner_alone(deployment_keys: Path) -> None:
    private = list(deployment_keys.glob("*/*.key"))
    assert len(private) >= 8
    assert {stat.S_IMODE(file.stat().st_mode) for file in private} == {0o600}


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    assert fourmusts("authority", tmp_path).exit_code == 0
    before = (tmp_path / "ca.key").read_bytes()
    again = fourmusts("authority", tmp_path)
    assert again.exit_code == 1
    assert "exists already and is not overwritten" in again.output
    assert (tmp_path / "ca.key").read_bytes() == before


def test_a_zone_s_key_is_made_once_and_shown_again(tmp_path: Path) -> None:
    first = keys.make_zone_key(tmp_path, "test", "nz01")
    assert keys.make_zone_key(tmp_path, "test", "nz01").verifier == first.verifier
    with pytest.raises(KeyUnusable, match=r"test/nz01, the settings say test/nz02"):
        keys.make_zone_key(tmp_path, "test", "nz02")


@pytest.mark.parametrize("zone", ["hq", "feed", "NZ01", "nz-01", "", "a" * 24, "nz/01"])
def test_a_name_that_cannot_be_a_zone_s_is_refused(tmp_path: Path, zone: str) -> None:
    with pytest.raises(KeyRefused, match="cannot be a zone's id"):
        keys.make_zone_key(tmp_path, "test", zone)
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    keys.make_zone_key(tmp_path, "test", "nz01")
    file = tmp_path / keys.ZONE_KEY
    file.chmod(0o640)
    with pytest.raises(KeyReadable, match=rf"{file}.*mode 0640.*chmod 600"):
        keys.load_signing_key(file)
    shown = fourmusts("show", tmp_path)
    assert shown.exit_code == 1
    assert "chmod 600" in shown.output


def test_a_missing_or_damaged_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing, match="fourmusts keys"):
        keys.load_signing_key(tmp_path / keys.ZONE_KEY)
    damaged = tmp_path / keys.ZONE_KEY
    damaged.write_text("PRIVATE+KEY+nz01+00000000+AAAA\n")
    damaged.chmod(0o600)
    with pytest.raises(KeyUnusable, match=r"zone\.key"):
        keys.load_signing_key(damaged)


def test_without_the_authority_s_key_no_certificate_is_made(tmp_path: Path) -> None:
    result = fourmusts("certificate", tmp_path / "zone", "nz01", "--authority", tmp_path / "nowhere")
    assert result.exit_code == 1
    assert "ca.key" in result.output
    assert not (tmp_path / "zone").exists()


def test_another_authority_s_certificate_is_not_mixed_in(tmp_path: Path) -> None:
    keys.make_authority(tmp_path / "a", "a")
    keys.make_authority(tmp_path / "b", "b")
    keys.make_zone_certificate(tmp_path / "a", tmp_path / "zone", "nz01")
    before = {file: file.read_bytes() for file in (tmp_path / "zone").iterdir()}
    with pytest.raises(KeyRefused, match="another authority"):
        keys.make_zone_certificate(tmp_path / "b", tmp_path / "zone", "nz01")
    assert {file: file.read_bytes() for file in (tmp_path / "zone").iterdir()} == before


def test_a_key_that_could_not_be_written_whole_is_not_in_the_way_of_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(KeyRefused, match="No space"):
        patched.setattr(os, "fsync", full)
        keys.make_zone_key(tmp_path, "test", "nz01")
    assert list(tmp_path.iterdir()) == []
    key = keys.make_zone_key(tmp_path, "test", "nz01")
    assert keys.load_signing_key(tmp_path / keys.ZONE_KEY).verifier == key.verifier


def test_no_key_is_made_beside_a_certificate_that_it_does_not_belong_to(tmp_path: Path) -> None:
    keys.make_authority(tmp_path / "a", "a")
    keys.make_zone_certificate(tmp_path / "a", tmp_path / "zone", "nz01")
    (tmp_path / "zone" / keys.TLS_KEY).unlink()
    with pytest.raises(KeyRefused, match=r"tls\.crt exists already"):
        keys.make_zone_certificate(tmp_path / "a", tmp_path / "zone", "nz01")
    assert not (tmp_path / "zone" / keys.TLS_KEY).exists()


def test_a_certificate_must_have_the_name_of_its_zone(deployment_keys: Path, tmp_path: Path) -> None:
    certificate = deployment_keys / "nz01" / keys.TLS_CERTIFICATE
    assert keys.check_certificate(certificate, "nz01") > "2035"
    with pytest.raises(KeyUnusable, match="certificate of nz01, not of nz02"):
        keys.check_certificate(certificate, "nz02")
    rubbish = tmp_path / "tls.crt"
    rubbish.write_text("rubbish")
    with pytest.raises(KeyUnusable, match=r"tls\.crt.*no certificate"):
        keys.check_certificate(rubbish, "nz01")
    with pytest.raises(KeyMissing):
        keys.check_certificate(tmp_path / "none.crt", "nz01")


def test_the_broker_finds_its_files_from_whatever_directory_it_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    configuration = render(Path("broker"), keys_dir=tmp_path / "keys").read_text()
    named = re.findall(r"^(?:acl_file|cafile|certfile|keyfile|crlfile) (.+)$", configuration, re.MULTILINE)
    assert len(named) == 5 and all(Path(file).is_absolute() for file in named)
