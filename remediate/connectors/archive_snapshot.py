"""The snapshot of a cluster from the diagnostic archives of its peers, without a network.

An archive has a peer's lists, ciphers and version, and of the nodes what was asked for while its log was written: each certificate
that a TLS 1.2 handshake shows in a capture, which is the one that the peer's cipher list leads to. All else is not observed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from remediate.connectors.expressway.records import Alternates, parse_alternates, parse_cipher_lists, parse_verify_flag
from remediate.model.archived_peer import ArchivedPeer
from remediate.model.canonical import sha256_of
from remediate.model.certificate import Certificate
from remediate.model.errors import RemediateError
from remediate.model.evidence import AnsweredRequest, BadGateway, Evidence, Handshake, LoggedFailure, OpenSSLGeneration
from remediate.model.expressway import GUARDED_PORTS, PRODUCTS_BY_PORT, REVERSE_PROXY_CIPHERS
from remediate.model.identity import FAMILIES, Address, CipherList, EndpointId, Fingerprint, KeyFamily, Product
from remediate.model.snapshot import DiscoveryGap, Endpoint, Peer, Preference, Snapshot
from remediate.model.text import count, first_few

_TRAFFIC_SERVER_PORTS: Final = frozenset({443, 6971, 6972, 8443})
_LEARNED: Final = ("archive",)
_NOT_OBSERVED: Final = "not observed: no handshake in the archives shows its certificate"


@dataclass(frozen=True, slots=True)
class _Member:
    """A peer of an archive, under the address that its cluster gives it; and its OpenSSL, where its log shows that."""

    address: Address
    archived: ArchivedPeer
    openssl: OpenSSLGeneration | None


def make_snapshot(evidence: Evidence, cluster: str | None, now: datetime) -> Snapshot:
    """Return the cluster that the archives in `evidence` show.

    Args:
        evidence: What was gathered from the archives of one cluster.
        cluster: Its name in the inventory; None: the name that the peers have for it.
        now: Where no line and no name of a file has a time.

    Raises:
        RemediateError: There is no archive of a peer among them, or they are of several clusters.
    """
    archived = _latest_of_each(evidence.archived_peers)
    if not archived:
        raise RemediateError(
            "There is no diagnostic archive of a peer: no ca_….pem, xconf_dump_… or xstat_dump_… was found.",
            next_step="Give the archives as the peers made them. `remediate diagnose` reads single logs and captures.",
        )
    alternates = [parse_alternates(peer.settings or {}) for peer in archived]
    names = {view.cluster_name for view in alternates if view.cluster_name}
    if len(names) > 1:
        raise RemediateError(
            f"The archives are of {count(len(names), 'cluster')}: {first_few(sorted(names))}.",
            next_step="Give the archives of one cluster.",
        )
    members = [
        _Member(_find_address(peer, view), peer, evidence.find_openssl(peer.host))
        for peer, view in zip(archived, alternates, strict=True)
    ]
    peers = _make_peers(members, alternates)
    name = cluster or next(iter(names), members[0].archived.host)
    return _build(name, _find_moment(evidence, archived, now), peers, members, evidence)


def _latest_of_each(archived: Iterable[ArchivedPeer]) -> list[ArchivedPeer]:
    """Return one archive for each host: the latest that has its list, else the latest."""
    latest: dict[str, ArchivedPeer] = {}
    for peer in sorted(archived, key=lambda peer: (peer.trusted is not None, str(peer.stamp or ""))):
        latest[peer.host] = peer
    return sorted(latest.values(), key=lambda peer: peer.host)


def _find_address(peer: ArchivedPeer, view: Alternates) -> Address:
    """Return the address of a peer in its cluster's list: that of its interface, or its name; without a list, its name."""
    settings = {path.casefold(): value for path, value in (peer.settings or {}).items()}
    host, domain = settings.get("ip dns hostname", ""), settings.get("ip dns domain name", "")
    name = f"{host}.{domain}" if host and domain else host
    own = [*peer.ip_addresses, name, host, peer.host, settings.get("systemunit name", "")]
    spelled = {address.casefold(): address for address in view.peers}
    listed = next((spelled[text.casefold()] for text in own if text.casefold() in spelled), None)
    alone = view.peers[0] if len(view.peers) == 1 else None
    return listed or alone or Address(name or peer.host)


