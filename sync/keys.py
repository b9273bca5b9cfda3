"""Keys and certificates: made here, kept in one directory for each machine, private ones readable by nobody else.

============  =========================================  ==============================================
directory     files                                      its loss
============  =========================================  ==============================================
authority     ca.crt, ca.key, ca.crl, issued/            no new zone can be added; keep it off servers
broker        ca.crt, broker.crt, broker.key, ca.crl     make it anew with the authority
headquarters  ca.crt, tls.crt, tls.key, headquarters.key zones must be told the new verifier key
zone          ca.crt, tls.crt, tls.key, zone.key         headquarters must enrol the new zone.key
============  =========================================  ==============================================

``zone.key`` and ``headquarters.key`` sign checkpoints; they never leave the machine that they were made on.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .durable import sync_directory
from .errors import BadNote, KeyMissing, KeyReadable, KeyUnusable, SyncError
from .note import KeyType, SigningKey
from .revocation import CRL, ISSUED, revocation_list

CA_CERTIFICATE, CA_KEY = "ca.crt", "ca.key"
BROKER_CERTIFICATE, BROKER_KEY = "broker.crt", "broker.key"
TLS_CERTIFICATE, TLS_KEY = "tls.crt", "tls.key"
ZONE_KEY, HEADQUARTERS_KEY = "zone.key", "headquarters.key"

HEADQUARTERS_NAME = "hq"
"""Headquarters' client id, user name and certificate name at the broker."""
FEED_NAME = "feed"
"""Name of the reader of the feed."""
RESERVED_NAMES = (HEADQUARTERS_NAME, FEED_NAME)
"""Words that stand where a zone's id stands in a topic."""
AUTHORITY_DAYS = 3650 * 2
CERTIFICATE_DAYS = 3650
_ZONE = re.compile(r"[0-9a-z]{1,23}")
_PRIVATE_MODE = 0o600


class KeyRefused(SyncError):
    """A key that is not made, because something is in the way; nothing was changed."""


@dataclass(frozen=True, slots=True)
class _Issued:
    certificate: bytes
    key: bytes


def make_authority(directory: Path, name: str) -> None:
    """Make the authority that signs every certificate of a deployment. Raises ``KeyRefused`` if there is one."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} authority")])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        _certificate(subject, subject, key.public_key(), AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    _write_pair(directory / CA_CERTIFICATE, directory / CA_KEY, _Issued(_pem(certificate), _private_pem(key)))
    _replace(directory / CRL, revocation_list(certificate, key, directory / CRL, []))


def make_broker(authority: Path, directory: Path, hosts: Sequence[str]) -> None:
    """Make the broker's server certificate for these host names and addresses."""
    if not hosts:
        raise KeyRefused("a broker's certificate needs the names under which it is reached; add --host NAME")
    names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
    issued = _issue(authority, hosts[0], ExtendedKeyUsageOID.SERVER_AUTH, names)
    _copy_authority(authority, directory)
    _write_pair(directory / BROKER_CERTIFICATE, directory / BROKER_KEY, issued)
    _replace(directory / CRL, _present_list(authority))


def revoke(authority: Path, name: str) -> int:
    """Revoke every certificate that was ever issued to ``name``; how many. The broker needs the new ``ca.crl``.

    Raises ``KeyRefused`` if none is known.
    """
    ca_certificate, ca_key = _load_authority(authority)
    files = sorted((authority / ISSUED).glob(f"{name}-*.crt"))
    found = [x509.load_pem_x509_certificate(file.read_bytes()) for file in files]
    if not found:
        raise KeyRefused(
            f"{authority / ISSUED}: no certificate of {name} is known here; each file there begins with its name"
        )
    _replace(authority / CRL, revocation_list(ca_certificate, ca_key, authority / CRL, found))
    return len(found)


def copy_list(authority: Path, broker: Path) -> None:
    """Give the broker the present revocation list; it reads it when it starts."""
    if not (broker / BROKER_CERTIFICATE).exists():
        raise KeyMissing(broker / BROKER_CERTIFICATE, "give the directory that fourmusts keys broker made")
    _replace(broker / CRL, _present_list(authority))


