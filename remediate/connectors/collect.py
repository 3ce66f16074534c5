"""The collection of a Snapshot: the peers, then the nodes that they send clients to, then what each endpoint presents.

Reading writes nothing: the peers are opened without the right to. The probe runs from this machine; where certificate management shows
a node's own certificates over a verified channel, the two are compared (`tls.mitm_check`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from remediate.connectors.authorities import read_authorities
from remediate.connectors.expressway.cluster import ClusterPeers
from remediate.connectors.expressway.reading import PeerReading, read_cluster, read_opened
from remediate.connectors.expressway.records import PublisherRecord
from remediate.connectors.gaps import MAX_SHOWN_NAMES
from remediate.connectors.tls.mitm_check import find_mitm_alarms
from remediate.connectors.tls.probe import probe
from remediate.connectors.tls.survey import survey
from remediate.connectors.tls.target import Observation, Target
from remediate.connectors.unified_cm.discovery import DiscoveryResult, discover
from remediate.connectors.unified_cm.node import NodeCertificates
from remediate.model.access import ClusterAccess
from remediate.model.canonical import sha256_of, utc_now
from remediate.model.certificate import Certificate
from remediate.model.errors import CertificateError, InventoryError
from remediate.model.events import Event, Sink, silent
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import CipherList, Fingerprint
from remediate.model.limits import Limits
from remediate.model.masking import mask
from remediate.model.snapshot import DiscoveryGap, Endpoint, Publisher, RefreshBy, Snapshot
from remediate.model.text import count, first_few
from remediate.model.toward_nodes import Node

_SURVEY = (
    "Each endpoint was probed with a single ClientHello (--survey): it is not known whether it has the key of its "
    "certificate, or another certificate."
)


def collect(
    cluster: ClusterAccess,
    *,
    limits: Limits = Limits(),
    sink: Sink = silent,
    now: Callable[[], datetime] = utc_now,
    fast: bool = False,
    opened: ClusterPeers | None = None,
    is_last: bool = False,
) -> Snapshot:
    """Return the present state of a cluster. What cannot be read is in the snapshot with its error, and makes it incomplete.

    Args:
        cluster: The cluster, with its logins.
        limits: Timeouts and numbers of connections.
        sink: Receives the events.
        now: The clock.
        fast: Look at each endpoint with one handshake alone, a survey.
        opened: Sessions with the peers to look over, and to leave open. What was read over them last counts as read now.
        is_last: This is the last of two looks over `opened`: lists, cipher lists, members and publishers are read again, and nothing
            else, which a run does not change.

    Raises:
        LoginRefused: At once; no other login of this cluster is tried.
        PinMismatch, AccessError: A peer must not be used any further.
        InventoryError: A secret or a CA file of the inventory cannot be read.
    """
    emit = _EventEmitter(cluster.name, sink)
    operator_ca = _read_operator_ca(cluster, emit)
    emit("observe-start", f"Reading the peers of {cluster.name}.", what="peers", total=len(cluster.peers))
    peers, readings = read_cluster(cluster, limits, opened, is_last=is_last)
    for reading in readings:
        _emit_read(emit, reading)
    gaps = _GapCollector(emit, [*peers.undiscovered, *_make_shell_gaps(cluster, peers)])
    publishers = _merge_publishers(readings, cluster, limits, gaps)
    authorities = (*operator_ca, *_list_trusted(readings))
    discovered = discover(cluster, publishers, authorities, limits, gaps.report, _list_own(readings))
    emit(
        "observe-start",
        f"Probing {len(discovered.targets)} endpoints, and {len(discovered.guarded)} of other services.",
        what="endpoints",
        total=len(discovered.targets) + len(discovered.guarded),
    )

    def report_probed(target: Target, observation: Observation) -> None:
        _emit_probed(emit, target, observation)

    lists = _list_reverse_proxy_ciphers(readings)
    if fast:
        observations = survey(discovered.targets, next(iter(lists), None), limits, report_probed)
        guarded = survey(discovered.guarded, None, limits, report_probed)
    else:
        observations = probe(discovered.targets, lists, limits, report_probed)
        guarded = probe(discovered.guarded, (), limits, report_probed)
    probed = _Probed(discovered, observations, guarded)
    alarms = tuple(find_mitm_alarms(probed.pairs, discovered.own_certificates))
    for alarm in alarms:
        emit("alarm", f"ALARM: {alarm.message}", certificate=alarm.certificate)
    snapshot = _build_snapshot(cluster, now(), readings, publishers, probed, operator_ca)
    if fast:
        snapshot = _mark_as_survey(snapshot)
        gaps.report(DiscoveryGap(cluster.name, "cluster", "survey", incomplete=True, message=_SURVEY))
    for gap in _make_hearsay_gaps(discovered, observations):
        gaps.report(gap)
    disputed = {alarm.certificate for alarm in alarms}
    return _mask_sentences(
        replace(snapshot, vouched_for=snapshot.vouched_for - disputed, undiscovered=tuple(gaps.gaps), alarms=alarms)
    )


def collect_nodes(cluster: ClusterAccess, *, limits: Limits, opened: ClusterPeers) -> Snapshot:
    """Return the peers of `opened` and what the nodes' certificate management shows, without a look at any endpoint.

    Raises:
        LoginRefused: At once; no other login of this cluster is tried.
        PinMismatch, AccessError: A peer must not be used any further.
        InventoryError: A CA file of the inventory cannot be read.
    """
    emit = _EventEmitter(cluster.name, silent)
    operator_ca = _read_operator_ca(cluster, emit)
    readings = read_opened(opened)
    gaps = _GapCollector(emit, [])
    publishers = _merge_publishers(readings, cluster, limits, gaps)
    authorities = (*operator_ca, *_list_trusted(readings))
    discovered = discover(cluster, publishers, authorities, limits, gaps.report, _list_own(readings))
    unprobed = _Probed(replace(discovered, targets=(), guarded=()), (), ())
    snapshot = _build_snapshot(cluster, utc_now(), readings, publishers, unprobed, operator_ca)
    return _mask_sentences(replace(snapshot, undiscovered=tuple(gaps.gaps)))


@dataclass(frozen=True, slots=True)
class _Probed:
    """What the probe observed, each target of `discovered` beside its observation."""

    discovered: DiscoveryResult
    observations: tuple[Observation, ...]
    guarded: tuple[Observation, ...]

    @property
    def endpoints(self) -> tuple[tuple[Target, Observation], ...]:
        return tuple(zip(self.discovered.targets, self.observations, strict=True))

    @property
    def guarded_endpoints(self) -> tuple[tuple[Target, Observation], ...]:
        return tuple(zip(self.discovered.guarded, self.guarded, strict=True))

    @property
    def pairs(self) -> tuple[tuple[Target, Observation], ...]:
        return (*self.endpoints, *self.guarded_endpoints)


def _mark_as_survey(snapshot: Snapshot) -> Snapshot:
    return replace(
        snapshot,
        endpoints=tuple(replace(endpoint, seen_by="survey") for endpoint in snapshot.endpoints),
        guarded_endpoints=tuple(replace(endpoint, seen_by="survey") for endpoint in snapshot.guarded_endpoints),
    )


def _mask_sentences(snapshot: Snapshot) -> Snapshot:
    """Return the same snapshot with every secret masked in its sentences: it is written to a file."""
    return replace(
        snapshot,
        peers=tuple(replace(peer, error=peer.error and mask(peer.error)) for peer in snapshot.peers),
        endpoints=_mask_errors(snapshot.endpoints),
        guarded_endpoints=_mask_errors(snapshot.guarded_endpoints),
        undiscovered=tuple(
            replace(gap, message=mask(gap.message), names=tuple(map(mask, gap.names))) for gap in snapshot.undiscovered
        ),
        alarms=tuple(replace(alarm, message=mask(alarm.message)) for alarm in snapshot.alarms),
    )


def _mask_errors(endpoints: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    return tuple(replace(endpoint, error=endpoint.error and mask(endpoint.error)) for endpoint in endpoints)


@dataclass(frozen=True, slots=True)
class _EventEmitter:
    cluster: str
    sink: Sink

    def __call__(self, kind: str, message: str, **fields: str | int | bool | None) -> None:
        self.sink(Event(kind, message, self.cluster, fields))


def _read_operator_ca(cluster: ClusterAccess, emit: _EventEmitter) -> tuple[Certificate, ...]:
    """Return the certificates of the inventory's `ca`; warn of files in a folder that hold none."""
    try:
        authorities = read_authorities(cluster.ca)
    except CertificateError as error:
        raise InventoryError(str(error), next_step=error.next_step) from error
    for sentence in authorities.passed_over:
        emit("warning", f"Not used: {sentence}")
    return authorities.certificates


