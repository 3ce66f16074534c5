"""Certificates for tests, forged quickly and for real: ECDSA keys by default, RSA where the family matters."""

from __future__ import annotations

import itertools
import warnings
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID
from OpenSSL import crypto

from remediate.model.certificate import Certificate

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
YEAR = timedelta(days=365)

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_serials = itertools.count(1000)


@cache
def key(name: str, family: str = "ecdsa") -> Key:
    """The key called `name`: the same one for the same name within a test run."""
    del name
    return ec.generate_private_key(ec.SECP256R1()) if family == "ecdsa" else rsa.generate_private_key(65537, 2048)


@dataclass(frozen=True)
class Entity:
    """A certificate with the key behind it, so that it can sign others."""

    certificate: Certificate
    private_key: Key
    name: x509.Name


def name(common_name: str | None, organization: str = "Lab") -> x509.Name:
    """A subject with this common name (None: without one)."""
    attributes = [x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, organization)]
    if common_name is not None:
        attributes.append(x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name))
    return x509.Name(attributes)


def revoke_nothing(issuer: Entity) -> x509.CertificateRevocationList:
    """A CRL of this issuer, with nothing in it."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.name).last_update(NOW).next_update(NOW + YEAR)
    return builder.sign(issuer.private_key, hashes.SHA256())


def issue(
    common_name: str | None,
    issuer: Entity | None = None,
    *,
    ca: bool = False,
    names: tuple[str, ...] = (),
    starts: timedelta = -YEAR,
    lasts: timedelta = 2 * YEAR,
    key_name: str | None = None,
    family: str = "ecdsa",
    organization: str = "Lab",
    key_ids: bool = True,
    usage: tuple[x509.ObjectIdentifier, ...] = (),
    issuer_urls: tuple[str, ...] = (),
) -> Entity:
    """A certificate issued by `issuer` (None: self-signed), valid from NOW + `starts` for `lasts`."""
    subject, private = name(common_name, organization), key(key_name or f"{common_name}/{organization}", family)
    signer = issuer or Entity(Certificate(b""), private, subject)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.name)
        .public_key(private.public_key())
        .serial_number(next(_serials))
        .not_valid_before(NOW + starts)
        .not_valid_after(NOW + starts + lasts)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
    if issuer_urls:
        method = AuthorityInformationAccessOID.CA_ISSUERS
        places = [x509.AccessDescription(method, x509.UniformResourceIdentifier(url)) for url in issuer_urls]
        builder = builder.add_extension(x509.AuthorityInformationAccess(places), critical=False)
    if key_ids:
        own, above = private.public_key(), signer.private_key.public_key()
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(own), critical=False)
        if issuer:
            builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above), critical=False)
    signed = builder.sign(signer.private_key, hashes.SHA256())
    return Entity(Certificate.from_der(signed.public_bytes(Encoding.DER)), private, subject)


def signed_with_sha1(entity: Entity, signer: Entity) -> Entity:
    """`entity`, signed again as in the old days; its `signer` has an RSA key."""
    assert isinstance(signer.private_key, rsa.RSAPrivateKey)
    signed = crypto.X509.from_cryptography(x509.load_der_x509_certificate(entity.certificate.der))
    with warnings.catch_warnings():
        # What is to be used instead refuses SHA-1.
        warnings.filterwarnings("ignore", "X509.sign is deprecated")
        signed.sign(crypto.PKey.from_cryptography_key(signer.private_key), "sha1")
    return replace(entity, certificate=Certificate.from_der(crypto.dump_certificate(crypto.FILETYPE_ASN1, signed)))
