"""From the systems to a Snapshot: peers first, then the nodes they send clients to, then what every endpoint presents.

Reading writes nothing: the peers are opened without the right to. The probe sees from this machine; where certificate management says
over a verified channel what a node's own certificates are, the two are compared (`vantage`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from remediate.connectors.authorities import read_authorities
from remediate.connectors.expressway.capabilities import Capabilities
from remediate.connectors.expressway.cluster import ClusterPeers, open_peers
from remediate.connectors.expressway.peer import ExpresswayPeer
from remediate.connectors.expressway.records import PublisherRecord
from remediate.connectors.tls.mitm_check import disagreements
from remediate.connectors.tls.probe import probe
from remediate.connectors.tls.target import Observation, Target
from remediate.connectors.unified_cm.discovery import Discovered, discover
from remediate.connectors.unified_cm.nodes import SHOWN_NAMES
from remediate.model.access import ClusterAccess
from remediate.model.certificate import Certificate
from remediate.model.errors import CertificateError, InventoryError, ObservationError
from remediate.model.events import Event, Sink, silent
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import Address, CipherList, Fingerprint
from remediate.model.limits import Limits
from remediate.model.masking import mask, reveals
from remediate.model.snapshot import DiscoveryGap, Endpoint, Peer, Publisher, Snapshot
from remediate.model.text import first_few


def utc_now() -> datetime:
    """The moment, aware."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Read:
    """What one peer said. `lists_publishers`: False where it has no such list, which is not the same as an empty one."""

    peer: Peer
    trusted: tuple[Certificate, ...] = ()
    publishers: tuple[PublisherRecord, ...] = ()
    lists_publishers: bool = True
    capabilities: Capabilities = Capabilities()


def collect(
    cluster: ClusterAccess, *, limits: Limits = Limits(), sink: Sink = silent, now: Callable[[], datetime] = utc_now
) -> Snapshot:
    """Return what is there now. What cannot be looked at is in the snapshot with its error, and makes it incomplete.

    Raises:
        LoginRefused: at once, and nothing else of this cluster is tried.
        PinMismatch, AccessError: a peer that we must not go on with.
        InventoryError: a secret or a CA file of the inventory cannot be read.
    """
    say = _Teller(cluster.name, sink)
    operator_ca = _operator_ca(cluster, say)
    say("observe-start", f"Reading the peers of {cluster.name}.", what="peers", total=len(cluster.peers))
    with open_peers(cluster, limits, writable=False) as opened:
        reads = tuple(_read_all(opened, say))
        gaps = _Gaps(say, list(opened.undiscovered))
    trusted = tuple(_each_once(certificate for read in reads for certificate in read.trusted))
    publishers = _publishers(reads, cluster, limits, gaps)
    discovered = discover(cluster, publishers, (*operator_ca, *trusted), limits, gaps.report)
    say(
        "observe-start",
        f"Looking at {len(discovered.targets)} endpoints.",
        what="endpoints",
        total=len(discovered.targets),
    )
    observations = probe(discovered.targets, _cipher_lists(reads), limits, lambda target, seen: _tell_probed(say, target, seen))
    alarms = tuple(disagreements(tuple(zip(discovered.targets, observations, strict=True)), discovered.own))
    for alarm in alarms:
        say("alarm", f"ALARM: {alarm.message}", certificate=alarm.certificate)
    snapshot = _snapshot(cluster, now(), reads, publishers, discovered, observations, operator_ca)
    disputed = {alarm.certificate for alarm in alarms}
    for gap in _unseen_strangers(discovered, observations):
        gaps.report(gap)
    return _masked(
        replace(snapshot, vouched_for=snapshot.vouched_for - disputed, undiscovered=tuple(gaps.found), alarms=alarms)
    )


def _masked(snapshot: Snapshot) -> Snapshot:
    """Return the same snapshot with no secret in any of its sentences, wherever they come from: it is a file soon."""
    return replace(
        snapshot,
        peers=tuple(replace(peer, error=peer.error and mask(peer.error)) for peer in snapshot.peers),
        endpoints=tuple(replace(endpoint, error=endpoint.error and mask(endpoint.error)) for endpoint in snapshot.endpoints),
        undiscovered=tuple(
            replace(gap, message=mask(gap.message), names=tuple(map(mask, gap.names))) for gap in snapshot.undiscovered
        ),
        alarms=tuple(replace(alarm, message=mask(alarm.message)) for alarm in snapshot.alarms),
    )


@dataclass(frozen=True, slots=True)
class _Teller:
    cluster: str
    sink: Sink

    def __call__(self, kind: str, message: str, **fields: str | int | bool | None) -> None:
        self.sink(Event(kind, message, self.cluster, fields))