class _GapCollector:
    """Collects the gaps of discovery and emits each as a warning; those that it begins with, at once."""

    def __init__(self, emit: _EventEmitter, gaps: list[DiscoveryGap]) -> None:
        self._emit, self.gaps = emit, gaps
        for gap in gaps:
            emit("warning", gap.message)

    def report(self, gap: DiscoveryGap) -> None:
        self.gaps.append(gap)
        self._emit("warning", gap.message)


def _emit_read(emit: _EventEmitter, reading: PeerReading) -> None:
    address, size = reading.peer.address, len(reading.trusted)
    if reading.peer.error:
        emit("warning", f"{address} could not be read: {reading.peer.error}", peer=address)
    else:
        crls = f" and {count(reading.peer.crls, 'CRL')}" if reading.peer.crls else ""
        held = f"its trusted CA list holds {count(size, 'certificate')}{crls}"
        message = f"{address} ({reading.peer.version or 'unknown version'}): {held}."
        emit("peer-read", message, peer=address, trusted=size)
    unread = (reading.peer.health.unread if reading.peer.health else None) or {}
    for name, reason in sorted(unread.items()):
        emit("health-unread", f"{address}: {name} of its health was not observed: {reason}", peer=address, reading=name)


def _make_shell_gaps(cluster: ClusterAccess, peers: ClusterPeers) -> Iterable[DiscoveryGap]:
    """Return one gap for the peers that were read over REST alone: a plan is possible, and more careful."""
    without = [peer for peer in peers.peers if peer.shell_problem]
    if without:
        names = tuple(str(peer.address) for peer in without)
        message = (
            f"Read over REST only, because {without[0].shell_problem}: {', '.join(names)}. Not read: the cipher lists, so "
            "both certificates of a node must verify; whether the workaround is on; which peer is the primary."
        )
        yield DiscoveryGap(cluster.name, "shell", "not-asked", incomplete=False, message=message, names=names, count=len(names))


