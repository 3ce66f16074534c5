"""Whether the peers of a run work again with the lists of before it, once all of it is undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from remediate.executor.changes import cipher_targets, to_remove, to_trust
from remediate.executor.client_view import Surroundings, find_refusing_nodes
from remediate.executor.effect.client import Client, products_of, view_answers
from remediate.executor.effect.decision import EffectEvidence, Views, decide_undone
from remediate.executor.effect.observe import emit_effect, read_health, read_start
from remediate.executor.effect.pairs import find_pairs_fixed_by_list, with_certificates
from remediate.executor.environment import Environment
from remediate.executor.journal.writes import load_writes
from remediate.executor.undo import UndoContext, match_peers
from remediate.model.access import ClusterAccess
from remediate.model.client import AnswerKind
from remediate.model.effect import ClientState, ClientView, EffectState, PeerEffect
from remediate.model.errors import AccessError, ObservationError
from remediate.model.identity import Address, EndpointId, is_same_address
from remediate.model.run import Backup
from remediate.model.snapshot import Peer, Snapshot

_PASSING = frozenset({AnswerKind.REACHED})
"""A traffic server that loads a list by itself does so seconds later; until then, clients still get through."""


@dataclass(slots=True)
class UndoneLook:
    """The looks of one rollback at the peers of its run."""

    undo: UndoContext
    cluster: ClusterAccess
    environment: Environment
    _snapshots: list[Snapshot] = field(default_factory=list)
    _clients: list[Client] = field(default_factory=list)

    def snapshot(self) -> Snapshot:
        """Return the cluster as it is after the undo; it is observed once."""
        if not self._snapshots:
            undo = self.undo
            observed = self.environment.observe(self.cluster, limits=undo.limits, sink=undo.events.forward)
            self._snapshots.append(with_certificates(observed, undo.journal.plan(undo.run).certificates))
        return self._snapshots[0]

    def client(self) -> Client:
        """Return the one client of the looks."""
        if not self._clients:
            undo = self.undo
            self._clients.append(Client(self.cluster, self.environment, undo.limits, undo.events, undo.check_stop))
        return self._clients[0]


def observe_undone(undo: UndoContext, cluster: ClusterAccess, environment: Environment) -> tuple[PeerEffect, ...]:
    """Look at each peer of a run that is undone, and emit whether it works with its earlier lists again."""
    look = UndoneLook(undo, cluster, environment)
    effects: list[PeerEffect] = []
    reachable = match_peers(undo.journal, undo.run, undo.peers)
    for address in undo.journal.backups(undo.run):
        peer = reachable.get(address)
        writes = load_writes(undo.journal, address, own_run=undo.run, limits=undo.limits)
        evidence = EffectEvidence(address, writes, read_start(peer), why_no_client=look.client().reason_not_to_ask(address))
        effect = decide_undone(evidence, undo.run)
        if effect.state is EffectState.NOT_KNOWN and not evidence.why_no_client:
            effect = decide_undone(_ask(look, evidence), undo.run)
        effects.append(effect)
        emit_effect(undo.events, effect)
    return tuple(effects)


def _ask(look: UndoneLook, evidence: EffectEvidence) -> EffectEvidence:
    """Return `evidence` with what clients get for the endpoints that the restored list refuses and the list of the run accepted."""
    try:
        now = look.snapshot()
    except (ObservationError, AccessError) as error:
        return replace(evidence, why_no_client=f"what the endpoints present was not read: {error}")
    peer = next((entry for entry in now.peers if is_same_address(entry.address, evidence.peer)), None)
    if peer is None or peer.error:
        return replace(evidence, why_no_client="its lists were not read")
    if peer.verify_origin_server is False:
        return replace(evidence, is_workaround_on=True)
    restored = {evidence.peer: Backup(evidence.peer, peer.trusted_ca, peer.ciphers)}
    run_state = replace(now, peers=tuple(_as_the_run_left_it(look, entry) if entry is peer else entry for entry in now.peers))
    endpoints = find_pairs_fixed_by_list(restored, run_state, look.environment.judge)[evidence.peer]
    if not endpoints:
        return replace(evidence, why_no_client="the restored list refuses no endpoint that could be asked for")
    return replace(evidence, clients=_view_clients(look, evidence.peer, endpoints, now))


def _as_the_run_left_it(look: UndoneLook, peer: Peer) -> Peer:
    plan = look.undo.journal.plan(look.undo.run)
    by_name = {address.casefold(): address for address in plan.base}
    address = by_name.get(peer.address.casefold(), peer.address)
    remaining = [fingerprint for fingerprint in peer.trusted_ca if fingerprint not in to_remove(plan, address)]
    added = sorted(to_trust(plan, address) - set(remaining))
    return replace(peer, trusted_ca=(*remaining, *added), ciphers={**peer.ciphers, **cipher_targets(plan)})


def _view_clients(look: UndoneLook, peer: Address, endpoints: tuple[EndpointId, ...], now: Snapshot) -> Views:
    """Return what clients get over new connections; refused counts where the 502 has no other reason than the list."""
    limits = look.undo.limits
    answers = look.client().ask(peer, endpoints, products_of(now), limits.effect_s, _PASSING)
    judgements = [judgement for judgement in look.environment.judge(now) if is_same_address(judgement.peer, peer)]
    verdicts = {judgement.endpoint: judgement.outcome.verdict for judgement in judgements}
    if any(answer.kind is AnswerKind.REFUSED for answer in answers.values()):
        accepted = [judgement.endpoint for judgement in judgements if judgement.outcome.verdict.ok]
        answers |= look.client().ask(peer, accepted[:1], products_of(now))
    reachable = match_peers(look.undo.journal, look.undo.run, look.undo.peers)
    surroundings = Surroundings(health=read_health(reachable.get(peer)))
    # Whether the list refuses is known here: that it accepts stands for everything else that a 502 must not be.
    assumed = {endpoint: replace(verdict, ok=verdict.observed) for endpoint, verdict in verdicts.items()}
    refusing_nodes = find_refusing_nodes(look.undo.journal.plan(look.undo.run).toward_nodes, peer)
    views: Mapping[EndpointId, ClientView] = view_answers(answers, endpoints, assumed, surroundings, refusing_nodes)
    return {endpoint: _reword(view, answers[endpoint].detail) for endpoint, view in views.items() if endpoint in answers}


def _reword(view: ClientView, detail: str) -> ClientView:
    return replace(view, description=detail) if view.state is ClientState.REFUSED else view