def _operator_ca(cluster: ClusterAccess, say: _Teller) -> tuple[Certificate, ...]:
    """Return the certificates that the inventory's `ca` vouches for; files of a folder that hold none are warned of."""
    try:
        authorities = read_authorities(cluster.ca)
    except CertificateError as error:
        raise InventoryError(str(error), next_step=error.next_step) from error
    for sentence in authorities.passed_over:
        say("warning", f"Not used: {sentence}")
    return authorities.certificates


class _Gaps:
    """What discovery could not learn, said as it is found; what was found before is said at once."""

    def __init__(self, say: _Teller, found: list[DiscoveryGap]) -> None:
        self._say, self.found = say, found
        for gap in found:
            say("warning", gap.message)

    def report(self, gap: DiscoveryGap) -> None:
        self.found.append(gap)
        self._say("warning", gap.message)


def _read_all(opened: ClusterPeers, say: _Teller) -> Iterable[_Read]:
    by_address = {peer.address: peer for peer in opened.peers}
    for address in opened.order:
        primary = address == opened.primary
        if address in by_address:
            read = _read_one(by_address[address], primary=primary)
        else:
            read = _Read(_lost(address, f"unreachable: {opened.unreachable[address]}", primary=primary))
        if read.peer.error:
            say("warning", f"{address} could not be read: {read.peer.error}", peer=address)
        else:
            count = len(read.trusted)
            say(
                "peer-read",
                f"{address}: {read.peer.version or 'unknown version'}, {count} trusted CAs.",
                peer=address,
                trusted=count,
            )
        yield read


def _read_one(peer: ExpresswayPeer, *, primary: bool) -> _Read:
    try:
        trusted = peer.trusted_ca()
        seen = Peer(
            address=peer.address,
            version=peer.version(),
            primary=primary,
            trusted_ca=tuple(certificate.fingerprint for certificate in trusted),
            ciphers=dict(peer.ciphers()),
            verify_origin_server=peer.verify_origin_server(),
        )
        _refuse_secrets(seen)
        capabilities = peer.capabilities()
        if capabilities.remove_trusted_ca:
            seen = replace(seen, removal="rest")
        publishers = peer.publishers()
        return _Read(seen, trusted, publishers, bool(publishers) or peer.lists_publishers(), capabilities)
    except ObservationError as error:
        return _Read(_lost(peer.address, f"unreadable: {error}", primary=primary))


def _refuse_secrets(peer: Peer) -> None:
    """Raise ObservationError when a value that goes into files as it is repeats a secret: masked, it would be another value."""
    if any(map(reveals, [peer.version or "", *peer.ciphers, *peer.ciphers.values()])):
        raise ObservationError(f"{peer.address} repeats a password of this session in its version or its cipher lists.")


def _lost(address: Address, error: str, *, primary: bool) -> Peer:
    return Peer(address, None, primary, (), {}, error=error)


def _publishers(reads: Sequence[_Read], cluster: ClusterAccess, limits: Limits, gaps: _Gaps) -> tuple[PublisherRecord, ...]:
    """The publishers are replicated: what any peer that could be read holds, the primary first."""
    ordered = sorted(reads, key=lambda read: not read.peer.primary)
    found = {(publisher.product, publisher.address): publisher for read in reversed(ordered) for publisher in read.publishers}
    publishers, limit = tuple(found[key] for key in sorted(found)), limits.max_publishers
    if not any(read.lists_publishers for read in reads):
        message = (
            f"No peer of {cluster.name} has a list of Unified CM publishers over REST, so nobody could be asked for nodes. Give all "
            "of them under `nodes` in the inventory, with `discovery: inventory`."
        )
        gaps.report(DiscoveryGap(cluster.name, "publisher", "not-asked", cluster.discovery == "auto", message))
    if len(publishers) > limit:
        over = [publisher.address for publisher in publishers[limit:]]
        message = (
            f"The peers of {cluster.name} hold {len(publishers)} publishers; of those over {limit}, nothing is asked: "
            f"{first_few(over, SHOWN_NAMES)}."
        )
        names = tuple(over[:SHOWN_NAMES])
        gaps.report(
            DiscoveryGap(cluster.name, "publisher", "over-limit", cluster.discovery == "auto", message, names, len(over))
        )
    return publishers[:limit]


def _cipher_lists(reads: Sequence[_Read]) -> tuple[CipherList, ...]:
    return tuple(dict.fromkeys(value for read in reads if (value := read.peer.ciphers.get(REVERSE_PROXY_CIPHERS))))


