"""The looks that show whether a change is in effect: at the journal, at a peer's start, and at what clients get through it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from remediate.executor import verification
from remediate.executor.client_view import find_refusing_nodes
from remediate.executor.confirm_timer import check_in
from remediate.executor.context import Baseline, RunContext, RunState
from remediate.executor.effect.client import Client, PeerContext, ask_for_proof, products_of
from remediate.executor.effect.decision import Views, decide_effect
from remediate.executor.effect.evidence import backup_of, gather_evidence, read_health, read_start
from remediate.executor.effect.log import record_log_views
from remediate.executor.effect.pairs import find_pairs_fixed_by_list
from remediate.executor.journal.store import Journal
from remediate.executor.journal.writes import load_writes
from remediate.executor.ports import PeerPort
from remediate.executor.steps import RunEvents
from remediate.model.effect import EffectState, PeerEffect
from remediate.model.identity import Address, EndpointId, PairId
from remediate.model.limits import Limits
from remediate.model.snapshot import Snapshot
from remediate.model.verdict import Verdict


@dataclass(slots=True)
class EffectLook:
    """The looks of one apply at its peers.

    Attributes:
        after: The cluster as the plan leaves it.
    """

    context: RunContext
    state: RunState
    client: Client
    after: Snapshot
    _fixed: dict[tuple[Address, str], tuple[EndpointId, ...]] = field(default_factory=dict)
    _log_views: dict[Address, Views] | None = None

    def find_fixed(self, peer: Address, run: str) -> tuple[EndpointId, ...]:
        """Return the endpoints that `peer` refused before `run` and that its list accepts now."""
        if (peer, run) not in self._fixed:
            backup = backup_of(self.context.journal, run, peer)
            fixed = find_pairs_fixed_by_list({peer: backup}, self.after, self.context.environment.judge) if backup else {}
            self._fixed[peer, run] = fixed.get(peer, ())
        return self._fixed[peer, run]

    def log_views(self, peer: Address, *, is_restarted: bool) -> Views:
        """Return what the log of `peer` shows since its last write and start; recorded once, when it is first asked for.

        Empty unless the options of the run ask for it.
        """
        if not self.context.options.diagnostic_log:
            return {}
        if self._log_views is None:
            endpoints = {entry.address: self._fixed_by_last_run(entry.address) for entry in self.context.peers}
            self._log_views = record_log_views(self.context, self.state, endpoints, lambda: self._ask_over_every_way(endpoints))
        elif is_restarted:
            self._log_views.pop(peer, None)
        return self._log_views.get(peer, {})

    def _fixed_by_last_run(self, peer: Address) -> tuple[EndpointId, ...]:
        writes = load_writes(self.context.journal, peer, own_run=self.state.run, limits=self.context.limits)
        return self.find_fixed(peer, writes[0].run) if writes else ()

    def _ask_over_every_way(self, endpoints: Mapping[Address, Sequence[EndpointId]]) -> None:
        """Send one client's requests over each way, whichever peer it leads through: the logs show which."""
        every = dict.fromkeys(endpoint for listed in endpoints.values() for endpoint in listed)
        ways = {entry.mra.url: entry.address for entry in self.context.cluster.peers if entry.mra}
        for peer in ways.values():
            self.client.ask(peer, tuple(every), products_of(self.after))

    def find_accepted_anyway(self, peer: Address, fixed: Sequence[EndpointId]) -> tuple[EndpointId, ...]:
        """Return the endpoints that `peer` accepts and that are not among those `fixed`: they show whether the way to it is open."""
        verdicts = self.context.environment.judge(self.after)
        accepted = [pair.endpoint for pair, verdict in verdicts.items() if pair.peer == peer and verdict.ok]
        return tuple(endpoint for endpoint in accepted if endpoint not in fixed)


def look_at_effects(context: RunContext, state: RunState, baseline: Baseline) -> EffectLook:
    """Return the looks of one apply, with one client for all its peers."""
    check = partial(check_in, context, state)
    client = Client(context.cluster, context.environment, context.limits, context.events, check)
    return EffectLook(context, state, client, verification.with_plan(context.plan, baseline.snapshot))


