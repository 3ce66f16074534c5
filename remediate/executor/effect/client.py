"""A client's requests through the peers of one cluster, and what they show.

They ask for endpoints that were refused, so no connection that was kept open answers in the place of the list. A 502 counts once it
has lasted for a while, and only where a fresh look shows that the endpoint verifies: a node that is down is a 502 too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from remediate.executor.client_view import Surroundings, decide_client_view, is_way_up, may_refuse_peer
from remediate.executor.environment import Environment
from remediate.executor.steps import RunEvents
from remediate.model.access import ClusterAccess, MraAccess, peers_sharing_way
from remediate.model.client import CLOSES_ACCOUNT, ENDS_ASKING, AnswerKind, ClientAnswer
from remediate.model.effect import ClientView
from remediate.model.health import Health
from remediate.model.identity import Address, EndpointId, Product, is_same_address
from remediate.model.limits import Limits
from remediate.model.snapshot import Snapshot
from remediate.model.verdict import Verdict

PASSES_BY_ITSELF = frozenset({AnswerKind.REFUSED})
PASSES_AFTER_A_RESTART = frozenset({AnswerKind.REFUSED, AnswerKind.OTHER, AnswerKind.NOTHING})
_ENDS_ASKING = ENDS_ASKING | {AnswerKind.NOTHING, AnswerKind.NOT_ASKED}

Answers = dict[EndpointId, ClientAnswer]


@dataclass(slots=True)
class Client:
    """A client that sends requests through the peers of one cluster. An account that was refused once is used no more."""

    cluster: ClusterAccess
    environment: Environment
    limits: Limits
    events: RunEvents
    check_stop: Callable[[], None] = lambda: None
    _refused_accounts: set[str] = field(default_factory=set)

    def reason_not_to_ask(self, peer: Address) -> str:
        """Return why nothing can be learned by asking through a peer; empty: something can."""
        access = self._find_access(peer)
        if access is None:
            return "the inventory has no `mra` for it"
        if shared_with := peers_sharing_way(self.cluster, peer):
            return f"its `mra` leads through {', '.join(shared_with)} too, so an answer does not show which peer gave it"
        if access.login and access.login.username in self._refused_accounts:
            return f"the login of {access.login.username} was refused, and is not tried again"
        return ""

    def ask(
        self,
        peer: Address,
        endpoints: Sequence[EndpointId],
        products: Mapping[EndpointId, Product],
        patience_s: float = 0.0,
        passing: frozenset[AnswerKind] = PASSES_BY_ITSELF,
        *,
        waits: bool = False,
    ) -> Answers:
        """Ask for endpoints through a peer, and ask again where the answer is `passing`, until it did or the patience ends.

        A 502 that could not be asked for again, since asking ended, has not lasted: it is no answer.

        Args:
            peer: The peer to ask through.
            endpoints: The endpoints.
            products: The product behind each endpoint.
            patience_s: How long to ask again.
            passing: Answers that pass by themselves.
            waits: Where the budget of sign-ins is spent, wait until it has room again.
        """
        access = self._find_access(peer)
        if access is None:
            return {}
        answers = self._ask_until_lasting(peer, access, endpoints, products, patience_s, passing, waits=waits)
        if AnswerKind.REFUSED in passing and patience_s and _is_asking_over(answers):
            return {endpoint: _doubt(answer) for endpoint, answer in answers.items()}
        return answers

    def _wait_for_sign_in(self, peer: Address, access: MraAccess, seconds: float) -> None:
        """Wait until the budget of sign-ins over a way has room again, and emit how long that takes."""
        remaining_s = next_event_s = seconds + 1
        while remaining_s > 0:
            self.check_stop()
            if remaining_s <= next_event_s:
                text = f"No sign-in over {access.url} for {remaining_s:.0f} s, then a client request shows what is in effect."
                self.events.emit("waiting", text, peer=peer, seconds=round(remaining_s))
                next_event_s = remaining_s - self.limits.sign_in_progress_s
            step_s = min(self.limits.sign_in_poll_s, remaining_s)
            self.environment.pause(step_s)
            remaining_s -= step_s

    def _find_access(self, peer: Address) -> MraAccess | None:
        return next((entry.mra for entry in self.cluster.peers if is_same_address(entry.address, peer)), None)

    def _ask_until_lasting(
        self,
        peer: Address,
        access: MraAccess,
        endpoints: Sequence[EndpointId],
        products: Mapping[EndpointId, Product],
        patience_s: float,
        passing: frozenset[AnswerKind],
        *,
        waits: bool,
    ) -> Answers:
        answers = self._ask_once(access, endpoints, products)
        again_in_s = next((answer.again_in_s for answer in answers.values() if answer.again_in_s is not None), None)
        if waits and again_in_s is not None and again_in_s <= self.limits.sign_in_window_s:
            self._wait_for_sign_in(peer, access, again_in_s)
            answers |= self._ask_once(access, endpoints, products)
        end = self.environment.now() + timedelta(seconds=patience_s)
        for look in range(int(patience_s / self.limits.effect_poll_s)):
            waiting = [endpoint for endpoint in endpoints if endpoint not in answers or answers[endpoint].kind in passing]
            if not waiting or _is_asking_over(answers, passing) or self.environment.now() >= end:
                break
            if look == 0:
                message = f"Testing again through {peer}: what clients get there may still change."
                self.events.emit("asking-again", message, peer=peer, seconds=int(patience_s))
            self.environment.pause(self.limits.effect_poll_s)
            answers |= self._ask_once(access, waiting, products)
        return answers

    def _ask_once(self, access: MraAccess, endpoints: Sequence[EndpointId], products: Mapping[EndpointId, Product]) -> Answers:
        """Ask for one endpoint after the other, until nothing answers or the login is refused."""
        answers: Answers = {}
        for endpoint in endpoints:
            self.check_stop()
            answer = self.environment.ask_through(access, endpoint.address, endpoint.port, products.get(endpoint), self.limits)
            answers[endpoint] = answer
            if answer.kind in CLOSES_ACCOUNT and access.login:
                self._refused_accounts.add(access.login.username)
            if answer.kind in _ENDS_ASKING:
                break
        return answers


@dataclass(frozen=True, slots=True)
class PeerContext:
    """What shows whether a client's 502 through a peer has another reason than the peer's verification.

    Attributes:
        health: The status of the peer; None: not observed.
        judge: Gives what each endpoint's certificates get from the peer, by a fresh look.
        accepted: Endpoints that the peer accepted before too: they show whether the way to it is open.
        refusing_nodes: The nodes that refuse the peer's own certificate.
    """

    health: Health | None
    judge: Callable[[], Mapping[EndpointId, Verdict]]
    accepted: Sequence[EndpointId]
    refusing_nodes: frozenset[Address]


def ask_for_proof(
    client: Client,
    peer: Address,
    endpoints: Sequence[EndpointId],
    products: Mapping[EndpointId, Product],
    read_context: Callable[[], PeerContext],
    *,
    is_restarted: bool,
    waits: bool = False,
) -> dict[EndpointId, ClientView]:
    """Ask for endpoints that a peer refused before and that its list accepts now, and return what clients get.

    Args:
        client: The client.
        peer: The peer to ask through.
        endpoints: Those endpoints.
        products: The product behind each endpoint.
        read_context: Called where a 502 has lasted.
        is_restarted: The peer restarted just now: it may answer again before clients get through, so whatever they get is waited out.
        waits: Where the budget of sign-ins is spent, wait until it has room again.
    """
    patience_s = client.limits.after_restart_s if is_restarted else client.limits.effect_s
    passing = PASSES_AFTER_A_RESTART if is_restarted else PASSES_BY_ITSELF
    answers = client.ask(peer, endpoints, products, patience_s, passing, waits=waits)
    kinds = {answer.kind for answer in answers.values()}
    if AnswerKind.REFUSED not in kinds:
        return view_answers(answers, endpoints, {}, Surroundings())
    context = read_context()
    if AnswerKind.REACHED not in kinds and not is_way_up(context.health):
        answers |= client.ask(peer, context.accepted[:1], products)
    return view_answers(answers, endpoints, context.judge(), Surroundings(health=context.health), context.refusing_nodes)


def view_answers(
    answers: Mapping[EndpointId, ClientAnswer],
    endpoints: Sequence[EndpointId],
    verdicts: Mapping[EndpointId, Verdict],
    surroundings: Surroundings,
    refusing_nodes: frozenset[Address] = frozenset(),
) -> dict[EndpointId, ClientView]:
    """Return what clients get for each of `endpoints` through one peer.

    Args:
        answers: The answers through that peer, of other endpoints too.
        endpoints: The endpoints.
        verdicts: What their certificates get from the peer, by a fresh look.
        surroundings: What is known of the peer.
        refusing_nodes: The nodes that refuse the peer's own certificate.
    """
    last = next((answer for answer in answers.values() if answer.kind is AnswerKind.NOT_ASKED), None)
    ending = last or ClientAnswer(AnswerKind.NOT_ASKED, "testing stopped before it")
    is_other_reached = any(answer.kind is AnswerKind.REACHED for answer in answers.values())
    views: dict[EndpointId, ClientView] = {}
    for endpoint in endpoints:
        verdict = verdicts.get(endpoint)
        of_endpoint = replace(
            surroundings,
            verifies=verdict.ok if verdict and verdict.observed else None,
            other_reached=is_other_reached,
            node_answers=verdict.observed if verdict else None,
            node_accepts_peer=False if may_refuse_peer(endpoint, refusing_nodes) else surroundings.node_accepts_peer,
        )
        views[endpoint] = decide_client_view(answers.get(endpoint, ending), of_endpoint)
    return views


def products_of(snapshot: Snapshot) -> dict[EndpointId, Product]:
    """Return the product behind each endpoint."""
    return {endpoint.id: endpoint.product for endpoint in snapshot.endpoints}


def _doubt(answer: ClientAnswer) -> ClientAnswer:
    if answer.kind is not AnswerKind.REFUSED:
        return answer
    return ClientAnswer(AnswerKind.OTHER, f"{answer.detail}; it could not be tested again")


def _is_asking_over(answers: Answers, passing: frozenset[AnswerKind] = frozenset()) -> bool:
    """Return whether asking ended before everything was asked for: then a 502 has not lasted, and what is left is not known."""
    return any(answer.kind in _ENDS_ASKING - passing for answer in answers.values())
