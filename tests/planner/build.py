"""Builders of snapshots for the planner's tests, and readers of plans."""

from __future__ import annotations

from collections.abc import Iterable

from remediate.model.certificate import Certificate
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import Address, CipherList, KeyFamily
from remediate.model.plan import Plan, Unresolved
from remediate.model.snapshot import Endpoint, Peer, Preference, Publisher, RemovalBy, Snapshot
from tests.pki import NOW, Entity
from tests.properties.clusters import DEFAULT_CIPHERS

Shown = tuple[str, int, dict[KeyFamily, list[Entity]]]


def peer(number: int, trusted: Iterable[Entity], ciphers: CipherList = DEFAULT_CIPHERS, removal: RemovalBy = "person") -> Peer:
    """Build peer `number` (1 is the primary) with this trusted CA list."""
    fingerprints = tuple(certificate.certificate.fingerprint for certificate in trusted)
    return Peer(
        Address(f"expc{number}.test"),
        "X14.2.1",
        number == 1,
        fingerprints,
        {REVERSE_PROXY_CIPHERS: ciphers},
        True,
        None,
        removal,
    )


def endpoint(
    address: str,
    port: int = 8443,
    *,
    rsa: list[Entity] | None = None,
    ecdsa: list[Entity] | None = None,
    tls13: bool | None = False,
) -> Endpoint:
    """Build an endpoint that presents these chains and follows the client's order."""
    chains: dict[KeyFamily, list[Entity] | None] = {"rsa": rsa, "ecdsa": ecdsa}
    presented = {
        family: tuple(certificate.certificate.fingerprint for certificate in chain) for family, chain in chains.items() if chain
    }
    return Endpoint(Address(address), port, "cucm", presented, Preference(client_order=True), tls13)


def only_unresolved(plan: Plan) -> Unresolved:
    """Return the one unresolved endpoint of `plan`."""
    [unresolved] = plan.unresolved
    return unresolved


def verified(plan: Plan) -> list[bool]:
    """Return for each pair of endpoint and peer whether it verifies after `plan`."""
    return [forecast.after.ok for forecast in plan.endpoints]


def snapshot(
    peers: list[Peer],
    endpoints: list[Endpoint],
    entities: Iterable[Entity],
    *,
    available: Iterable[Entity] = (),
    vouched: Iterable[Entity] = (),
) -> Snapshot:
    """Build a snapshot; `entities` are all entities whose certificates it names."""
    certificates: list[Certificate] = [entity.certificate for entity in entities]
    return Snapshot(
        cluster="edge",
        taken_at=NOW,
        peers=tuple(peers),
        endpoints=tuple(endpoints),
        available_ca=tuple(entity.certificate.fingerprint for entity in available),
        vouched_for=frozenset(entity.certificate.fingerprint for entity in vouched),
        certificates={certificate.fingerprint: certificate for certificate in certificates},
        publishers=(Publisher(Address("cucmpub.test"), "cucm"),),
    )
