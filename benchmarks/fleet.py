"""Large clusters for the benchmarks: many nodes, few CAs, a long trusted CA list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from remediate.model.certificate import Certificate
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import Address, CipherList
from remediate.model.snapshot import Endpoint, Peer, Preference, Snapshot

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
CIPHERS = CipherList("EECDH:EDH:HIGH:-AES256+SHA:!MEDIUM:!LOW:!3DES:!MD5:!PSK:!eNULL:!aNULL")

KEYS: dict[str, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey] = {
    "rsa": rsa.generate_private_key(65537, 2048),
    "ecdsa": ec.generate_private_key(ec.SECP256R1()),
}


def certificate(
    subject: str,
    issuer: str,
    names: tuple[str, ...] = (),
    *,
    ca: bool = False,
    family: str = "ecdsa",
    signer: str | None = None,
) -> Certificate:
    """Sign a certificate with the one key of the family `signer` (None: its own family); shared keys verify as well."""
    key = KEYS[family]
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=365))
        .not_valid_after(NOW + timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
    return Certificate.from_der(builder.sign(KEYS[signer or family], hashes.SHA256()).public_bytes(Encoding.DER))


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])


def fleet(endpoints: int, certificates: int, listed: int, peers: int = 3) -> Snapshot:
    """Build a cluster with so many endpoints, distinct node certificates and certificates in each peer's list.

    One node in ten is self-signed; the others are signed by one of twenty issuing CAs under two roots, half of which present
    their chain. The last peer's list lacks the roots.
    """
    roots = [certificate(f"Root {number}", f"Root {number}", ca=True) for number in range(2)]
    issuing = [certificate(f"Issuing {number}", f"Root {number % 2}", ca=True) for number in range(20)]
    unrelated = [certificate(f"Unrelated {number}", f"Unrelated {number}", ca=True) for number in range(listed - 2)]
    chains = [_chain(number, issuing) for number in range(certificates)]
    all_certificates = [*roots, *issuing, *unrelated, *(member for chain in chains for member in chain)]
    common = tuple(member.fingerprint for member in unrelated)
    lists = [(*common, *(root.fingerprint for root in roots)) for _ in range(peers - 1)] + [common]
    return Snapshot(
        cluster="bench",
        taken_at=NOW,
        peers=tuple(
            Peer(Address(f"expc{number}.bench"), "X14.2.1", number == 0, trusted, {REVERSE_PROXY_CIPHERS: CIPHERS})
            for number, trusted in enumerate(lists)
        ),
        endpoints=tuple(_endpoint(number, chains[number % certificates]) for number in range(endpoints)),
        available_ca=tuple(member.fingerprint for member in [*roots, *issuing]),
        vouched_for=frozenset(member.fingerprint for member in [*roots, *issuing, *unrelated]),
        certificates={member.fingerprint: member for member in all_certificates},
    )


def unfixable(endpoints: int, listed: int, peers: int = 3) -> Snapshot:
    """Build a cluster whose nodes present their own certificates alone, of a CA that is nowhere."""
    unrelated = [certificate(f"Unrelated {number}", f"Unrelated {number}", ca=True) for number in range(listed)]
    leaves = [certificate(f"node{number}.bench", "Nowhere", (f"*.n{number}.bench",)) for number in range(endpoints)]
    trusted = tuple(member.fingerprint for member in unrelated)
    return Snapshot(
        cluster="bench",
        taken_at=NOW,
        peers=tuple(
            Peer(Address(f"expc{number}.bench"), "X14.2.1", number == 0, trusted, {REVERSE_PROXY_CIPHERS: CIPHERS})
            for number in range(peers)
        ),
        endpoints=tuple(_endpoint(number, (leaf,)) for number, leaf in enumerate(leaves)),
        available_ca=(),
        vouched_for=frozenset(trusted),
        certificates={member.fingerprint: member for member in [*unrelated, *leaves]},
    )


def _chain(number: int, issuing: list[Certificate]) -> tuple[Certificate, ...]:
    subject, names = f"node{number}.bench", (f"*.n{number}.bench",)
    if number % 10 == 0:
        return (certificate(subject, subject, names),)
    above = number % len(issuing)
    own = certificate(subject, f"Issuing {above}", names)
    return (own, issuing[above]) if number % 2 else (own,)


def _endpoint(number: int, chain: tuple[Certificate, ...]) -> Endpoint:
    address = Address(f"e{number}.{chain[0].common_name.replace('node', 'n')}")
    return Endpoint(
        address,
        8443,
        "cucm",
        {"ecdsa": tuple(member.fingerprint for member in chain)},
        Preference(client_order=True),
        tls13=False,
    )