def _make_peers(members: Sequence[_Member], alternates: Sequence[Alternates]) -> tuple[Peer, ...]:
    """Return the peers with an archive, then those that only the cluster's list names."""
    primary = next((view.primary_address for view in alternates if view.primary_address), None)
    if primary is None and len(members) == 1 and not any(view.peers for view in alternates):
        primary = members[0].address
    observed = {member.address: _make_peer(member, primary=member.address == primary) for member in members}
    alternate_addresses = [address for view in alternates for address in view.peers]
    missing = {
        address: Peer(address, None, address == primary, (), {}, error="not observed: there is no archive of this peer")
        for address in alternate_addresses
        if address not in observed
    }
    order = dict.fromkeys([*(address for address in alternate_addresses), *observed])
    return tuple({**observed, **missing}[address] for address in order)


def _make_peer(member: _Member, *, primary: bool) -> Peer:
    archived = member.archived
    settings = archived.settings or {}
    if archived.trusted is None or archived.settings is None:
        lacking = "trusted CA list" if archived.trusted is None else "configuration"
        error = f"not observed: its archive has no {lacking}; a peer that restarted during logging leaves only the log"
        return Peer(member.address, archived.version, primary, (), {}, error=error)
    return Peer(
        address=member.address,
        version=archived.version,
        primary=primary,
        trusted_ca=tuple(certificate.fingerprint for certificate in archived.trusted),
        ciphers=parse_cipher_lists(settings),
        verify_origin_server=parse_verify_flag(settings),
        server_certificate=_list_fingerprints(archived.server_chain),
        client_certificate=_list_fingerprints(archived.client_chain),
        openssl=member.openssl,
        crls=len(archived.revocation_lists),
        revocation_lists=tuple(Fingerprint(sha256_of(pem)) for pem in archived.revocation_lists),
        system_name=archived.system_name,
    )


def _list_fingerprints(chain: tuple[Certificate, ...] | None) -> tuple[Fingerprint, ...] | None:
    return None if chain is None else tuple(certificate.fingerprint for certificate in chain)


def _group_handshakes(
    evidence: Evidence, members: Sequence[_Member], peers: Sequence[Peer]
) -> dict[EndpointId, list[Handshake]]:
    """Return the handshakes with other systems that show a certificate, by what was asked for."""
    own = {address for member in members for address in (*member.archived.ip_addresses, member.address)}
    own |= {str(peer.address) for peer in peers}
    groups: dict[EndpointId, list[Handshake]] = {}
    for handshake in evidence.handshakes:
        if handshake.chain and handshake.server_ip not in own:
            address = handshake.server_name or handshake.server_ip
            groups.setdefault(EndpointId(Address(address), handshake.port), []).append(handshake)
    return groups


def _make_endpoints(
    evidence: Evidence, handshakes: Mapping[EndpointId, Sequence[Handshake]], peers: Sequence[Peer]
) -> tuple[Endpoint, ...]:
    """Return what clients asked for: with the certificate that a handshake shows, or not observed."""
    products = _guess_products(evidence)
    requests: Iterable[BadGateway | AnsweredRequest] = (*evidence.bad_gateways, *evidence.answered_requests)
    logged = [EndpointId(Address(request.address), request.port) for request in requests]
    logged += [
        EndpointId(Address(failure.address), failure.port)
        for failure in evidence.logged_failures
        if failure.kind in {"chain", "name"} and failure.port is not None
    ]
    ciphers = next((peer.ciphers.get(REVERSE_PROXY_CIPHERS) for peer in peers if peer.error is None), None)
    names = [name for name in dict.fromkeys([*handshakes, *logged]) if name.port in _TRAFFIC_SERVER_PORTS]
    endpoints = []
    for name in sorted(names):
        product = products.get(name.address, "cucm")
        if name in handshakes:
            endpoints.append(_make_endpoint(name, product, handshakes[name], ciphers))
        else:
            unseen = Endpoint(name.address, name.port, product, {}, error=_NOT_OBSERVED)
            endpoints.append(replace(unseen, learned_from=_LEARNED, seen_by="archive"))
    return tuple(endpoints)


def _make_guarded_endpoints(handshakes: Mapping[EndpointId, Sequence[Handshake]]) -> tuple[Endpoint, ...]:
    """Return the endpoints of other services that rely on the list, by their ports."""
    services = {port: (product, service) for product, ports in GUARDED_PORTS.items() for port, (service, _) in ports.items()}
    return tuple(
        replace(_make_endpoint(name, services[name.port][0], handshakes[name], None), service=services[name.port][1])
        for name in sorted(handshakes)
        if name.port in services
    )