def make_headquarters(authority: Path, directory: Path, deployment: str) -> SigningKey:
    """Make headquarters' certificate for the broker and the key with which it cosigns; that key is returned."""
    _make_client(authority, directory, HEADQUARTERS_NAME)
    return make_signing_key(directory / HEADQUARTERS_KEY, f"{deployment}/{HEADQUARTERS_NAME}", KeyType.COSIGNATURE)


def make_zone_certificate(authority: Path, directory: Path, zone: str) -> None:
    """Make the certificate with which a zone shows itself to the broker: its common name is the zone's id."""
    check_zone_name(zone)
    _make_client(authority, directory, zone)


def make_reader(authority: Path, directory: Path) -> None:
    """Make the certificate of the one who may read the feed for other systems, and nothing else."""
    _make_client(authority, directory, FEED_NAME)


def make_zone_key(directory: Path, deployment: str, zone: str) -> SigningKey:
    """The key with which a zone signs its ledger, made on its own board; the one that is there, if there is one.

    Its verifier key (``str(key.verifier)``) is what headquarters pins at enrolment.
    """
    check_zone_name(zone)
    file = directory / ZONE_KEY
    if file.exists():
        key = load_signing_key(file)
        if key.verifier.name != f"{deployment}/{zone}":
            what = f"it is the key of {key.verifier.name}, the settings say {deployment}/{zone}"
            raise KeyUnusable(file, what)
        return key
    return make_signing_key(file, f"{deployment}/{zone}", KeyType.NOTE)


def make_signing_key(file: Path, name: str, type_: KeyType) -> SigningKey:
    """Make and keep an Ed25519 note key. Raises ``KeyRefused`` if the file is there."""
    key = SigningKey.generate(name, type_)
    _write(file, f"{key.encode()}\n".encode(), private=True)
    return key


def load_signing_key(file: Path) -> SigningKey:
    """Raises ``KeyMissing``, ``KeyReadable`` (others may read it) or ``KeyUnusable``."""
    check_private(file)
    try:
        return SigningKey.parse(file.read_text())
    except (BadNote, UnicodeDecodeError) as error:
        raise KeyUnusable(file, str(error)) from error


def check_private(file: Path) -> None:
    """Refuse a private key that is missing, that we may not read or that others may read."""
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode & 0o7777
    except FileNotFoundError:
        raise KeyMissing(file, "make it with fourmusts keys, or correct its path in the settings") from None
    except OSError as error:
        what = f"it cannot be read ({error.strerror}): it must belong to the user that runs this (chown)"
        raise KeyUnusable(file, what) from error
    if mode & 0o077:
        raise KeyReadable(file, mode)


