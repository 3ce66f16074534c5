"""Metrics of a cluster in the Prometheus text format, for the textfile collector.

Names and labels are interfaces. What was not observed has no sample, except where a label marks it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from remediate.model.certificate import Certificate
from remediate.model.effect import ClientView, PeerEffect
from remediate.model.exit_codes import ExitCode
from remediate.model.identity import Fingerprint, PairId
from remediate.model.plan import Plan
from remediate.model.snapshot import Snapshot
from remediate.model.text import escape


@dataclass(frozen=True, slots=True)
class ClusterLook:
    """One look at one cluster.

    Attributes:
        snapshot: None where the look failed; `plan` likewise.
        plan: A plan made now, whose "before" is the present verdict.
        client_views: What clients get; empty where none was asked.
    """

    cluster: str
    exit_code: ExitCode
    looked_at: datetime
    snapshot: Snapshot | None = None
    plan: Plan | None = None
    effects: tuple[PeerEffect, ...] = ()
    client_views: Mapping[PairId, ClientView] = field(default_factory=dict)


def format_metrics(looks: Iterable[ClusterLook]) -> str:
    """Return the metrics of `looks` in the Prometheus text format."""
    metrics = _Metrics()
    for look in looks:
        metrics.exit_code.labels(escape(look.cluster)).set(int(look.exit_code))
        metrics.looked_at.labels(escape(look.cluster)).set(look.looked_at.timestamp())
        if look.snapshot is not None and look.plan is not None:
            _add_snapshot(metrics, look.snapshot)
            _add_verdicts(metrics, look.plan)
            _add_clients(metrics, look)
    return generate_latest(metrics.registry).decode()


class _Metrics:
    """The gauges of one file."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.exit_code = self._gauge("exit_code", "Exit code of the look at this cluster.")
        self.looked_at = self._gauge("look_timestamp_seconds", "When this cluster was looked at.")
        self.complete = self._gauge("complete", "Whether every peer and endpoint was observed.")
        self.checks = self._gauge(
            "checks", "Pairs of a peer and an endpoint, by what the list of the peer says of it.", "peer", "verdict"
        )
        self.clients = self._gauge(
            "clients", "Pairs of a peer and an endpoint, by what a client gets through the peer.", "peer", "state"
        )
        self.in_effect = self._gauge("in_effect", "1 for the state that holds: yes, no or not-known.", "peer", "state")
        self.workaround = self._gauge("workaround_on", "Whether verification is turned off on this peer.", "peer")
        self.up = self._gauge("peer_observed", "Whether this peer could be read.", "peer")
        self.drift = self._gauge(
            "trusted_list_differs", "Whether the trusted CA list of this peer is not the primary's.", "peer"
        )
        self.listed = self._gauge(
            "trusted_certificates", "How many certificates the trusted CA list of this peer holds.", "peer"
        )
        self.node_refusals = self._gauge(
            "node_refusals", "Trust stores of nodes that refuse the certificate of this peer.", "peer"
        )
        self.certificate_end = self._gauge(
            "certificate_end_timestamp_seconds",
            "When a certificate ends that a check or a node depends on.",
            "fingerprint",
            "common_name",
            "use",
        )

    def _gauge(self, name: str, documentation: str, *labels: str) -> Gauge:
        return Gauge(name, documentation, ("cluster", *labels), namespace="remediate", registry=self.registry)


def _add_snapshot(metrics: _Metrics, snapshot: Snapshot) -> None:
    cluster = escape(snapshot.cluster)
    metrics.complete.labels(cluster).set(int(snapshot.complete))
    observed = [peer for peer in snapshot.peers if peer.error is None]
    reference = next((peer for peer in observed if peer.primary), observed[0] if observed else None)
    for peer in snapshot.peers:
        address = escape(peer.address)
        metrics.up.labels(cluster, address).set(int(peer.error is None))
        if peer.error is None and reference is not None:
            metrics.listed.labels(cluster, address).set(len(peer.trusted_ca))
            metrics.drift.labels(cluster, address).set(int(set(peer.trusted_ca) != set(reference.trusted_ca)))
            if peer.verify_origin_server is not None:
                metrics.workaround.labels(cluster, address).set(int(not peer.verify_origin_server))
    for use, fingerprints in _list_uses(snapshot).items():
        for fingerprint in fingerprints:
            _add_certificate(metrics, cluster, use, snapshot.certificates[fingerprint])


def _list_uses(snapshot: Snapshot) -> dict[str, dict[Fingerprint, None]]:
    """Return the certificates of the cluster by what they are for, each once."""
    endpoints = (*snapshot.endpoints, *snapshot.guarded_endpoints)
    presented = {fingerprint: None for endpoint in endpoints for chain in endpoint.presented.values() for fingerprint in chain}
    listed = {fingerprint: None for peer in snapshot.peers for fingerprint in peer.trusted_ca}
    own = {
        fingerprint: None
        for peer in snapshot.peers
        for fingerprint in (*(peer.server_certificate or ()), *(peer.client_certificate or ()))
    }
    return {"presented": presented, "trusted": listed, "own": own}


def _add_certificate(metrics: _Metrics, cluster: str, use: str, certificate: Certificate) -> None:
    if certificate.not_after is not None:
        name = escape(certificate.common_name or certificate.subject)
        labels = (cluster, certificate.fingerprint, name, use)
        metrics.certificate_end.labels(*labels).set(certificate.not_after.timestamp())


def _add_verdicts(metrics: _Metrics, plan: Plan) -> None:
    cluster = escape(plan.cluster)
    counts: Counter[tuple[str, str]] = Counter()
    for forecast in plan.endpoints:
        verdict = forecast.before
        state = "verified" if verdict.ok else "refused" if verdict.observed else "unseen"
        counts[escape(forecast.peer), state] += 1
    for peer in {peer for peer, _ in counts}:
        for state in ("verified", "refused", "unseen"):
            metrics.checks.labels(cluster, peer, state).set(counts[peer, state])
    refusals = Counter(escape(toward.peer) for toward in plan.refusing_nodes)
    for observed_peer in {escape(toward.peer) for toward in plan.toward_nodes if toward.observed}:
        metrics.node_refusals.labels(cluster, observed_peer).set(refusals[observed_peer])


def _add_clients(metrics: _Metrics, look: ClusterLook) -> None:
    cluster = escape(look.cluster)
    counts = Counter((escape(pair.peer), view.state.value) for pair, view in look.client_views.items())
    for (peer, state), number in counts.items():
        metrics.clients.labels(cluster, peer, state).set(number)
    for effect in look.effects:
        for state in ("yes", "no", "not-known"):
            metrics.in_effect.labels(cluster, escape(effect.peer), state).set(int(effect.state.value == state))