def observe_effect(look: EffectLook, peer: Address, *, is_restarted: bool = False) -> PeerEffect:
    """Look whether what was written to `peer` is in effect there, emit it, and keep it in the state of the run.

    `is_restarted`: it restarted just now: what clients got before counts no more, and as it may answer again before they get through,
    whatever they get is waited out.
    """
    context = look.context
    if is_restarted:
        look.state.forget_clients(peer)
    started_at = read_start(context.open_peer(peer))
    evidence = gather_evidence(context.journal, peer, started_at, own_run=look.state.run, limits=context.limits)
    pending = evidence.pending_writes
    endpoints = look.find_fixed(peer, pending[0].run) if pending else ()
    is_workaround_on = _is_workaround_on(look.after, peer)
    why_no_client = _why_no_client(look.client, peer, endpoints, is_workaround_on=is_workaround_on)
    evidence = replace(evidence, is_workaround_on=is_workaround_on, why_no_client=why_no_client if pending else "")
    effect = decide_effect(evidence)
    is_of_this_run = any(entry.run == look.state.run for entry in pending)
    if not why_no_client and (is_of_this_run or is_restarted or effect.state is not EffectState.YES):
        waits = effect.state is not EffectState.YES
        clients = _ask(look, peer, endpoints, is_restarted=is_restarted, waits=waits)
        look.state.client_views.update({PairId(peer, endpoint): view for endpoint, view in clients.items()})
        evidence = replace(evidence, clients=clients)
        effect = decide_effect(evidence)
    if endpoints and effect.state is EffectState.NOT_KNOWN and not is_workaround_on:
        effect = decide_effect(replace(evidence, log=look.log_views(peer, is_restarted=is_restarted)))
    look.state.effects[peer] = effect
    emit_effect(context.events, effect)
    return effect


def observe_other_effects(look: EffectLook) -> None:
    """Look at each peer of the cluster that was not looked at yet, in the cluster's order."""
    context = look.context
    for peer in context.addresses:
        if peer not in look.state.effects:
            observe_effect(look, peer)


def observe_effects_unasked(
    journal: Journal, peers: Sequence[PeerPort], unreachable: Iterable[Address], limits: Limits
) -> tuple[PeerEffect, ...]:
    """Return the effect on each peer of a cluster by the journal and by its start: a dry run asks no client."""
    starts = {peer.address: read_start(peer) for peer in peers} | dict.fromkeys(unreachable)
    why_no_client = "a dry run sends no client request"
    return tuple(
        decide_effect(gather_evidence(journal, address, started_at, limits=limits, why_no_client=why_no_client))
        for address, started_at in starts.items()
    )


def _is_workaround_on(snapshot: Snapshot, peer: Address) -> bool:
    return any(entry.address == peer and entry.verify_origin_server is False for entry in snapshot.peers)


def _why_no_client(client: Client, peer: Address, endpoints: Sequence[EndpointId], *, is_workaround_on: bool) -> str:
    if is_workaround_on:
        return "the workaround is on, so every endpoint passes"
    if reason := client.reason_not_to_ask(peer):
        return reason
    return "" if endpoints else "the change of its list fixes no endpoint that can be tested"


def _ask(look: EffectLook, peer: Address, endpoints: Sequence[EndpointId], *, is_restarted: bool, waits: bool) -> Views:
    context = look.context

    def read_context() -> PeerContext:
        refusing_nodes = find_refusing_nodes(context.plan.toward_nodes, peer)
        accepted = look.find_accepted_anyway(peer, endpoints)
        return PeerContext(read_health(context.open_peer(peer)), lambda: _judge_afresh(context, peer), accepted, refusing_nodes)

    products = products_of(look.after)
    return ask_for_proof(look.client, peer, endpoints, products, read_context, is_restarted=is_restarted, waits=waits)


def _judge_afresh(context: RunContext, peer: Address) -> Mapping[EndpointId, Verdict]:
    verdicts = context.environment.judge(context.observe())
    return {pair.endpoint: verdict for pair, verdict in verdicts.items() if pair.peer == peer}


def emit_effect(events: RunEvents, effect: PeerEffect, *, is_undo: bool = False) -> None:
    """Emit the effect on one peer: of what was written to it or, with `is_undo`, of the lists that it had before."""
    kinds = {
        EffectState.YES: ("in-effect", "In effect", "The earlier lists are in effect"),
        EffectState.NO: ("not-in-effect", "Not in effect", "The earlier lists are not in effect"),
        EffectState.NOT_KNOWN: (
            "effect-not-known",
            "Not known to be in effect",
            "The earlier lists are not known to be in effect",
        ),
    }
    kind, of_write, of_undo = kinds[effect.state]
    words = of_undo if is_undo else of_write
    source = effect.source.value if effect.source else None
    events.emit(kind, f"{words} on {effect.peer}: {effect.description}.", peer=effect.peer, by=source)
