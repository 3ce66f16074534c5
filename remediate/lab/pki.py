"""Keys and certificates of a scenario, made once per process, since an RSA key takes about 0.1 s."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from remediate.lab.scenario import AuthoritySpec, CertificateSpec, NodeSpec, PeerUsage, Scenario, ServiceSpec
from remediate.lab.scenarios import scenario_named
from remediate.lab.scenarios.parts import PEERS
from remediate.model.certificate import Certificate
from remediate.model.identity import KeyFamily

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_LOCK = threading.Lock()
_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Identity:
    """Certificate, its private key, and the certificates that its server sends after it."""

    certificate: Certificate
    key: Key
    sends: tuple[Certificate, ...] = ()

    @property
    def chain(self) -> tuple[Certificate, ...]:
        """What its server presents, leaf first."""
        return (self.certificate, *self.sends)

    @property
    def pem_with_key(self) -> str:
        """Chain and unencrypted private key, as an `ssl.SSLContext` loads them."""
        key = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return "".join(certificate.pem for certificate in self.chain) + key.decode()


@dataclass(frozen=True, slots=True)
class Pki:
    """Identities of a scenario by id: an authority's id, or ``address/service/family``."""

    identities: Mapping[str, Identity]

    def certificate(self, name: str) -> Certificate:
        """Return the certificate with this id; ``peers`` is the authority that signs those of the peers."""
        return peer_authority().certificate if name == PEERS else self.identities[name].certificate

    def of_service(self, node: NodeSpec, service: ServiceSpec) -> dict[KeyFamily, Identity]:
        """Return what one service of a node presents, by key family."""
        return {spec.family: self.identities[f"{node.address}/{service.name}/{spec.family}"] for spec in service.certificates}


def make_pki(scenario: str) -> Pki:
    """Return the PKI of the scenario of this name, the same within one process."""
    with _LOCK:
        return _make(scenario)


def issue_for_peer(name: str, address: str, usage: PeerUsage = "any") -> Identity:
    """Return a new certificate for a peer, signed by the lab's own authority for peers (`peer_authority`)."""
    key = _key("ecdsa", "peer")
    names: list[x509.GeneralName] = [x509.DNSName(name), x509.IPAddress(ip_address(address))]
    builder = _builder(_name(name), key).add_extension(x509.SubjectAlternativeName(names), critical=False)
    if usage == "server-only":
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return Identity(_signed(builder, peer_authority()), key)


def issue_impostor(certificate: Certificate) -> Identity:
    """Return a self-signed identity with the subject and the names of `certificate`, and a new key of the same family."""
    genuine = x509.load_der_x509_certificate(certificate.der)
    key = _key("rsa" if certificate.key_family == "rsa" else "ecdsa", f"in the middle of {certificate.fingerprint}")
    names = genuine.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    builder = _builder(genuine.subject, key).add_extension(names, critical=False)
    return Identity(_self_signed(builder, genuine.subject, key), key)


@cache
def peer_authority() -> Identity:
    """Return the authority that signs the peers' web certificates, and no node's."""
    return _authority(AuthoritySpec("peer-authority", "Lab Expressway CA"), {}, "ecdsa")


@cache
def bystanders(count: int) -> tuple[Certificate, ...]:
    """Return so many root CAs that nothing in any scenario needs, as a list that has grown over years holds them."""
    key = _key("ecdsa", "bystanders")
    subjects = [_name(f"Bystander Root CA {number}") for number in range(1, count + 1)]
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    builders = [_builder(subject, key).add_extension(constraints, critical=True) for subject in subjects]
    return tuple(_self_signed(builder, subject, key) for builder, subject in zip(builders, subjects, strict=True))


@cache
def revocation_list() -> str:
    """Return a CRL as PEM: that of the authority of the peers, with nothing in it."""
    authority = peer_authority()
    now = datetime.now(UTC)
    subject = x509.load_der_x509_certificate(authority.certificate.der).subject
    builder = x509.CertificateRevocationListBuilder().issuer_name(subject).last_update(now).next_update(now + _YEAR)
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@cache
def _make(name: str) -> Pki:
    scenario = scenario_named(name)
    identities: dict[str, Identity] = {}
    for authority in scenario.authorities:
        identities[authority.id] = _authority(authority, identities, "rsa")
    for identity, spec in _certificates_of(scenario):
        identities[identity] = _server(spec, identity, identities)
    return Pki(identities)


def _certificates_of(scenario: Scenario) -> list[tuple[str, CertificateSpec]]:
    return [
        (f"{node.address}/{service.name}/{spec.family}", spec)
        for node in scenario.nodes
        for service in node.services
        for spec in service.certificates
    ]


def _authority(spec: AuthoritySpec, identities: Mapping[str, Identity], family: KeyFamily) -> Identity:
    key = _key(family, f"authority {spec.key_of or spec.id}")
    begin, end = (-3 * _YEAR, -_YEAR) if spec.expired else (-_YEAR, 9 * _YEAR)
    builder = _builder(_name(spec.common_name), key, begin, end)
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(usage, critical=True)
    if spec.issuer:
        return Identity(_signed(builder, identities[spec.issuer]), key)
    return Identity(_self_signed(builder, _name(spec.common_name), key), key)


def _server(spec: CertificateSpec, identity: str, identities: Mapping[str, Identity]) -> Identity:
    # CUCM 14's certificate reuse: a service that asks for exactly what the node already has gets the same certificate.
    address = identity.partition("/")[0]
    key = _key(spec.family, f"{address} {spec}")
    reused = next((identity for identity in identities.values() if identity.key is key), None)
    if reused:
        return reused
    names = x509.SubjectAlternativeName([x509.DNSName(name) for name in spec.names])
    builder = _builder(_name(spec.common_name), key, -timedelta(days=30), 4 * _YEAR).add_extension(names, critical=False)
    if spec.issuer:
        return Identity(
            _signed(builder, identities[spec.issuer]), key, tuple(identities[name].certificate for name in spec.sends)
        )
    return Identity(_self_signed(builder, _name(spec.common_name), key), key)


@cache
def _key(family: KeyFamily, owner: str) -> Key:
    """Return the key of an owner, the same within one process for all scenarios."""
    del owner
    if family == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Steven Lab"), x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    )


def _builder(
    subject: x509.Name, key: Key, begin: timedelta = -timedelta(days=30), end: timedelta = 4 * _YEAR
) -> x509.CertificateBuilder:
    now = datetime.now(UTC).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begin)
        .not_valid_after(now + end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _signed(builder: x509.CertificateBuilder, issuer: Identity) -> Certificate:
    parent = x509.load_der_x509_certificate(issuer.certificate.der)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
    return _sign(builder.issuer_name(parent.subject).add_extension(identifier, critical=False), issuer.key)


def _self_signed(builder: x509.CertificateBuilder, subject: x509.Name, key: Key) -> Certificate:
    return _sign(builder.issuer_name(subject), key)


def _sign(builder: x509.CertificateBuilder, key: Key) -> Certificate:
    return Certificate.from_der(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))
