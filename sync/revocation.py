"""Certificates that the broker shall refuse: the authority's revocation list (CRL, RFC 5280)."""

from __future__ import annotations

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

CRL = "ca.crl"
ISSUED = "issued"
"""Directory of the authority: every certificate that it ever signed, for who wants to revoke one that is lost."""
VALID_DAYS = 3650 * 2
"""A list that has run out would shut everyone out; a new one is made at each revocation."""


def revocation_list(
    authority: x509.Certificate, key: ec.EllipticCurvePrivateKey, old: Path, revoked: list[x509.Certificate]
) -> bytes:
    """The list in ``old`` (none is an empty one) and these, as PEM."""
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.subject)
        .last_update(now - datetime.timedelta(hours=1))
        .next_update(now + datetime.timedelta(days=VALID_DAYS))
    )
    known = list(x509.load_pem_x509_crl(old.read_bytes())) if old.exists() else []
    numbers = {one.serial_number for one in known}
    for one in known:
        builder = builder.add_revoked_certificate(one)
    for certificate in revoked:
        if certificate.serial_number not in numbers:
            entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number).revocation_date(now)
            builder = builder.add_revoked_certificate(entry.build())
    number = x509.CRLNumber(len(known) + len(revoked))
    signed = builder.add_extension(number, critical=False).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)
