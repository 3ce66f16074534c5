"""``remediate.snapshot/1``: the JSON document of a snapshot, read and written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from remediate.formats.document import (
    By,
    Family,
    Moment,
    Port,
    ProductName,
    Sha256,
    Text,
    Wire,
    check_certificates_present,
    ciphers_of,
    fingerprints_of,
    parse_document,
    read_certificates,
    validate,
    write_certificates,
)
from remediate.model.canonical import document_json, rfc3339, sha256_of
from remediate.model.errors import FormatError
from remediate.model.health import Health, PeerAlarm, UpgradeState
from remediate.model.identity import Address, CipherList, Fingerprint
from remediate.model.snapshot import Alarm, DiscoveryGap, Endpoint, Peer, Preference, Publisher, Snapshot
from remediate.model.toward_nodes import Node
from remediate.model.verdict import Cause

SNAPSHOT_FORMAT: Final = "remediate.snapshot/1"
Count = Annotated[int, Field(strict=True, ge=0)]


class PeerAlarmWire(Wire):
    id: Text
    title: str = ""
    severity: str = ""


class HealthWire(Wire):
    uptime_s: Annotated[float, Field(strict=True, ge=0.0, allow_inf_nan=False)] | None = None
    total_since_start: Count | None = None
    alarms: list[PeerAlarmWire] | None = None
    calls: Count | None = None
    registrations: Count | None = None
    maintenance: bool | None = None
    upgrade: Literal["none", "under-way", "staged"] | None = None
    zones: dict[str, bool] | None = None
    tunnels: dict[str, bool] | None = None
    replication_behind: bool | None = None
    cluster_peers: list[Text] | None = None
    own_address: Text | None = None
    unread: dict[str, str] | None = None


class PeerWire(Wire):
    address: Text
    version: str | None = None
    primary: bool
    trusted_ca: list[Sha256]
    ciphers: dict[str, str]
    verify_origin_server: bool | None = None
    error: str | None = None
    removal: Literal["rest", "person"] | None = None
    rest_port: Port | None = None
    started_at: Moment | None = None
    server_certificate: list[Sha256] | None = None
    client_certificate: list[Sha256] | None = None
    openssl: Literal["1.1.1", "3.x"] | None = None
    health: HealthWire | None = None
    crls: Count | None = None
    revocation_lists: list[Sha256] | None = None
    system_name: str | None = None


class PreferenceWire(Wire):
    client_order: Annotated[bool | None, Field(alias="client-order")] = None
    family: Family | None = None
    measured: dict[str, Family] | None = None


class EndpointWire(Wire):
    address: Text
    port: Port
    product: ProductName
    presented: dict[Family, list[Sha256] | None] | None = None
    preferred: PreferenceWire | None = None
    tls13: bool | None = None
    error: str | None = None
    learned_from: list[str] | None = None
    seen_by: Literal["handshake", "survey", "archive"] | None = None
    guarded: bool | None = None
    service: str | None = None


class PublisherWire(Wire):
    address: Text
    product: ProductName
    refresh: By | None = None
    tls_verify: bool | None = None
    obstacle: str | None = None


class AlarmWire(Wire):
    certificate: Sha256
    message: Text


class DiscoveryGapWire(Wire):
    source: str
    service: str
    kind: str
    incomplete: bool
    message: Text
    names: list[str] = []
    count: Annotated[int, Field(strict=True, ge=0)] = 0


class NodeWire(Wire):
    address: Text
    product: ProductName
    own: dict[str, Sha256 | None] | None = None
    trust: dict[str, list[Sha256] | None] | None = None
    by: Literal["certmgr", "shell"] | None = None
    error: str | None = None


class SnapshotWire(Wire):
    format: str
    cluster: Text
    taken_at: Moment
    peers: list[PeerWire]
    endpoints: list[EndpointWire]
    available_ca: list[Sha256] | None = None
    vouched_for: list[Sha256] | None = None
    certificates: dict[Sha256, str]
    publishers: list[PublisherWire] | None = None
    not_in_use: list[str] | None = None
    not_asked: list[str] | None = None
    undiscovered: list[DiscoveryGapWire] | None = None
    alarms: list[AlarmWire] | None = None
    nodes: list[NodeWire] | None = None
    revocation_lists: dict[Sha256, str] | None = None


def read_snapshot(text: str | bytes) -> Snapshot:
    """Return the snapshot in `text`. Raises FormatError."""
    wire = validate(SnapshotWire, parse_document(text, SNAPSHOT_FORMAT), "snapshot")
    certificates = read_certificates(wire.certificates)
    snapshot = Snapshot(
        cluster=wire.cluster,
        taken_at=wire.taken_at,
        peers=tuple(_read_peer(peer) for peer in wire.peers),
        endpoints=tuple(_read_endpoint(endpoint) for endpoint in wire.endpoints if not endpoint.guarded),
        guarded_endpoints=tuple(_read_endpoint(endpoint) for endpoint in wire.endpoints if endpoint.guarded),
        available_ca=fingerprints_of(wire.available_ca or ()),
        vouched_for=frozenset(fingerprints_of(wire.vouched_for or ())),
        certificates=certificates,
        publishers=tuple(
            Publisher(
                Address(publisher.address),
                publisher.product,
                publisher.refresh or "person",
                publisher.tls_verify,
                publisher.obstacle,
            )
            for publisher in wire.publishers or ()
        ),
        not_in_use=tuple(wire.not_in_use or ()),
        undiscovered=_read_gaps(wire),
        alarms=tuple(Alarm(Fingerprint(alarm.certificate), alarm.message) for alarm in wire.alarms or ()),
        revocation_lists={Fingerprint(key): pem for key, pem in (wire.revocation_lists or {}).items()},
        nodes=tuple(_read_node(node) for node in wire.nodes or ()),
    )
    check_certificates_present("snapshot", _fingerprints_in(snapshot), certificates)
    _check_revocation_lists(snapshot)
    _check_distinct("peer", [str(peer.address) for peer in snapshot.peers])
    _check_distinct("endpoint", [endpoint.name for endpoint in (*snapshot.endpoints, *snapshot.guarded_endpoints)])
    if sum(peer.primary for peer in snapshot.peers) > 1:
        raise FormatError("The snapshot holds more than one primary peer.")
    return snapshot


def write_snapshot(snapshot: Snapshot) -> str:
    """Return the JSON document of `snapshot`."""
    return document_json(
        {
            "format": SNAPSHOT_FORMAT,
            "cluster": snapshot.cluster,
            "taken_at": rfc3339(snapshot.taken_at),
            "peers": [_write_peer(peer) for peer in snapshot.peers],
            "endpoints": [
                *(_write_endpoint(endpoint) for endpoint in snapshot.endpoints),
                *(_write_endpoint(endpoint) | {"guarded": True} for endpoint in snapshot.guarded_endpoints),
            ],
            "available_ca": list(snapshot.available_ca),
            "vouched_for": sorted(snapshot.vouched_for),
            "certificates": write_certificates(snapshot.certificates),
            "publishers": [asdict(publisher) for publisher in snapshot.publishers],
            "not_in_use": list(snapshot.not_in_use),
            # For readers of 0.1.0, which know the sentences alone.
            "not_asked": [gap.message for gap in snapshot.undiscovered],
            "undiscovered": [asdict(gap) for gap in snapshot.undiscovered],
            "alarms": [asdict(alarm) for alarm in snapshot.alarms],
            "revocation_lists": dict(snapshot.revocation_lists),
            "nodes": [_write_node(node) for node in snapshot.nodes],
        }
    )


def _read_node(wire: NodeWire) -> Node:
    return Node(
        Address(wire.address),
        wire.product,
        {service: Fingerprint(fingerprint) for service, fingerprint in (wire.own or {}).items() if fingerprint},
        {service: fingerprints_of(trusted) for service, trusted in (wire.trust or {}).items() if trusted is not None},
        wire.by,
        wire.error,
    )


def _write_node(node: Node) -> dict[str, Any]:
    return {
        "address": node.address,
        "product": node.product,
        "own": dict(node.own),
        "trust": {service: list(trusted) for service, trusted in node.trust.items()},
        "by": node.by,
        "error": node.error,
    }


def _read_peer(wire: PeerWire) -> Peer:
    return Peer(
        address=Address(wire.address),
        version=wire.version,
        primary=wire.primary,
        trusted_ca=fingerprints_of(wire.trusted_ca),
        ciphers=ciphers_of(wire.ciphers),
        verify_origin_server=wire.verify_origin_server,
        error=wire.error,
        removal=wire.removal or "person",
        rest_port=wire.rest_port or 443,
        server_certificate=fingerprints_of(wire.server_certificate) if wire.server_certificate is not None else None,
        client_certificate=fingerprints_of(wire.client_certificate) if wire.client_certificate is not None else None,
        openssl=wire.openssl,
        health=_read_health(wire),
        crls=wire.crls,
        revocation_lists=fingerprints_of(wire.revocation_lists or ()),
        system_name=wire.system_name,
    )


def _write_peer(peer: Peer) -> dict[str, Any]:
    return {
        "address": peer.address,
        "version": peer.version,
        "primary": peer.primary,
        "trusted_ca": list(peer.trusted_ca),
        "ciphers": dict(peer.ciphers),
        "verify_origin_server": peer.verify_origin_server,
        "error": peer.error,
        "removal": peer.removal,
        "rest_port": peer.rest_port,
        "started_at": rfc3339(peer.started_at) if peer.started_at else None,
        "server_certificate": list(peer.server_certificate) if peer.server_certificate is not None else None,
        "client_certificate": list(peer.client_certificate) if peer.client_certificate is not None else None,
        "openssl": peer.openssl,
        "health": write_health(peer.health) if peer.health else None,
        "crls": peer.crls,
        "revocation_lists": list(peer.revocation_lists),
        **({"system_name": peer.system_name} if peer.system_name else {}),
    }


def _read_health(peer: PeerWire) -> Health | None:
    wire = peer.health
    if wire is None:
        return Health(started_at=peer.started_at) if peer.started_at else None
    return Health(
        started_at=peer.started_at,
        uptime_s=wire.uptime_s,
        total_since_start=wire.total_since_start,
        alarms=tuple(PeerAlarm(alarm.id, alarm.title, alarm.severity) for alarm in wire.alarms)
        if wire.alarms is not None
        else None,
        calls=wire.calls,
        registrations=wire.registrations,
        maintenance=wire.maintenance,
        upgrade=UpgradeState(wire.upgrade) if wire.upgrade is not None else None,
        zones=wire.zones,
        tunnels=wire.tunnels,
        replication_behind=wire.replication_behind,
        cluster_peers=tuple(map(Address, wire.cluster_peers)) if wire.cluster_peers is not None else None,
        own_address=Address(wire.own_address) if wire.own_address is not None else None,
        unread=wire.unread,
    )


def write_health(health: Health) -> dict[str, Any]:
    """Return the JSON object of a peer's health. Its ``started_at`` is a member of the peer."""
    return {
        "uptime_s": health.uptime_s,
        "total_since_start": health.total_since_start,
        "alarms": None if health.alarms is None else [asdict(alarm) for alarm in health.alarms],
        "calls": health.calls,
        "registrations": health.registrations,
        "maintenance": health.maintenance,
        "upgrade": health.upgrade.value if health.upgrade else None,
        "zones": None if health.zones is None else dict(health.zones),
        "tunnels": None if health.tunnels is None else dict(health.tunnels),
        "replication_behind": health.replication_behind,
        "cluster_peers": None if health.cluster_peers is None else list(health.cluster_peers),
        "own_address": health.own_address,
        "unread": None if health.unread is None else dict(health.unread),
    }


