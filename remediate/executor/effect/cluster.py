"""Effects on a cluster as it is now, and what its clients get, for a command that writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from remediate.executor.boundary import add_boundary
from remediate.executor.client_view import Surroundings, find_refusing_nodes
from remediate.executor.effect.client import Client, products_of, view_answers
from remediate.executor.effect.decision import Views, decide_effect
from remediate.executor.effect.evidence import find_endpoints_fixed_since, gather_evidence
from remediate.executor.effect.outcome import effect_exit_code
from remediate.executor.environment import Environment, with_client
from remediate.executor.journal.store import Journal
from remediate.executor.steps import RunEvents
from remediate.model.access import ClusterAccess
from remediate.model.client import AnswerKind
from remediate.model.effect import ClientState, ClientView, PeerEffect
from remediate.model.events import Sink, silent
from remediate.model.exit_codes import ExitCode, most_serious
from remediate.model.identity import Address, EndpointId, PairId
from remediate.model.limits import Limits
from remediate.model.snapshot import Peer, Snapshot
from remediate.model.toward_nodes import TowardNode
from remediate.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class ClusterEffects:
    """What is in effect on each peer of a cluster, and what clients get for each pair."""

    effects: tuple[PeerEffect, ...]
    client_views: Mapping[PairId, ClientView]

    @property
    def exit_code(self) -> ExitCode:
        """PERSON_NEEDED where a client is refused although the list accepts, NOT_IN_EFFECT where an effect is not known."""
        is_refused = any(view.state is ClientState.REFUSED for view in self.client_views.values())
        return most_serious(
            [ExitCode.PERSON_NEEDED if is_refused else ExitCode.DONE, effect_exit_code(self.effects, never_restarts=False)]
        )


def observe_effects(
    cluster: ClusterAccess,
    snapshot: Snapshot,
    *,
    state_dir: Path,
    ask_clients: bool = True,
    toward_nodes: Sequence[TowardNode] = (),
    limits: Limits = Limits(),
    sink: Sink = silent,
    environment: Environment = Environment(),
) -> ClusterEffects:
    """Look at the journal, at each peer's start in `snapshot` and, with `ask_clients`, at what clients get. The journal is only read.

    Args:
        cluster: The cluster.
        snapshot: What was seen of it just now.
        state_dir: The directory of the journal, and of the count of sign-ins.
        ask_clients: Whether clients are asked.
        toward_nodes: The nodes' answers to the peers' own certificates.
        limits: The limits of each request.
        sink: Gets the events.
        environment: The client, the clock and the judge.

    Raises:
        JournalError: The journal cannot be read.
    """
    with Journal(state_dir) as journal, with_client(environment, state_dir) as opened:
        environment = add_boundary(opened)
        client = Client(cluster, environment, limits, RunEvents(sink, cluster.name))
        verdicts = environment.judge(snapshot)
        effects: list[PeerEffect] = []
        views: dict[PairId, ClientView] = {}
        for peer in snapshot.peers:
            reason = _why_no_client(client, peer) if ask_clients else "--no-clients was given"
            of_peer = {pair.endpoint: verdict for pair, verdict in verdicts.items() if pair.peer == peer.address}
            refusing_nodes = find_refusing_nodes(toward_nodes, peer.address)
            clients: Views = {} if reason else _ask_for_all(client, peer, snapshot, of_peer, refusing_nodes)
            endpoints = (endpoint.id for endpoint in snapshot.endpoints)
            views |= {
                PairId(peer.address, endpoint): clients.get(endpoint, ClientView(ClientState.NOT_ASKED, reason))
                for endpoint in endpoints
            }
            effects.append(_decide(journal, environment, snapshot, peer, clients, reason))
    return ClusterEffects(tuple(effects), views)


def _why_no_client(client: Client, peer: Peer) -> str:
    return "the peer was not checked" if peer.error else client.reason_not_to_ask(peer.address)


def _ask_for_all(
    client: Client,
    peer: Peer,
    snapshot: Snapshot,
    verdicts: Mapping[EndpointId, Verdict],
    refusing_nodes: frozenset[Address],
) -> Views:
    """Ask for every endpoint through a peer; a 502 that its list does not explain must last."""
    endpoints = tuple(endpoint.id for endpoint in snapshot.endpoints)
    products = products_of(snapshot)
    answers = client.ask(peer.address, endpoints, products)
    unexplained = [
        endpoint
        for endpoint, answer in answers.items()
        if answer.kind is AnswerKind.REFUSED and endpoint in verdicts and verdicts[endpoint].ok
    ]
    if unexplained and peer.verify_origin_server is not False:
        answers |= client.ask(peer.address, unexplained, products, client.limits.effect_s)
    surroundings = Surroundings(health=peer.health, workaround=peer.verify_origin_server is False)
    return view_answers(answers, endpoints, verdicts, surroundings, refusing_nodes)


def _decide(
    journal: Journal, environment: Environment, snapshot: Snapshot, peer: Peer, clients: Views, why_no_client: str
) -> PeerEffect:
    evidence = gather_evidence(journal, peer.address, peer.started_at)
    pending = evidence.pending_writes
    proving = find_endpoints_fixed_since(journal, environment.judge, snapshot, peer.address, pending) if pending else ()
    return decide_effect(
        replace(
            evidence,
            clients={endpoint: view for endpoint, view in clients.items() if endpoint in proving},
            is_workaround_on=peer.verify_origin_server is False,
            why_no_client=why_no_client or "the change of its list fixes no endpoint that can be tested",
        )
    )
