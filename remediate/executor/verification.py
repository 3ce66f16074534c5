"""Step 12: look at the cluster afresh, judge, and hold it against what the plan says. And the same before the first write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from remediate.executor.changes import to_remove
from remediate.model.identity import Address, Fingerprint, endpoint_name
from remediate.model.plan import EndpointForecast, Plan, SetCiphers, TrustCertificate
from remediate.model.snapshot import Peer, Snapshot
from remediate.model.verdict import Outcome

if TYPE_CHECKING:
    from remediate.model.verdict import Judgement


@dataclass(frozen=True, slots=True)
class Verification:
    """What became of forecasts.

    Attributes:
        broken: refused, although the plan says that it verifies, or although it verified before.
        unseen: could not be judged.
        remaining: refused, as it was before and as the plan said if it spoke of it.
        gaps: what discovery could not learn in this look: endpoints may be missing in it.
    """

    judgements: tuple[Judgement, ...]
    broken: tuple[EndpointForecast, ...]
    unseen: tuple[EndpointForecast, ...]
    remaining: tuple[EndpointForecast, ...]
    outcomes: Mapping[tuple[Address, Address, int], Outcome]
    gaps: tuple[str, ...] = ()

    def sentence(self, forecast: EndpointForecast) -> str:
        """What is wrong with one forecast, for a person."""
        found = self.outcomes.get((forecast.peer, forecast.address, forecast.port))
        why = "was not seen" if found is None else (found.verdict.error or found.verdict.cause or "verifies")
        return f"{name_of(forecast)} from {forecast.peer}: {why}"


def name_of(forecast: EndpointForecast) -> str:
    """``address:port``, as a plan's ``because`` names it."""
    return endpoint_name(forecast.address, forecast.port)


def mended(plan: Plan) -> frozenset[str]:
    """Return the endpoints, by `name_of`, that some peer refuses before `plan` and accepts after it."""
    return frozenset(
        name_of(endpoint) for endpoint in plan.endpoints if endpoint.after.verdict.ok and not endpoint.before.verdict.ok
    )


def expected(plan: Plan, today: Sequence[Judgement]) -> tuple[EndpointForecast, ...]:
    """Return what must hold afterwards: what the plan says, and that nothing which verifies `today` is lost, planned for or not."""
    found = {(endpoint.peer, endpoint.address, endpoint.port): endpoint for endpoint in plan.endpoints}
    for one in today:
        key = (one.peer, one.address, one.port)
        forecast = found.get(key, EndpointForecast(one.address, one.port, one.peer, one.outcome, one.outcome))
        after = one.outcome if one.outcome.verdict.ok and not forecast.after.verdict.ok else forecast.after
        found[key] = replace(forecast, before=one.outcome, after=after)
    return tuple(found.values())


def compare(forecasts: Sequence[EndpointForecast], judgements: Sequence[Judgement]) -> Verification:
    """Hold `judgements` against `forecasts`; see `expected`."""
    outcomes = {(judgement.peer, judgement.address, judgement.port): judgement.outcome for judgement in judgements}
    broken: list[EndpointForecast] = []
    unseen: list[EndpointForecast] = []
    remaining: list[EndpointForecast] = []
    for forecast in forecasts:
        found = outcomes.get((forecast.peer, forecast.address, forecast.port))
        if found is None or not found.verdict.observed:
            unseen.append(forecast)
        elif not found.verdict.ok:
            (broken if forecast.after.verdict.ok else remaining).append(forecast)
    return Verification(tuple(judgements), tuple(broken), tuple(unseen), tuple(remaining), outcomes)


def worse_than_before(verification: Verification, peer: Address) -> tuple[EndpointForecast, ...]:
    """The endpoints that worked through `peer` before the first write and are refused now."""
    return tuple(one for one in verification.broken if one.before.verdict.ok and one.peer == peer)


def predicted(
    plan: Plan, now: Snapshot, forecasts: Sequence[EndpointForecast], judge: Callable[[Snapshot], Sequence[Judgement]]
) -> Verification:
    """What the plan would come to, given what endpoints present and peers trust now, held against `forecasts`."""
    return compare(forecasts, judge(with_plan(plan, now)))


def with_plan(plan: Plan, now: Snapshot) -> Snapshot:
    """Return the cluster in `now` as `plan` would leave it."""
    peers = tuple(_with_plan(plan, peer) for peer in now.peers)
    return replace(now, peers=peers, certificates={**plan.certificates, **now.certificates})


def _with_plan(plan: Plan, peer: Peer) -> Peer:
    removed = to_remove(plan, peer.address)
    kept = [fingerprint for fingerprint in peer.trusted_ca if fingerprint not in removed]
    added = [one for one in _added(plan, peer.address) if one not in kept]
    ciphers = {**peer.ciphers, **{action.name: action.after for action in plan.actions if isinstance(action, SetCiphers)}}
    return replace(peer, trusted_ca=(*kept, *added), ciphers=ciphers)


def _added(plan: Plan, peer: Address) -> list[Fingerprint]:
    return [action.certificate for action in plan.actions if isinstance(action, TrustCertificate) and peer in action.peers]