def _read_endpoint(wire: EndpointWire) -> Endpoint:
    preferred = wire.preferred or PreferenceWire()
    return Endpoint(
        address=Address(wire.address),
        port=wire.port,
        product=wire.product,
        presented={family: fingerprints_of(chain) for family, chain in (wire.presented or {}).items() if chain},
        preferred=Preference(
            preferred.client_order,
            preferred.family,
            {CipherList(ciphers): family for ciphers, family in (preferred.measured or {}).items()},
        ),
        tls13=wire.tls13,
        error=wire.error,
        failure=failure_in(wire.error),
        learned_from=tuple(wire.learned_from or ()),
        seen_by=wire.seen_by or "handshake",
        service=wire.service,
    )


def _write_endpoint(endpoint: Endpoint) -> dict[str, Any]:
    document: dict[str, Any] = {
        "address": endpoint.address,
        "port": endpoint.port,
        "product": endpoint.product,
        "presented": {family: list(chain) for family, chain in endpoint.presented.items()},
        "preferred": {
            "client-order": endpoint.preferred.client_order,
            "family": endpoint.preferred.family,
            "measured": dict(endpoint.preferred.measured),
        },
        "tls13": endpoint.tls13,
        "error": endpoint.error,
        "learned_from": list(endpoint.learned_from),
        "seen_by": endpoint.seen_by,
    }
    return document if endpoint.service is None else document | {"service": endpoint.service}