def check_certificate(file: Path, name: str | None) -> str:
    """When a client's certificate ends (a date). Raises ``KeyMissing``; ``KeyUnusable`` if it is not ``name``'s.

    A broker takes another's certificate without a word, and then delivers nothing.
    """
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
    except FileNotFoundError:
        raise KeyMissing(file, "make it with fourmusts keys, or correct its path in the settings") from None
    except (OSError, ValueError) as error:
        raise KeyUnusable(file, f"it is no certificate that can be read ({error})") from error
    names = [str(found.value) for found in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if name is not None and names != [name]:
        raise KeyUnusable(file, f"it is the certificate of {', '.join(names) or 'nobody'}, not of {name}")
    return certificate.not_valid_after_utc.date().isoformat()


def check_zone_name(zone: str) -> None:
    if not _ZONE.fullmatch(zone) or zone in RESERVED_NAMES:
        raise KeyRefused(
            f"{zone!r} cannot be a zone's id: 1 to 23 of 0-9 and a-z, and not {' or '.join(RESERVED_NAMES)}"
        )


def describe(directory: Path) -> list[tuple[str, str]]:
    """(file, what it is) of every key and certificate in a directory; private keys show their public half only."""
    found: list[tuple[str, str]] = []
    for file in sorted(directory.iterdir()):
        if file.suffix == ".crt":
            certificate = x509.load_pem_x509_certificate(file.read_bytes())
            names = ", ".join(_names_of(certificate))
            until = certificate.not_valid_after_utc.date().isoformat()
            found.append((file.name, f"certificate of {names}, valid until {until}"))
        elif file.name.startswith((ZONE_KEY, HEADQUARTERS_KEY)):  # .next and .previous too
            found.append((file.name, f"verifier key {load_signing_key(file).verifier}"))
        elif file.suffix == ".key":
            check_private(file)
            found.append((file.name, "private key"))
    return found


def _make_client(authority: Path, directory: Path, name: str) -> None:
    issued = _issue(authority, name, ExtendedKeyUsageOID.CLIENT_AUTH)
    _copy_authority(authority, directory)
    _write_pair(directory / TLS_CERTIFICATE, directory / TLS_KEY, issued)


def _issue(
    authority: Path,
    name: str,
    usage: x509.ObjectIdentifier,
    names: x509.SubjectAlternativeName | None = None,
) -> _Issued:
    ca_certificate, ca_key = _load_authority(authority)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        _certificate(subject, ca_certificate.subject, key.public_key(), CERTIFICATE_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
    )
    if names is not None:
        builder = builder.add_extension(names, critical=False)
    certificate = builder.sign(ca_key, hashes.SHA256())
    # Before anybody has it: what is not known here could not be revoked.
    _write(authority / ISSUED / f"{name}-{certificate.serial_number:x}.crt", _pem(certificate), private=False)
    return _Issued(_pem(certificate), _private_pem(key))


def _present_list(authority: Path) -> bytes:
    """The authority's revocation list; an empty one where an older version made the authority without."""
    if not (authority / CRL).exists():
        _replace(authority / CRL, revocation_list(*_load_authority(authority), authority / CRL, []))
    return (authority / CRL).read_bytes()


def _load_authority(authority: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    check_private(authority / CA_KEY)
    try:
        certificate = x509.load_pem_x509_certificate((authority / CA_CERTIFICATE).read_bytes())
        key = serialization.load_pem_private_key((authority / CA_KEY).read_bytes(), None)
    except FileNotFoundError as error:
        raise KeyMissing(authority / CA_CERTIFICATE, "make it with fourmusts keys authority") from error
    except (ValueError, TypeError) as error:
        raise KeyUnusable(authority / CA_KEY, str(error)) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise KeyUnusable(authority / CA_KEY, "it is not a P-256 key")
    return certificate, key


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    # An hour of grace: a board without a clock battery may be behind when it is enrolled.
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _names_of(certificate: x509.Certificate) -> list[str]:
    attributes = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    names = [str(attribute.value) for attribute in attributes]
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return names
    return list(dict.fromkeys([*names, *(str(name.value) for name in alternatives)]))


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_pair(certificate: Path, key: Path, issued: _Issued) -> None:
    for file in (certificate, key):
        if file.exists():
            raise _exists(file)
    _write(key, issued.key, private=True)
    _write(certificate, issued.certificate, private=False)


def _copy_authority(authority: Path, directory: Path) -> None:
    """Everyone needs the authority's certificate to know the others; its key stays where it is."""
    source, copy = authority / CA_CERTIFICATE, directory / CA_CERTIFICATE
    if not copy.exists():
        _write(copy, source.read_bytes(), private=False)
    elif copy.read_bytes() != source.read_bytes():
        raise KeyRefused(f"{copy} is another authority's certificate; choose another directory or remove it")


def _write(file: Path, content: bytes, *, private: bool) -> None:
    """Never over an existing file: a key that is overwritten is lost with everything that trusts it.

    Order: written whole and synced under another name, then linked to its own, which fails if that is taken. So
    a full disk or a power cut leaves no half key in the way of the next attempt.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    mode = _PRIVATE_MODE if private else 0o644
    growing = file.with_name(f".{file.name}.new")
    growing.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(growing, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as opened:
            os.fchmod(opened.fileno(), mode)
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        os.link(growing, file)
    except FileExistsError:
        raise _exists(file) from None
    except OSError as error:
        raise KeyRefused(f"{file} could not be written: {error}; mend that and run the command again") from error
    finally:
        growing.unlink(missing_ok=True)
    sync_directory(file.parent)


def _replace(file: Path, content: bytes) -> None:
    """For what is public and may be made anew."""
    growing = file.with_name(f".{file.name}.new")
    growing.write_bytes(content)
    growing.chmod(0o644)
    growing.replace(file)


def _exists(file: Path) -> KeyRefused:
    return KeyRefused(f"{file} exists already and is not overwritten; move it away if it is to be replaced")
