"""The overview of a cluster's certificates (`remediate.model.certificate_overview`), from a snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from remediate.model.certificate import Certificate
from remediate.model.certificate_overview import (
    CertificateOverview,
    ListDrift,
    ListedCertificate,
    Presentation,
    SharedCommonName,
)
from remediate.model.identity import Fingerprint, PairId
from remediate.model.snapshot import Peer, Snapshot
from remediate.model.verdict import Verdict
from remediate.planner.facts import list_facts
from remediate.planner.solver.candidates import common_name_group
from remediate.trust.guarded_verifier import verify_guarded
from remediate.trust.verifier import ClusterVerifier


def make_overview(snapshot: Snapshot) -> CertificateOverview:
    """Return every certificate of `snapshot`, and what is wrong with the lists that hold them."""
    read_peers = [peer for peer in snapshot.peers if peer.error is None]
    reliance = _find_reliance(snapshot, read_peers)
    presented = _find_presentations(snapshot)
    stores = _find_stores(snapshot)
    facts = list_facts(snapshot.certificates.values(), snapshot)
    certificates = [
        ListedCertificate(
            certificate,
            facts[fingerprint],
            tuple(peer.address for peer in read_peers if fingerprint in peer.trusted_ca),
            tuple(presented.get(fingerprint, ())),
            tuple(dict.fromkeys(reliance.get(certificate, ()))),
            tuple(peer.address for peer in snapshot.peers if fingerprint in (peer.server_certificate or ())),
            tuple(stores.get(fingerprint, ())),
        )
        for fingerprint, certificate in snapshot.certificates.items()
    ]
    return CertificateOverview(
        cluster=snapshot.cluster,
        taken_at=snapshot.taken_at,
        complete=snapshot.complete,
        certificates=tuple(sorted(certificates, key=_order)),
        drift=tuple(_find_drift(read_peers)),
        shared_names=tuple(_find_shared_names(snapshot, read_peers)),
        not_relied_on=tuple(
            certificate.fingerprint
            for certificate in sorted(certificates, key=_order)
            if certificate.lists and not {pair.peer for pair in certificate.relied_on_by} & set(certificate.lists)
        ),
        unread=tuple(peer.address for peer in snapshot.peers if peer.error is not None),
    )


def _order(certificate: ListedCertificate) -> tuple[bool, float, Fingerprint]:
    return certificate.ends is None, certificate.ends.timestamp() if certificate.ends else 0.0, certificate.fingerprint


def _find_reliance(snapshot: Snapshot, peers: Iterable[Peer]) -> Mapping[Certificate, list[PairId]]:
    """Return for each certificate the checks that pass through a chain with it."""
    reliance: dict[Certificate, list[PairId]] = {}
    for pair, verdict in _verify_each_chain(snapshot, peers):
        if verdict.ok:
            for certificate in verdict.built_chain:
                reliance.setdefault(certificate, []).append(pair)
    return reliance


def _verify_each_chain(snapshot: Snapshot, peers: Iterable[Peer]) -> Iterator[tuple[PairId, Verdict]]:
    """Yield the verdict on each chain that an endpoint may present to a peer, those of other services last."""
    cluster = ClusterVerifier(snapshot)
    observed = [endpoint for endpoint in snapshot.endpoints if endpoint.error is None]
    for peer in peers:
        verifier = cluster.verifier_at(peer)
        for endpoint in observed:
            for family in verifier.families(endpoint):
                yield PairId(peer.address, endpoint.id), verifier.verify_family(endpoint, family)
    for guarded in verify_guarded(snapshot):
        yield PairId(guarded.peer, guarded.endpoint.id), guarded.verdict


def _find_stores(snapshot: Snapshot) -> Mapping[Fingerprint, list[str]]:
    """Return for each certificate the stores of nodes that hold it."""
    stores: dict[Fingerprint, list[str]] = {}
    for node in snapshot.nodes:
        for service, fingerprint in node.own.items():
            stores.setdefault(fingerprint, []).append(f"{node.address} {service}")
        for service, trusted in node.trust.items():
            for fingerprint in trusted:
                stores.setdefault(fingerprint, []).append(f"{node.address} {service}-trust")
    return stores


def _find_presentations(snapshot: Snapshot) -> Mapping[Fingerprint, list[Presentation]]:
    presented: dict[Fingerprint, list[Presentation]] = {}
    for endpoint in (*snapshot.endpoints, *snapshot.guarded_endpoints):
        for family, chain in endpoint.presented.items():
            for depth, fingerprint in enumerate(chain):
                presented.setdefault(fingerprint, []).append(Presentation(endpoint.id, family, depth))
    return presented


def _find_drift(peers: list[Peer]) -> Iterator[ListDrift]:
    for fingerprint in dict.fromkeys(fingerprint for peer in peers for fingerprint in peer.trusted_ca):
        held_by = tuple(peer.address for peer in peers if fingerprint in peer.trusted_ca)
        if len(held_by) < len(peers):
            missing_on = tuple(peer.address for peer in peers if peer.address not in held_by)
            yield ListDrift(fingerprint, held_by, missing_on)


def _find_shared_names(snapshot: Snapshot, peers: Iterable[Peer]) -> Iterator[SharedCommonName]:
    for peer in peers:
        groups: dict[str, list[Certificate]] = {}
        for certificate in snapshot.resolve(dict.fromkeys(peer.trusted_ca)):
            if certificate.common_name:
                groups.setdefault(common_name_group(certificate), []).append(certificate)
        for sharing in groups.values():
            if len(sharing) > 1:
                fingerprints = tuple(certificate.fingerprint for certificate in sharing)
                yield SharedCommonName(peer.address, sharing[0].common_name, fingerprints)