def failure_in(error: str | None) -> Cause | None:
    """Return the cause in the error of an endpoint that was not observed: the documents hold it as how the text begins."""
    if error is None:
        return None
    return Cause.HANDSHAKE_FAILED if error.startswith(Cause.HANDSHAKE_FAILED) else Cause.UNREACHABLE


def _read_gaps(wire: SnapshotWire) -> tuple[DiscoveryGap, ...]:
    """Return what discovery could not learn. A snapshot of 0.1.0 has sentences alone, each of which may mean a missing endpoint."""
    if wire.undiscovered is None:
        return tuple(
            DiscoveryGap(wire.cluster, "unknown", "not-asked", incomplete=True, message=text) for text in wire.not_asked or ()
        )
    return tuple(read_gap(gap) for gap in wire.undiscovered)


def read_gap(wire: DiscoveryGapWire) -> DiscoveryGap:
    """Return one gap of a snapshot or a plan."""
    return DiscoveryGap(wire.source, wire.service, wire.kind, wire.incomplete, wire.message, tuple(wire.names), wire.count)


def _fingerprints_in(snapshot: Snapshot) -> set[Fingerprint]:
    fingerprints = set(snapshot.available_ca) | snapshot.vouched_for
    for peer in snapshot.peers:
        fingerprints.update((*peer.trusted_ca, *(peer.server_certificate or ()), *(peer.client_certificate or ())))
    for node in snapshot.nodes:
        fingerprints.update((*node.own.values(), *(listed for trusted in node.trust.values() for listed in trusted)))
    for endpoint in (*snapshot.endpoints, *snapshot.guarded_endpoints):
        for chain in endpoint.presented.values():
            fingerprints.update(chain)
    return fingerprints


def _check_revocation_lists(snapshot: Snapshot) -> None:
    mismatched_keys = sorted(key for key, pem in snapshot.revocation_lists.items() if sha256_of(pem) != key)
    if mismatched_keys:
        raise FormatError(f"revocation_lists[{mismatched_keys[0]}] does not match its key.")
    missing = sorted({key for peer in snapshot.peers for key in peer.revocation_lists} - snapshot.revocation_lists.keys())
    if missing:
        raise FormatError(f"The snapshot names {missing[0]}, which is not among its revocation lists.")


def _check_distinct(kind: str, names: Sequence[str]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) != len(names) else []
    if repeated:
        raise FormatError(f"The snapshot holds the {kind} {repeated[0]} more than once.")
