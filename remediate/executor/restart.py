"""The restart of peers on which the change is not in effect (step 11), one at a time, and the test that shows whether it is.

A client's request through a peer shows whether the new trust is in effect, where the inventory says how to send one. It asks for the
endpoints that the plan fixes there: they were refused, so no connection that was kept open answers in the place of the list. A 502
counts once it has lasted for a while, and only where a fresh look shows that the endpoint verifies: a node that is down is a 502 too,
and no restart fixes that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from remediate.executor import changes
from remediate.executor.context import Baseline, RunContext, RunState
from remediate.executor.operations import RestartOnPeer
from remediate.executor.result import ManualStep
from remediate.executor.steps import Step
from remediate.executor.verification import is_fixed, name_of
from remediate.executor.writer import ChangeOutcome, DryRunWriter, JournalingWriter
from remediate.model.access import MraAccess, peers_sharing_way
from remediate.model.client import ENDS_ASKING, AnswerKind, ClientAnswer
from remediate.model.expressway import DIAGNOSTIC_LOGGING_PAGE
from remediate.model.identity import Address
from remediate.model.plan import EndpointForecast
from remediate.model.text import first_few

_PASSES_BY_ITSELF = frozenset({AnswerKind.REFUSED})
_PASSES_AFTER_A_RESTART = frozenset({AnswerKind.REFUSED, AnswerKind.OTHER, AnswerKind.NOTHING})
_ENDS_ASKING = ENDS_ASKING | {AnswerKind.NOTHING, AnswerKind.NOT_ASKED}

Answers = dict[EndpointForecast, ClientAnswer]


def rehearse_restarts(context: RunContext, writer: DryRunWriter) -> None:
    """Emit what would be restarted in any case; what clients get depends on what was not written."""
    context.steps.enter(Step.RESTART)
    is_rolling = context.options.restart == "rolling"
    addresses = changes.peers_to_restart(context.plan, everywhere=is_rolling)
    for address in addresses if is_rolling else ():
        peer = context.open_peer(address)
        if peer is not None:
            writer.carry_out(peer, RestartOnPeer(address), Step.RESTART)
    if addresses:
        message = f"Whether the change is in effect on {', '.join(addresses)}: unknown until apply."
        context.events.emit("unknown", message, step=Step.RESTART.value)


def restart_peers(context: RunContext, state: RunState, writer: JournalingWriter, baseline: Baseline) -> None:
    """Test each peer that the plan changes, and restart it as `ApplyOptions.restart` says.

    After a peer that does not come back, or does not let clients through then, no other peer is restarted.
    """
    context.steps.enter(Step.RESTART)
    choice = context.options.restart
    restarts = _Restarts(context, state, writer, Client(context, baseline))
    addresses = changes.peers_to_restart(context.plan, everywhere=choice == "rolling")
    for address in addresses:
        if context.open_peer(address) is None:
            continue
        if choice == "never":
            restarts.report(address)
            continue
        goes_on = restarts.restart_in_any_case(address) if choice == "rolling" else restarts.restart_if_needed(address)
        if not goes_on:
            break
    restarts.remind()


@dataclass(frozen=True, slots=True)
class Effect:
    """The effect of a change on one peer.

    Attributes:
        in_effect: None: not known.
        description: What clients get, in the words that follow "a request through it"; where it is not known, why.
        refused: The endpoints that are refused although they verify.
    """

    in_effect: bool | None
    description: str
    refused: tuple[EndpointForecast, ...] = ()


@dataclass(slots=True)
class _Restarts:
    """The restarts of one run, one peer after the other.

    Attributes:
        restarted: The peers that were restarted so far.
        unknown: The peers of which it is not known whether the change is in effect, and why.
    """

    context: RunContext
    state: RunState
    writer: JournalingWriter
    client: Client
    restarted: list[Address] = field(default_factory=list)
    unknown: dict[Address, str] = field(default_factory=dict)

    def report(self, peer: Address) -> None:
        """Leave the restart of a peer to a person where the change is seen not to be in effect, which is no success."""
        effect = self._note(peer, self.client.test_effect(peer))
        if effect.in_effect is False:
            restart = RestartOnPeer(peer).manual_instruction
            text = f"A request through {peer} {effect.description}, and nothing restarts with --restart never. {restart}"
            self._leave_to_person(peer, text)

    def restart_if_needed(self, peer: Address) -> bool:
        """Restart a peer on which the change is seen not to be in effect; return whether the next peer may be restarted."""
        before = self._note(peer, self.client.test_effect(peer))
        if before.in_effect is not False:
            return True
        if not self._restart(peer):
            return False
        after = self._note(peer, self.client.test_effect_after_restart(peer, before.refused))
        return bool(after.in_effect) or self._report_no_help(peer, after)

    def restart_in_any_case(self, peer: Address) -> bool:
        """Restart a peer; return whether the next one may be restarted."""
        if not self._restart(peer):
            return False
        after = self._note(peer, self.client.test_effect_after_restart(peer))
        return after.in_effect is not False or self._report_no_help(peer, after)

    def remind(self) -> None:
        """Emit of which peers it is not known whether the change is in effect, and what a person does about it."""
        if not self.unknown:
            return
        reasons = _group_by_reason(self.unknown)
        if self.context.options.restart == "rolling":
            text = (
                f"Restarted, but that clients get through was not seen ({reasons}): send a request through each of these peers."
            )
        else:
            text = (
                f"Whether the traffic server has loaded the change cannot be seen from here ({reasons}): send a request "
                "through each of these peers, and restart those that still answer 502, one at a time."
            )
        self.context.events.emit("reminder", text, step=Step.RESTART.value)

    def _restart(self, peer: Address) -> bool:
        """Restart a peer and wait until it answers; return whether it does."""
        opened = self.context.open_peer(peer)
        change = RestartOnPeer(peer, self.context.limits, self.context.environment.pause)
        if opened is None or self.writer.carry_out(opened, change, Step.RESTART) is not ChangeOutcome.MANUAL:
            self.restarted.append(peer)
            return True
        self._leave_to_person(
            peer, f"Whether {peer} restarted is not known; {self._describe_earlier_restarts()}. {change.manual_instruction}"
        )
        return False

    def _note(self, peer: Address, effect: Effect) -> Effect:
        """Emit the effect of the change on a peer, or keep it for the reminder where it is not known."""
        events, step = self.context.events, Step.RESTART.value
        self.unknown.pop(peer, None)
        if effect.in_effect is None:
            self.unknown[peer] = effect.description
        elif effect.in_effect:
            events.emit("in-effect", f"In effect: a request through {peer} {effect.description}.", step=step, peer=peer)
        else:
            events.emit("not-in-effect", f"Not in effect: a request through {peer} {effect.description}.", step=step, peer=peer)
        return effect

    def _report_no_help(self, peer: Address, after: Effect) -> bool:
        """Leave a peer to a person that refuses clients after its restart too; return False: no other peer is restarted."""
        result = "still " if after.in_effect is False else "does not get through: "
        self.unknown.pop(peer, None)
        earlier = self._describe_earlier_restarts(peer)
        self._leave_to_person(
            peer,
            f"{peer} was restarted, and a request through it {result}{after.description}. {earlier[0].upper()}{earlier[1:]}. Take a "
            f"diagnostic log of {peer} ({DIAGNOSTIC_LOGGING_PAGE}) while a client asks again, and look for `verification failed` "
            "and `not in certificate`.",
        )
        return False

    def _describe_earlier_restarts(self, peer: Address | None = None) -> str:
        earlier = [restarted for restarted in self.restarted if restarted != peer]
        if not earlier:
            return "no other peer was restarted"
        return f"before it, {', '.join(earlier)} {'was' if len(earlier) == 1 else 'were'} restarted, and no other peer was"

    def _leave_to_person(self, peer: Address, text: str) -> None:
        self.state.leave_to_person(self.context.events, ManualStep(text, peer))


@dataclass(slots=True)
class Client:
    """A client that sends requests through the peers of one run. An account that was refused once is used no more."""

    context: RunContext
    baseline: Baseline
    _refused_accounts: set[str] = field(default_factory=set)

    def test_effect(self, peer: Address) -> Effect:
        """Test whether the change is in effect on a peer; a 502 is waited out for as long as a list may need to be loaded."""
        return self._test(peer, self._fixed_endpoints(peer), self.context.limits.effect_s, _PASSES_BY_ITSELF)

    def test_effect_after_restart(self, peer: Address, endpoints: Sequence[EndpointForecast] = ()) -> Effect:
        """Test the same of a peer that was restarted.

        The peer may answer again before clients get through it: whatever they get is waited out.

        Without `endpoints`, it asks for all that the plan fixes there.
        """
        patience_s = self.context.limits.after_restart_s
        return self._test(peer, endpoints or self._fixed_endpoints(peer), patience_s, _PASSES_AFTER_A_RESTART)

    def _fixed_endpoints(self, peer: Address) -> tuple[EndpointForecast, ...]:
        """Return the endpoints that a peer refused when the plan was made, and lets through once it is applied."""
        return tuple(forecast for forecast in self.context.plan.endpoints if forecast.peer == peer and is_fixed(forecast))

    def _test(
        self, peer: Address, endpoints: Sequence[EndpointForecast], patience_s: float, passing: frozenset[AnswerKind]
    ) -> Effect:
        access = next((entry.mra for entry in self.context.cluster.peers if entry.address == peer), None)
        reason = self._reason_not_to_ask(peer, access, endpoints)
        if access is None or reason:
            return Effect(None, reason)
        answers = self._ask_until_lasting(access, endpoints, patience_s, passing)
        refused = [endpoint for endpoint, answer in answers.items() if answer.kind is AnswerKind.REFUSED]
        if refused and not _is_asking_over(answers):
            return self._explain_refused(peer, refused)
        missing = [
            f"{name_of(endpoint)}: {answer.detail}"
            for endpoint, answer in answers.items()
            if answer.kind is not AnswerKind.REACHED
        ]
        if missing:
            return Effect(None, "; ".join(missing))
        return Effect(in_effect=True, description=f"reached {_list_names(endpoints)}")

    def _reason_not_to_ask(self, peer: Address, access: MraAccess | None, endpoints: Sequence[EndpointForecast]) -> str:
        """Return why nothing can be learned by asking; empty: something can."""
        if access is None:
            return "the inventory has no `mra` for it"
        if shared_with := peers_sharing_way(self.context.cluster, peer):
            return f"its `mra` leads through {', '.join(shared_with)} too, so an answer does not show whose it is"
        if not endpoints:
            return "the plan mends no endpoint there that could be asked for"
        if any(entry.address == peer and entry.verify_origin_server is False for entry in self.baseline.snapshot.peers):
            return "the workaround is on, so every endpoint is let through"
        if access.login and access.login.username in self._refused_accounts:
            return f"the login of {access.login.username} was refused, and is tried no more"
        return ""

    def _ask_until_lasting(
        self, access: MraAccess, endpoints: Sequence[EndpointForecast], patience_s: float, passing: frozenset[AnswerKind]
    ) -> Answers:
        """Ask, and ask again where the answer is one that passes, until it did or the patience is at its end."""
        limits, environment = self.context.limits, self.context.environment
        end = environment.now() + timedelta(seconds=patience_s)
        answers = self._ask(access, endpoints)
        for look in range(int(patience_s / limits.effect_poll_s)):
            waiting = [endpoint for endpoint in endpoints if endpoint not in answers or answers[endpoint].kind in passing]
            if not waiting or _is_asking_over(answers, passing) or environment.now() >= end:
                break
            if look == 0:
                message = f"Asking over {access.url} again, for up to {patience_s:.0f} s."
                self.context.events.emit("asking-again", message)
            environment.pause(limits.effect_poll_s)
            answers |= self._ask(access, waiting)
        return answers

    def _ask(self, access: MraAccess, endpoints: Sequence[EndpointForecast]) -> Answers:
        """Ask for one endpoint after the other, until nothing answers or the login is refused."""
        context = self.context
        products = {(endpoint.address, endpoint.port): endpoint.product for endpoint in self.baseline.snapshot.endpoints}
        answers: Answers = {}
        for endpoint in endpoints:
            context.stop.check()
            product = products.get((endpoint.address, endpoint.port))
            answer = context.environment.ask_through(access, endpoint.address, endpoint.port, product, context.limits)
            answers[endpoint] = answer
            if answer.kind is AnswerKind.NO_LOGIN and access.login:
                self._refused_accounts.add(access.login.username)
            if answer.kind in _ENDS_ASKING:
                break
        return answers

    def _explain_refused(self, peer: Address, refused: Sequence[EndpointForecast]) -> Effect:
        """Tell the endpoints that verify by a fresh look from those whose 502 has another reason."""
        judgements = self.context.environment.judge(self.context.observe())
        verdicts = {
            (judgement.address, judgement.port): judgement.outcome.verdict for judgement in judgements if judgement.peer == peer
        }
        judged = [(endpoint, verdicts.get((endpoint.address, endpoint.port))) for endpoint in refused]
        unexplained = tuple(endpoint for endpoint, verdict in judged if verdict and verdict.ok)
        if unexplained:
            description = f"gets HTTP 502 for {_list_names(unexplained)}, although the certificates verify"
            return Effect(in_effect=False, description=description, refused=unexplained)
        reasons = [
            f"{name_of(endpoint)}: {(verdict.error or verdict.cause) if verdict else 'not seen'}"
            for endpoint, verdict in judged
        ]
        return Effect(None, f"HTTP 502, which a list that is not loaded does not explain: {'; '.join(reasons)}")


def _is_asking_over(answers: Answers, passing: frozenset[AnswerKind] = frozenset()) -> bool:
    """Return whether asking ended before everything was asked for: then a 502 has not lasted, and what is left is not known."""
    return any(answer.kind in _ENDS_ASKING - passing for answer in answers.values())


def _list_names(endpoints: Sequence[EndpointForecast]) -> str:
    return first_few([name_of(endpoint) for endpoint in endpoints])


def _group_by_reason(reasons: Mapping[Address, str]) -> str:
    """Return ``expc1, expc2: one reason; expc3: another``."""
    peers_by_reason: dict[str, list[Address]] = {}
    for peer, reason in reasons.items():
        peers_by_reason.setdefault(reason, []).append(peer)
    return "; ".join(f"{', '.join(peers)}: {reason}" for reason, peers in peers_by_reason.items())