def _make_endpoint(
    endpoint: EndpointId, product: Product, handshakes: Sequence[Handshake], ciphers: CipherList | None
) -> Endpoint:
    """Return what an endpoint presented last, of each key family."""
    presented: dict[KeyFamily, tuple[Fingerprint, ...]] = {}
    last: KeyFamily | None = None
    for handshake in sorted(handshakes, key=lambda handshake: str(handshake.last_seen or "")):
        leaf = handshake.chain[0].key_family
        last = next((family for family in FAMILIES if family == leaf), last)
        if last == leaf:
            presented[last] = tuple(certificate.fingerprint for certificate in handshake.chain)
    return Endpoint(
        address=endpoint.address,
        port=endpoint.port,
        product=product,
        presented=presented,
        preferred=Preference(measured={ciphers: last} if ciphers and last else {}),
        error=None if presented else "handshake-failed: the key of its certificate is neither RSA nor ECDSA",
        learned_from=_LEARNED,
        seen_by="archive",
    )


def _guess_products(evidence: Evidence) -> dict[Address, Product]:
    """Return the product of each address that a port gives away: nothing in an archive names it."""
    addresses = [(handshake.server_name or handshake.server_ip, handshake.port) for handshake in evidence.handshakes]
    addresses += [(request.address, request.port) for request in evidence.bad_gateways]
    addresses += [(request.address, request.port) for request in evidence.answered_requests]
    return {Address(address): PRODUCTS_BY_PORT[port] for address, port in addresses if port in PRODUCTS_BY_PORT}


def _find_moment(evidence: Evidence, archived: Iterable[ArchivedPeer], now: datetime) -> datetime:
    """Return when the archives saw something last; else when logging began, as if its time were UTC; else `now`."""
    moments = [handshake.last_seen for handshake in evidence.handshakes if handshake.last_seen]
    lines: list[LoggedFailure | BadGateway | AnsweredRequest] = [
        *evidence.logged_failures, *evidence.bad_gateways, *evidence.answered_requests,
    ]  # fmt: skip
    moments += [line.last_seen.at for line in lines if line.last_seen and line.last_seen.at]
    return max(moments, default=None) or max((peer.stamp for peer in archived if peer.stamp), default=now)


def _build(
    cluster: str, taken_at: datetime, peers: tuple[Peer, ...], members: Sequence[_Member], evidence: Evidence
) -> Snapshot:
    handshakes = _group_handshakes(evidence, members, peers)
    endpoints, guarded = _make_endpoints(evidence, handshakes, peers), _make_guarded_endpoints(handshakes)
    archived = [member.archived for member in members]
    trusted = _index(certificate for peer in archived for certificate in peer.trusted or ())
    own = (certificate for peer in archived for certificate in (*(peer.server_chain or ()), *(peer.client_chain or ())))
    presented_certificates = (
        certificate for group in handshakes.values() for handshake in group for certificate in handshake.chain
    )
    crls = {Fingerprint(sha256_of(pem)): pem for peer in archived for pem in peer.revocation_lists}
    return Snapshot(
        cluster=cluster,
        taken_at=taken_at,
        peers=peers,
        endpoints=endpoints,
        guarded_endpoints=guarded,
        available_ca=tuple(trusted),
        vouched_for=frozenset(trusted),
        certificates={**trusted, **_index(own), **_index(presented_certificates)},
        undiscovered=tuple(_list_gaps(cluster, len(endpoints), evidence)),
        revocation_lists=crls,
    )


def _index(certificates: Iterable[Certificate]) -> dict[Fingerprint, Certificate]:
    return {certificate.fingerprint: certificate for certificate in certificates}


def _list_gaps(cluster: str, endpoints: int, evidence: Evidence) -> Iterable[DiscoveryGap]:
    endpoint_count = count(endpoints, "endpoint")
    yield DiscoveryGap(
        cluster,
        "archive",
        "not-asked",
        incomplete=True,
        message=(
            f"The archives show {endpoint_count} that clients requested while the log was written, each with the one "
            "certificate that the peers' cipher list selects. Other nodes, ports and certificates, publishers, and what the "
            "peers offer over REST are not observed."
        ),
    )
    for source in evidence.unread_sources:
        yield DiscoveryGap(
            source.path, "archive", "not-asked", incomplete=True, message=f"Not read: {source.path}: {source.reason}."
        )
