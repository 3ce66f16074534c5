"""Snapshots for the planner's stories, said in a line each."""

from __future__ import annotations

from collections.abc import Iterable

from remediate.model.certificate import Certificate
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import Address, CipherList, KeyFamily
from remediate.model.snapshot import Endpoint, Peer, Preference, Publisher, RemovalBy, Snapshot
from tests.pki import NOW, Entity
from tests.properties.clusters import DEFAULT_CIPHERS

Shown = tuple[str, int, dict[KeyFamily, list[Entity]]]


def peer(number: int, trusted: Iterable[Entity], ciphers: CipherList = DEFAULT_CIPHERS, removal: RemovalBy = "person") -> Peer:
    """Peer `number` (1 is the primary) with this trusted CA list."""
    listed = tuple(certificate.certificate.fingerprint for certificate in trusted)
    return Peer(
        Address(f"expc{number}.test"), "X14.2.1", number == 1, listed, {REVERSE_PROXY_CIPHERS: ciphers}, True, None, removal
    )


def endpoint(
    address: str,
    port: int = 8443,
    *,
    rsa: list[Entity] | None = None,
    ecdsa: list[Entity] | None = None,
    tls13: bool | None = False,
) -> Endpoint:
    """An endpoint that presents these chains and follows the client's order."""
    shown: dict[KeyFamily, list[Entity] | None] = {"rsa": rsa, "ecdsa": ecdsa}
    presented = {
        family: tuple(certificate.certificate.fingerprint for certificate in chain) for family, chain in shown.items() if chain
    }
    return Endpoint(Address(address), port, "cucm", presented, Preference(client_order=True), tls13)


def snapshot(
    peers: list[Peer],
    endpoints: list[Endpoint],
    known: Iterable[Entity],
    *,
    available: Iterable[Entity] = (),
    vouched: Iterable[Entity] = (),
) -> Snapshot:
    """The snapshot of all that; `known` are the entities whose certificates are named anywhere."""
    certificates: list[Certificate] = [one.certificate for one in known]
    return Snapshot(
        cluster="edge",
        taken_at=NOW,
        peers=tuple(peers),
        endpoints=tuple(endpoints),
        available_ca=tuple(one.certificate.fingerprint for one in available),
        vouched_for=frozenset(one.certificate.fingerprint for one in vouched),
        certificates={certificate.fingerprint: certificate for certificate in certificates},
        publishers=(Publisher(Address("cucmpub.test"), "cucm"),),
    )