def _tell_probed(say: _Teller, target: Target, seen: Observation) -> None:
    families = " and ".join(seen.presented) or "nothing"
    unused = _is_unused(target, seen)
    message = "not in use" if unused else seen.error or f"presents {families}"
    name = _name(target)
    say("endpoint-probed", f"{name}: {message}.", endpoint=name, error=None if unused else seen.error)


def _unseen_strangers(discovered: Discovered, observations: Sequence[Observation]) -> Iterable[DiscoveryGap]:
    """One gap for all names that only a source without a login gave and that did not answer."""
    looked = zip(discovered.targets, observations, strict=True)
    unseen = {_name(target): seen.error for target, seen in looked if _is_hearsay(target, seen)}
    if unseen:
        shown = first_few([f"{name} ({error})" for name, error in unseen.items()], SHOWN_NAMES)
        message = f"Not observed, and named only by an unauthenticated source (UDS), so nothing rests on them: {shown}."
        names = tuple(unseen)[:SHOWN_NAMES]
        yield DiscoveryGap("UDS", "uds", "no-login-needed", incomplete=False, message=message, names=names, count=len(unseen))


def _is_hearsay(target: Target, seen: Observation) -> bool:
    """Whether nothing was seen of a name that anybody could have written."""
    return target.named_without_login and seen.error is not None and not _is_unused(target, seen)


def _is_unused(target: Target, seen: Observation) -> bool:
    """Whether a port that nobody insists on refuses the connection. One that does not answer may be in use."""
    return seen.refused and not target.insisted


def _name(target: Target) -> str:
    return Endpoint(target.address, target.port, target.product, {}).name


def _snapshot(
    cluster: ClusterAccess,
    taken_at: datetime,
    reads: Sequence[_Read],
    publishers: Sequence[PublisherRecord],
    discovered: Discovered,
    observations: Sequence[Observation],
    operator_ca: Sequence[Certificate],
) -> Snapshot:
    trusted = tuple(_each_once(certificate for read in reads for certificate in read.trusted))
    supplied = (one for one in discovered.authenticated if one.is_ca or one.self_issued)
    available = tuple(_each_once((*operator_ca, *trusted, *supplied)))
    vouched = (*operator_ca, *trusted, *discovered.authenticated)
    ports = {peer.address: peer.rest_port for peer in cluster.peers}
    looked = list(zip(discovered.targets, observations, strict=True))
    unused = dict.fromkeys(target for target, seen in looked if _is_unused(target, seen))
    hearsay = dict.fromkeys(target for target, seen in looked if _is_hearsay(target, seen))
    presented = (
        certificate for observation in observations for chain in observation.presented.values() for certificate in chain
    )
    return Snapshot(
        cluster=cluster.name,
        taken_at=taken_at,
        peers=tuple(replace(read.peer, rest_port=ports.get(read.peer.address, cluster.peers[0].rest_port)) for read in reads),
        endpoints=tuple(_endpoint(target, seen) for target, seen in looked if target not in unused and target not in hearsay),
        available_ca=tuple(one.fingerprint for one in available),
        vouched_for=frozenset(one.fingerprint for one in vouched),
        certificates=_by_fingerprint((*available, *vouched, *presented)),
        publishers=tuple(_publisher(publisher, cluster, reads) for publisher in publishers),
        not_in_use=tuple(_name(target) for target in unused),
    )


def _endpoint(target: Target, seen: Observation) -> Endpoint:
    return Endpoint(
        address=target.address,
        port=target.port,
        product=target.product,
        presented={family: tuple(certificate.fingerprint for certificate in chain) for family, chain in seen.presented.items()},
        preferred=seen.preferred,
        tls13=seen.tls13,
        error=seen.error,
        learned_from=target.learned_from,
    )


def _publisher(record: PublisherRecord, cluster: ClusterAccess, reads: Sequence[_Read]) -> Publisher:
    """How its discovery can be refreshed: by us where the primary offers it and the AXL account is at hand."""
    asked = [read for read in reads if read.peer.primary] or list(reads)
    offered = any(record.product in one.capabilities.refresh_products for one in asked)
    return Publisher(record.address, record.product, "rest" if offered and cluster.axl else "person")


def _each_once(certificates: Iterable[Certificate]) -> Iterable[Certificate]:
    return _by_fingerprint(certificates).values()


def _by_fingerprint(certificates: Iterable[Certificate]) -> Mapping[Fingerprint, Certificate]:
    found: dict[Fingerprint, Certificate] = {}
    for certificate in certificates:
        found.setdefault(certificate.fingerprint, certificate)
    return found
