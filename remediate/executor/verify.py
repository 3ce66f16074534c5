"""Step 12: look at the cluster afresh, judge, and hold it against what the plan says. And the same before the first write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from remediate.executor.todo import to_remove
from remediate.model.identity import Address, Fingerprint
from remediate.model.plan import EndpointForecast, Outcome, Plan, SetCiphers, TrustCertificate
from remediate.model.snapshot import Peer, Snapshot
from remediate.model.verdict import Cause, Verdict

if TYPE_CHECKING:
    from remediate.trust.judge import Judgement


@dataclass(frozen=True, slots=True)
class Verification:
    """What became of a plan's forecasts, as sentences.

    Attributes:
        broken: refused, although the plan says that it verifies.
        unseen: could not be judged.
        remaining: refused, as the plan said.
    """

    judgements: tuple[Judgement, ...]
    broken: tuple[EndpointForecast, ...]
    unseen: tuple[EndpointForecast, ...]
    remaining: tuple[EndpointForecast, ...]
    outcomes: Mapping[tuple[Address, Address, int], Outcome]

    def sentence(self, forecast: EndpointForecast) -> str:
        """What is wrong with one forecast, for a person."""
        found = self.outcomes.get((forecast.peer, forecast.address, forecast.port))
        why = "was not seen" if found is None else (found.verdict.error or found.verdict.cause or "verifies")
        return f"{name_of(forecast)} from {forecast.peer}: {why}"


def name_of(forecast: EndpointForecast) -> str:
    """``address:port``, as a plan's ``because`` names it."""
    return f"[{forecast.address}]:{forecast.port}" if ":" in forecast.address else f"{forecast.address}:{forecast.port}"


def compare(plan: Plan, judgements: Sequence[Judgement]) -> Verification:
    """Hold `judgements` against the forecasts of `plan`."""
    outcomes = {(one.peer, one.address, one.port): one.outcome for one in judgements}
    broken: list[EndpointForecast] = []
    unseen: list[EndpointForecast] = []
    remaining: list[EndpointForecast] = []
    for one in plan.endpoints:
        found = outcomes.get((one.peer, one.address, one.port))
        if found is None or _not_observed(found.verdict):
            unseen.append(one)
        elif not found.verdict.ok:
            (broken if one.after.verdict.ok else remaining).append(one)
    return Verification(tuple(judgements), tuple(broken), tuple(unseen), tuple(remaining), outcomes)


def _not_observed(verdict: Verdict) -> bool:
    """A node that could not be looked at says so in its error; *no shared cipher* on a node that answers is a refusal like others."""
    looked_at = not (verdict.error or "").startswith(Cause.HANDSHAKE_FAILED)
    return verdict.cause is Cause.UNREACHABLE or (verdict.cause is Cause.HANDSHAKE_FAILED and not looked_at)


def worse_than_before(verification: Verification, peer: Address) -> tuple[EndpointForecast, ...]:
    """The endpoints that worked through `peer` before the plan and are refused now."""
    return tuple(one for one in verification.broken if one.before.verdict.ok and one.peer == peer)


def predicted(plan: Plan, now: Snapshot, judge: Callable[[Snapshot], Sequence[Judgement]]) -> Verification:
    """What the plan would come to, given what endpoints present and peers trust now."""
    peers = tuple(_with_plan(plan, peer) for peer in now.peers)
    certificates = {**plan.certificates, **now.certificates}
    return compare(plan, judge(replace(now, peers=peers, certificates=certificates)))


def _with_plan(plan: Plan, peer: Peer) -> Peer:
    removed = to_remove(plan, peer.address)
    kept = [one for one in peer.trusted_ca if one not in removed]
    added = [one for one in _added(plan, peer.address) if one not in kept]
    ciphers = {**peer.ciphers, **{one.name: one.after for one in plan.actions if isinstance(one, SetCiphers)}}
    return replace(peer, trusted_ca=(*kept, *added), ciphers=ciphers)


def _added(plan: Plan, peer: Address) -> list[Fingerprint]:
    return [one.certificate for one in plan.actions if isinstance(one, TrustCertificate) and peer in one.peers]
