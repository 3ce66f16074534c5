"""Effects on the peers of a `remediate restart`: by each peer's start and, where a pair qualifies, by a client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from remediate.executor.client_view import find_refusing_nodes
from remediate.executor.effect.client import Client, PeerContext, ask_for_proof, products_of
from remediate.executor.effect.decision import EffectEvidence, decide_effect
from remediate.executor.effect.evidence import find_endpoints_fixed_since, gather_evidence, read_health, read_start
from remediate.executor.effect.observe import emit_effect
from remediate.executor.environment import Environment
from remediate.executor.guarded_restart import RestartContext
from remediate.executor.ports import ClusterPort
from remediate.model.access import ClusterAccess
from remediate.model.effect import ClientView, PeerEffect
from remediate.model.errors import Interrupted, RemediateError
from remediate.model.identity import Address, EndpointId, PairId, Product, is_same_address
from remediate.model.snapshot import Snapshot
from remediate.model.verdict import Verdict, Verdicts


@dataclass(slots=True)
class RestartedLook:
    """The looks of one restart at its peers. The cluster is observed once, after the first of its peers restarted.

    Attributes:
        effects: Whether what was written to each peer is in effect.
        client_views: What clients get, for each pair that was asked for.
    """

    cluster: ClusterAccess
    environment: Environment
    context: RestartContext
    opened: ClusterPort
    effects: dict[Address, PeerEffect] = field(default_factory=dict)
    client_views: dict[PairId, ClientView] = field(default_factory=dict)
    _client: Client = field(init=False)
    _snapshot: Snapshot | None = None

    def __post_init__(self) -> None:
        context = self.context
        self._client = Client(self.cluster, self.environment, context.limits, context.events, context.look)

    def observe(self, address: Address, *, is_restarted: bool) -> PeerEffect:
        """Look whether what was written to a peer is in effect there, emit it, and keep it."""
        context = self.context
        started_at = read_start(next((peer for peer in context.peers if peer.address == address), None))
        reason = self._client.reason_not_to_ask(address) if is_restarted else "no client request was sent"
        evidence = gather_evidence(context.journal, address, started_at, limits=context.limits, why_no_client=reason)
        if not reason and evidence.pending_writes:
            evidence = self._ask(address, evidence)
        self.effects[address] = effect = decide_effect(evidence)
        emit_effect(context.events, effect)
        return effect

    def _ask(self, peer: Address, evidence: EffectEvidence) -> EffectEvidence:
        """Return `evidence` with what clients get for the endpoints that the change of the peer's list fixed."""
        context, journal = self.context, self.context.journal
        try:
            now = self._observe()
        except Interrupted:
            raise
        except RemediateError as error:
            return replace(evidence, why_no_client=f"the endpoints' certificates could not be read: {error}")
        if any(is_same_address(entry.address, peer) and entry.verify_origin_server is False for entry in now.peers):
            return replace(evidence, is_workaround_on=True)
        judge = self.environment.judge
        endpoints = find_endpoints_fixed_since(journal, judge, now, peer, evidence.pending_writes)
        if not endpoints:
            return replace(evidence, why_no_client="the change of its list fixes no endpoint that can be tested")
        verdicts = self._judge(now, peer)
        accepted = [endpoint for endpoint, verdict in verdicts.items() if verdict.ok and endpoint not in endpoints]
        health = read_health(next((entry for entry in context.peers if entry.address == peer), None))
        toward_nodes = journal.plan(evidence.pending_writes[0].run).toward_nodes
        peer_context = PeerContext(health, lambda: verdicts, accepted, find_refusing_nodes(toward_nodes, peer))
        clients = ask_for_proof(self._client, peer, endpoints, products_of(now), lambda: peer_context, is_restarted=True)
        self.client_views.update({PairId(peer, endpoint): view for endpoint, view in clients.items()})
        return replace(evidence, clients=clients)

    def measure(self) -> tuple[Verdicts, Mapping[EndpointId, Product]]:
        """Return what each endpoint gets from each peer, and its product; nothing, with a warning, where that cannot be observed."""
        try:
            now = self._observe()
            return self.environment.judge(now), products_of(now)
        except Interrupted:
            raise
        except RemediateError as error:
            self.context.events.emit("warning", f"The endpoints could not be checked: {error}")
            return {}, {}

    @property
    def system_names(self) -> Mapping[Address, str]:
        """What the peers' administrators call them, by address; empty until the cluster was observed."""
        peers = self._snapshot.peers if self._snapshot else ()
        return {peer.address: peer.system_name for peer in peers if peer.system_name}

    def _observe(self) -> Snapshot:
        if self._snapshot is None:
            limits, sink = self.context.limits, self.context.events.forward
            self._snapshot = self.environment.observe(self.cluster, limits=limits, sink=sink, opened=self.opened, is_last=True)
        return self._snapshot

    def _judge(self, now: Snapshot, peer: Address) -> Mapping[EndpointId, Verdict]:
        verdicts = self.environment.judge(now)
        return {pair.endpoint: verdict for pair, verdict in verdicts.items() if is_same_address(pair.peer, peer)}
