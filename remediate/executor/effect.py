"""Step 11's question: is the new trust in effect? A client's request through a peer tells, where the inventory says how to send one.

Asked for are the endpoints that the plan mends there. They were refused, so no connection that was kept open answers in the place of
the list. A 502 counts once it has lasted for a while, and only where a fresh look says that the endpoint verifies: a node that is down
is a 502 too, and no restart mends that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from remediate.executor.context import Job, Seen
from remediate.executor.verification import name_of
from remediate.model.access import MraAccess
from remediate.model.client import ClientAnswer, Got
from remediate.model.identity import Address
from remediate.model.plan import EndpointForecast
from remediate.model.text import first_few

"""Endpoints that a sentence names before it counts the others."""
_COMES_BY_ITSELF = frozenset({Got.REFUSED})
_COMES_AFTER_A_RESTART = frozenset({Got.REFUSED, Got.OTHER, Got.NOTHING})

_ENDS_ASKING = frozenset({Got.NO_LOGIN, Got.NOTHING})

OpenSslAnswers = dict[EndpointForecast, ClientAnswer]


@dataclass(frozen=True, slots=True)
class Effect:
    """Whether what was changed on one peer is in effect.

    Attributes:
        known: yes, no, or None: not known.
        said: what clients get, in the words that follow "a request through it"; where it is not known, why.
        refused: the endpoints that are refused although they verify.
    """

    known: bool | None
    said: str
    refused: tuple[EndpointForecast, ...] = ()


@dataclass(slots=True)
class Client:
    """Asks as clients do, for one run. An account that was refused once is used no more, through whichever peer."""

    job: Job
    seen: Seen
    _refused_accounts: set[str] = field(default_factory=set)

    def effect_on(self, peer: Address) -> Effect:
        """Return whether the change is in effect on a peer; a 502 is waited out for as long as a list may need to be loaded."""
        return self._effect(peer, mended_on(self.job, peer), self.job.order.limits.effect_s, _COMES_BY_ITSELF)

    def effect_after_restart(self, peer: Address, asked: Sequence[EndpointForecast] = ()) -> Effect:
        """Return the same of a peer that was restarted, by `asked` or, left out, by all that the plan mends there.

        It may answer again before clients get through it: whatever they get is waited out.
        """
        patience = self.job.order.limits.after_restart_s
        return self._effect(peer, asked or mended_on(self.job, peer), patience, _COMES_AFTER_A_RESTART)

    def _effect(self, peer: Address, asked: Sequence[EndpointForecast], patience_s: float, passing: frozenset[Got]) -> Effect:
        way = self._way(peer)
        why_not = self._why_not(peer, way, asked)
        if way is None or why_not:
            return Effect(None, why_not)
        answers = self._lasting(way, asked, patience_s, passing)
        refused = [one for one, answer in answers.items() if answer.got is Got.REFUSED]
        if refused and not _ended(answers):
            return self._of_refused(peer, refused)
        missing = [f"{name_of(one)}: {answer.said}" for one, answer in answers.items() if answer.got is not Got.REACHED]
        return Effect(None, "; ".join(missing)) if missing else Effect(known=True, said=f"reached {_listed(asked)}")

    def _way(self, peer: Address) -> MraAccess | None:
        return next((one.mra for one in self.job.order.cluster.peers if one.address == peer), None)

    def _why_not(self, peer: Address, way: MraAccess | None, asked: Sequence[EndpointForecast]) -> str:
        """Why nothing can be learned by asking; empty: something can."""
        if way is None:
            return "the inventory has no `mra` for it"
        if not asked:
            return "the plan mends no endpoint there that could be asked for"
        if any(one.address == peer and one.verify_origin_server is False for one in self.seen.snapshot.peers):
            return "the workaround is on, so every endpoint is let through"
        if way.login and way.login.username in self._refused_accounts:
            return f"the login of {way.login.username} was refused, and is tried no more"
        return ""

    def _lasting(
        self, way: MraAccess, asked: Sequence[EndpointForecast], patience_s: float, passing: frozenset[Got]
    ) -> OpenSslAnswers:
        """Ask, and ask again where the answer is one that passes, until it did or the patience is at its end."""
        order = self.job.order
        end = order.world.now() + timedelta(seconds=patience_s)
        answers = self._ask(way, asked)
        for look in range(int(patience_s / order.limits.effect_poll_s)):
            waiting = [one for one in asked if one not in answers or answers[one].got in passing]
            if not waiting or _ended(answers, passing) or order.world.now() >= end:
                break
            if look == 0:
                order.voice.say("asking-again", f"Asking over {way.url} again, for up to {patience_s:.0f} s.")
            order.world.pause(order.limits.effect_poll_s)
            answers |= self._ask(way, waiting)
        return answers

    def _ask(self, way: MraAccess, asked: Sequence[EndpointForecast]) -> OpenSslAnswers:
        """Ask one after the other; where nobody answers or the login is refused, the others are not asked for."""
        order = self.job.order
        products = {(endpoint.address, endpoint.port): endpoint.product for endpoint in self.seen.snapshot.endpoints}
        answers: OpenSslAnswers = {}
        for one in asked:
            order.stop.check()
            product = products.get((one.address, one.port))
            answers[one] = order.world.ask_through(way, one.address, one.port, product, order.limits)
            if answers[one].got is Got.NO_LOGIN and way.login:
                self._refused_accounts.add(way.login.username)
            if answers[one].got in _ENDS_ASKING:
                break
        return answers

    def _of_refused(self, peer: Address, refused: Sequence[EndpointForecast]) -> Effect:
        """Tell those that verify by a fresh look from those whose 502 has another reason."""
        order = self.job.order
        snapshot = order.world.observe(order.cluster, limits=order.limits, sink=order.voice.send)
        verdicts = {(one.address, one.port): one.outcome.verdict for one in order.world.judge(snapshot) if one.peer == peer}
        found = [(one, verdicts.get((one.address, one.port))) for one in refused]
        unexplained = tuple(one for one, verdict in found if verdict and verdict.ok)
        if unexplained:
            said = f"gets HTTP 502 for {_listed(unexplained)}, although the certificates verify"
            return Effect(known=False, said=said, refused=unexplained)
        why = [f"{name_of(one)}: {(verdict.error or verdict.cause) if verdict else 'not seen'}" for one, verdict in found]
        return Effect(None, f"HTTP 502, which a list that is not loaded does not explain: {'; '.join(why)}")


def _ended(answers: OpenSslAnswers, passing: frozenset[Got] = frozenset()) -> bool:
    """Whether asking ended before everything was asked for: then a 502 has not lasted, and what is left is not known."""
    return any(answer.got in _ENDS_ASKING - passing for answer in answers.values())


def mended_on(job: Job, peer: Address) -> tuple[EndpointForecast, ...]:
    """The endpoints that a peer refused when the plan was made, and lets through once it is applied."""
    of_peer = [endpoint for endpoint in job.order.plan.endpoints if endpoint.peer == peer]
    return tuple(one for one in of_peer if one.after.verdict.ok and not one.before.verdict.ok)


def _listed(asked: Sequence[EndpointForecast]) -> str:
    return first_few([name_of(forecast) for forecast in asked])