def _merge_publishers(
    readings: Sequence[PeerReading], cluster: ClusterAccess, limits: Limits, gaps: _GapCollector
) -> tuple[PublisherRecord, ...]:
    """Return the publishers that any readable peer holds, the values of the primary first.

    The list is replicated, so one peer is enough.
    """
    ordered = sorted(readings, key=lambda reading: not reading.peer.primary)
    by_key = {
        (publisher.product, publisher.address): publisher for reading in reversed(ordered) for publisher in reading.publishers
    }
    publishers, limit = tuple(by_key[key] for key in sorted(by_key)), limits.max_publishers
    if not any(reading.lists_publishers for reading in readings):
        message = (
            f"No peer of {cluster.name} lists Unified CM publishers over REST, so no publisher could be queried for nodes. "
            "Give all nodes under `nodes` in the inventory, with `discovery: inventory`."
        )
        gaps.report(DiscoveryGap(cluster.name, "publisher", "not-asked", cluster.discovery == "auto", message))
    if len(publishers) > limit:
        surplus = [publisher.address for publisher in publishers[limit:]]
        message = (
            f"The peers of {cluster.name} have {len(publishers)} publishers; those over the limit of {limit} are not "
            f"queried: {first_few(surplus, MAX_SHOWN_NAMES)}."
        )
        names = tuple(surplus[:MAX_SHOWN_NAMES])
        gaps.report(
            DiscoveryGap(cluster.name, "publisher", "over-limit", cluster.discovery == "auto", message, names, len(surplus))
        )
    return publishers[:limit]


def _list_reverse_proxy_ciphers(readings: Sequence[PeerReading]) -> tuple[CipherList, ...]:
    return tuple(dict.fromkeys(value for reading in readings if (value := reading.peer.ciphers.get(REVERSE_PROXY_CIPHERS))))


def _emit_probed(emit: _EventEmitter, target: Target, observation: Observation) -> None:
    families = " and ".join(observation.presented) or "nothing"
    unused = _is_unused(target, observation)
    message = "not in use" if unused else observation.error or f"presents {families}"
    name = _name_endpoint(target)
    emit("endpoint-probed", f"{name}: {message}.", endpoint=name, error=None if unused else observation.error)


def _make_hearsay_gaps(discovered: DiscoveryResult, observations: Sequence[Observation]) -> Iterable[DiscoveryGap]:
    """Return one gap for all names that only a source without a login gave and that did not answer."""
    probed = zip(discovered.targets, observations, strict=True)
    errors = {_name_endpoint(target): observation.error for target, observation in probed if _is_hearsay(target, observation)}
    if errors:
        listing = first_few([f"{name} ({error})" for name, error in errors.items()], MAX_SHOWN_NAMES)
        message = f"Not observed, and named only by an unauthenticated source (UDS), so nothing depends on them: {listing}."
        names = tuple(errors)[:MAX_SHOWN_NAMES]
        yield DiscoveryGap("UDS", "uds", "no-login-needed", incomplete=False, message=message, names=names, count=len(errors))


def _is_hearsay(target: Target, observation: Observation) -> bool:
    """Return whether nothing was observed of a name that anyone on the path could have written."""
    return target.named_without_login and observation.error is not None and not _is_unused(target, observation)


def _is_unused(target: Target, observation: Observation) -> bool:
    """Return whether an optional port refuses the connection.

    A port that does not answer may be in use.
    """
    return observation.refused and not target.declared_in_use


def _name_endpoint(target: Target) -> str:
    return Endpoint(target.address, target.port, target.product, {}).name


