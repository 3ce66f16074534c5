"""Decision whether the peers of an undone run work with their earlier lists again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from remediate.executor.changes import find_additions, find_cipher_lists, find_removals
from remediate.executor.client_view import Surroundings, find_refusing_nodes
from remediate.executor.effect.client import Client, products_of, view_answers
from remediate.executor.effect.decision import EffectEvidence, Views, decide_undone
from remediate.executor.effect.evidence import gather_evidence, read_health, read_start
from remediate.executor.effect.observe import emit_effect
from remediate.executor.effect.pairs import find_pairs_fixed_by_list, with_certificates
from remediate.executor.environment import Environment
from remediate.executor.result import ManualStep
from remediate.executor.undo import UndoContext
from remediate.model.access import ClusterAccess
from remediate.model.client import AnswerKind
from remediate.model.effect import ClientState, ClientView, EffectState, PeerEffect
from remediate.model.errors import Interrupted, RemediateError
from remediate.model.identity import Address, EndpointId, PairId, is_same_address
from remediate.model.run import Backup
from remediate.model.snapshot import Peer, Snapshot
from remediate.model.verdict import Verdicts

_PASSING = frozenset({AnswerKind.REACHED})
"""A traffic server that loads a list by itself does so seconds later; until then, clients still get through."""


@dataclass(slots=True)
class UndoneLook:
    """The looks of one rollback at the peers of its run, and of its cluster.

    Attributes:
        client: The one client of the looks.
        client_views: What clients get, for each pair that was asked for.
    """

    undo: UndoContext
    cluster: ClusterAccess
    environment: Environment
    client: Client = field(init=False)
    client_views: dict[PairId, ClientView] = field(default_factory=dict)
    _snapshot: Snapshot | None = None

    def __post_init__(self) -> None:
        undo = self.undo
        self.client = Client(self.cluster, self.environment, undo.limits, undo.events, undo.check_stop)

    @property
    def addresses(self) -> tuple[Address, ...]:
        """The peers of the run, as the journal spells them, and then the others of the cluster."""
        of_run = tuple(self.undo.journal.backups(self.undo.run))
        names = {address.casefold() for address in of_run}
        of_cluster = (*(peer.address for peer in self.undo.peers), *self.undo.unreachable)
        return (*of_run, *(address for address in of_cluster if address.casefold() not in names))

    def snapshot(self) -> Snapshot:
        """Return the cluster as it is now; it is observed once. Raises RemediateError."""
        if self._snapshot is None:
            undo = self.undo
            observed = self.environment.observe(
                self.cluster, limits=undo.limits, sink=undo.events.forward, opened=undo.opened, is_last=True
            )
            self._snapshot = with_certificates(observed, undo.journal.plan(undo.run).certificates)
        return self._snapshot

    def judge(self) -> Verdicts:
        """Return what each endpoint gets from each peer now; nothing, with a warning, where that cannot be observed."""
        try:
            return self.environment.judge(self.snapshot())
        except Interrupted:
            raise
        except RemediateError as error:
            self.undo.events.emit("warning", f"The endpoints could not be checked: {error}")
            return {}


def observe_undone(look: UndoneLook, open_steps: Sequence[ManualStep] = ()) -> tuple[PeerEffect, ...]:
    """Look at each peer once a run is undone, and emit whether it works with its earlier lists again.

    `open_steps`: what could not be undone: whether a peer works with its earlier lists is not asked while it does not have them.
    """
    undo = look.undo
    waiting = {step.peer.casefold() for step in open_steps if step.peer is not None}
    is_anywhere = any(step.peer is None for step in open_steps)
    effects: list[PeerEffect] = []
    for address in look.addresses:
        if is_anywhere or address.casefold() in waiting:
            effect = PeerEffect(address, EffectState.NOT_KNOWN, None, "the run is not completely undone on it yet")
        else:
            effect = _observe_peer(look, address)
        effects.append(effect)
        emit_effect(undo.events, effect, is_undo=True)
    return tuple(effects)


def _observe_peer(look: UndoneLook, address: Address) -> PeerEffect:
    undo = look.undo
    peer = next((entry for entry in undo.peers if is_same_address(entry.address, address)), None)
    evidence = gather_evidence(
        undo.journal,
        address,
        read_start(peer),
        own_run=undo.run,
        limits=undo.limits,
        why_no_client=look.client.reason_not_to_ask(address),
    )
    effect = decide_undone(evidence, undo.run)
    if effect.state is EffectState.NOT_KNOWN and not evidence.why_no_client:
        effect = decide_undone(_ask(look, evidence), undo.run)
    return effect


def _ask(look: UndoneLook, evidence: EffectEvidence) -> EffectEvidence:
    """Return `evidence` with what clients get for the endpoints that the restored list refuses and the list of the run accepted."""
    try:
        now = look.snapshot()
    except Interrupted:
        raise
    except RemediateError as error:
        return replace(evidence, why_no_client=f"the endpoints' certificates were not read: {error}")
    peer = next((entry for entry in now.peers if is_same_address(entry.address, evidence.peer)), None)
    if peer is None or peer.error:
        return replace(evidence, why_no_client="its lists were not read")
    if peer.verify_origin_server is False:
        return replace(evidence, is_workaround_on=True)
    restored = {evidence.peer: Backup(evidence.peer, peer.trusted_ca, peer.ciphers)}
    run_state = replace(now, peers=tuple(_as_the_run_left_it(look, entry) if entry is peer else entry for entry in now.peers))
    endpoints = find_pairs_fixed_by_list(restored, run_state, look.environment.judge)[evidence.peer]
    if not endpoints:
        return replace(evidence, why_no_client="the restored list refuses no endpoint that can be tested")
    clients = _view_clients(look, evidence.peer, endpoints, now)
    look.client_views.update({PairId(evidence.peer, endpoint): view for endpoint, view in clients.items()})
    return replace(evidence, clients=clients)


def _as_the_run_left_it(look: UndoneLook, peer: Peer) -> Peer:
    plan = look.undo.journal.plan(look.undo.run)
    by_name = {address.casefold(): address for address in plan.base}
    address = by_name.get(peer.address.casefold(), peer.address)
    remaining = [fingerprint for fingerprint in peer.trusted_ca if fingerprint not in find_removals(plan, address)]
    added = sorted(find_additions(plan, address) - set(remaining))
    return replace(peer, trusted_ca=(*remaining, *added), ciphers={**peer.ciphers, **find_cipher_lists(plan)})


def _view_clients(look: UndoneLook, peer: Address, endpoints: tuple[EndpointId, ...], now: Snapshot) -> Views:
    """Return what clients get over new connections; refused counts where the 502 has no other reason than the list."""
    limits = look.undo.limits
    answers = look.client.ask(peer, endpoints, products_of(now), limits.effect_s, _PASSING, waits=True)
    judged = look.environment.judge(now).items()
    verdicts = {pair.endpoint: verdict for pair, verdict in judged if is_same_address(pair.peer, peer)}
    if any(answer.kind is AnswerKind.REFUSED for answer in answers.values()):
        accepted = [endpoint for endpoint, verdict in verdicts.items() if verdict.ok]
        answers |= look.client.ask(peer, accepted[:1], products_of(now))
    opened = next((entry for entry in look.undo.peers if is_same_address(entry.address, peer)), None)
    surroundings = Surroundings(health=read_health(opened))
    # Whether the list refuses is known here: its acceptance rules out every other cause of a 502.
    assumed = {endpoint: replace(verdict, ok=verdict.observed) for endpoint, verdict in verdicts.items()}
    refusing_nodes = find_refusing_nodes(look.undo.journal.plan(look.undo.run).toward_nodes, peer)
    views: Mapping[EndpointId, ClientView] = view_answers(answers, endpoints, assumed, surroundings, refusing_nodes)
    return {endpoint: _reword(view, answers[endpoint].detail) for endpoint, view in views.items() if endpoint in answers}


def _reword(view: ClientView, detail: str) -> ClientView:
    return replace(view, description=detail) if view.state is ClientState.REFUSED else view