def _build_snapshot(
    cluster: ClusterAccess,
    taken_at: datetime,
    readings: Sequence[PeerReading],
    publishers: Sequence[PublisherRecord],
    probed: _Probed,
    operator_ca: Sequence[Certificate],
) -> Snapshot:
    trusted, authenticated = _list_trusted(readings), probed.discovered.authenticated
    supplied = (certificate for certificate in authenticated if certificate.is_ca or certificate.self_issued)
    available = tuple(_list_distinct((*operator_ca, *trusted, *supplied)))
    vouched = (*operator_ca, *trusted, *authenticated)
    ports = {peer.address: peer.rest_port for peer in cluster.peers}
    unused = dict.fromkeys(target for target, observation in probed.pairs if _is_unused(target, observation))
    presented = (
        certificate
        for _, observation in probed.pairs
        for presented_chain in observation.presented.values()
        for certificate in presented_chain
    )
    return Snapshot(
        cluster=cluster.name,
        taken_at=taken_at,
        peers=tuple(
            replace(reading.peer, rest_port=ports.get(reading.peer.address, cluster.peers[0].rest_port)) for reading in readings
        ),
        endpoints=_make_endpoints(probed.endpoints),
        guarded_endpoints=_make_endpoints(probed.guarded_endpoints),
        available_ca=tuple(certificate.fingerprint for certificate in available),
        vouched_for=frozenset(certificate.fingerprint for certificate in vouched),
        certificates=_index_by_fingerprint((*available, *vouched, *presented, *_list_own(readings))),
        publishers=tuple(_make_publisher(publisher, cluster, readings) for publisher in publishers),
        not_in_use=tuple(_name_endpoint(target) for target in unused),
        nodes=tuple(_make_node(target, node) for target, node in probed.discovered.management),
        revocation_lists={Fingerprint(sha256_of(pem)): pem for reading in readings for pem in reading.revocation_lists},
    )


def _make_node(target: Target, management: NodeCertificates | str) -> Node:
    if isinstance(management, str):
        return Node(target.address, target.product, error=mask(management))
    return Node(
        target.address,
        target.product,
        {service: certificate.fingerprint for service, certificate in management.identities.items()},
        {service: tuple(listed.fingerprint for listed in trusted) for service, trusted in management.trust.items()},
        management.by,
    )


def _make_endpoints(probed: Iterable[tuple[Target, Observation]]) -> tuple[Endpoint, ...]:
    """Return the endpoints that count: of ports in use, and named by more than hearsay."""
    return tuple(
        _make_endpoint(target, observation)
        for target, observation in probed
        if not _is_unused(target, observation) and not _is_hearsay(target, observation)
    )


def _make_endpoint(target: Target, observation: Observation) -> Endpoint:
    return Endpoint(
        address=target.address,
        port=target.port,
        product=target.product,
        presented={
            family: tuple(certificate.fingerprint for certificate in chain) for family, chain in observation.presented.items()
        },
        preferred=observation.preferred,
        tls13=observation.tls13,
        error=observation.error,
        failure=observation.failure,
        learned_from=target.learned_from,
        service=target.service,
    )


def _make_publisher(record: PublisherRecord, cluster: ClusterAccess, readings: Sequence[PeerReading]) -> Publisher:
    """Return a publisher and how its discovery can be refreshed: over REST if the primary offers it and AXL is configured."""
    candidates = [reading for reading in readings if reading.peer.primary] or list(readings)
    offered = any(record.product in reading.capabilities.refresh_products for reading in candidates)
    obstacle = record.describe_obstacle(cluster.axl.username) if offered and cluster.axl else None
    refresh: RefreshBy = "rest" if offered and cluster.axl and obstacle is None else "person"
    return Publisher(record.address, record.product, refresh, record.tls_verify.casefold() != "off", obstacle)


def _list_trusted(readings: Iterable[PeerReading]) -> tuple[Certificate, ...]:
    """Return what the peers trust, each certificate once."""
    return tuple(_list_distinct(certificate for reading in readings for certificate in reading.trusted))


def _list_own(readings: Iterable[PeerReading]) -> tuple[Certificate, ...]:
    """Return the chains of the peers' own certificates, each certificate once."""
    return tuple(_list_distinct(certificate for reading in readings for certificate in reading.server_chain))


def _list_distinct(certificates: Iterable[Certificate]) -> Iterable[Certificate]:
    return _index_by_fingerprint(certificates).values()


def _index_by_fingerprint(certificates: Iterable[Certificate]) -> Mapping[Fingerprint, Certificate]:
    by_fingerprint: dict[Fingerprint, Certificate] = {}
    for certificate in certificates:
        by_fingerprint.setdefault(certificate.fingerprint, certificate)
    return by_fingerprint
