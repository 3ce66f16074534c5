"""Verification of a run (step 12): the cluster as judged afresh, compared with what must hold; and before the first write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from remediate.executor.changes import find_cipher_lists, find_removals
from remediate.executor.read_back import ChangeFailed
from remediate.executor.result import ManualStep
from remediate.model.certificate import Certificate
from remediate.model.identity import Address, Fingerprint, PairId
from remediate.model.plan import EndpointForecast, Plan, TrustCertificate
from remediate.model.snapshot import Peer, Snapshot
from remediate.model.toward_nodes import TowardNode
from remediate.model.verdict import Cause, Verdict, Verdicts


@dataclass(frozen=True, slots=True)
class Verification:
    """The endpoints of a cluster, compared with what must hold.

    Attributes:
        verdicts: What each endpoint gets from each peer.
        broken: Refused, although it should verify by the plan, or although it verified before.
        unseen: Could not be judged.
        remaining: Refused, as it was before and, where the plan names it, as planned.
        gaps: What discovery could not learn in this look: endpoints may be missing in it.
        refusing_nodes: What nodes refuse of the peers' own certificates in this look.
    """

    verdicts: Verdicts
    broken: tuple[EndpointForecast, ...]
    unseen: tuple[EndpointForecast, ...]
    remaining: tuple[EndpointForecast, ...]
    gaps: tuple[str, ...] = ()
    refusing_nodes: tuple[TowardNode, ...] = ()

    def verdict_on(self, forecast: EndpointForecast) -> Verdict | None:
        """Return what became of one forecast; None when it was not judged."""
        return self.verdicts.get(forecast.pair)

    def describe(self, forecast: EndpointForecast) -> str:
        """Return what is wrong with one forecast, in words."""
        verdict = self.verdict_on(forecast)
        reason = "was not seen" if verdict is None else (verdict.error or verdict.cause or "verifies")
        return f"{forecast.endpoint} from {forecast.peer}: {reason}"


class VerificationFailed(ChangeFailed):
    """An endpoint that should verify by the plan is refused after the writes."""

    def __init__(self, message: str, verification: Verification) -> None:
        super().__init__(message)
        self.verification = verification


def list_fixed_endpoints(plan: Plan) -> frozenset[str]:
    """Return the endpoints (``address:port``, as in ``because``) that some peer refuses before `plan` and accepts after it."""
    return frozenset(str(forecast.endpoint) for forecast in plan.endpoints if forecast.after.ok and not forecast.before.ok)


def list_unfixable_pairs(plan: Plan) -> dict[PairId, Cause | None]:
    """Return the pairs that stay refused after `plan`, with the cause that it gives."""
    return {
        forecast.pair: forecast.after.cause for forecast in plan.endpoints if forecast.after.observed and not forecast.after.ok
    }


def expect(plan: Plan, verdicts: Verdicts) -> tuple[EndpointForecast, ...]:
    """Return what must hold afterwards: what the plan promises, and that no endpoint is lost which verifies now, planned for or not.

    `verdicts` are what every endpoint gets from every peer before the run.
    """
    forecasts = {forecast.pair: forecast for forecast in plan.endpoints}
    for pair, now in verdicts.items():
        forecast = forecasts.get(pair, EndpointForecast(pair.endpoint.address, pair.endpoint.port, pair.peer, now, now))
        after = now if now.ok and not forecast.after.ok else forecast.after
        forecasts[pair] = replace(forecast, before=now, after=after)
    return tuple(forecasts.values())


def compare(forecasts: Sequence[EndpointForecast], verdicts: Verdicts) -> Verification:
    """Compare `verdicts` with `forecasts`; see `expect`."""
    broken: list[EndpointForecast] = []
    unseen: list[EndpointForecast] = []
    remaining: list[EndpointForecast] = []
    for forecast in forecasts:
        verdict = verdicts.get(forecast.pair)
        if verdict is None or not verdict.observed:
            unseen.append(forecast)
        elif not verdict.ok:
            (broken if forecast.after.ok else remaining).append(forecast)
    return Verification(verdicts, tuple(broken), tuple(unseen), tuple(remaining))


def find_worse(verification: Verification, peer: Address) -> tuple[EndpointForecast, ...]:
    """Return the endpoints that worked through `peer` before the first write and are refused now."""
    return tuple(forecast for forecast in verification.broken if forecast.before.ok and forecast.peer == peer)


def predict(
    plan: Plan, now: Snapshot, forecasts: Sequence[EndpointForecast], judge: Callable[[Snapshot], Verdicts]
) -> Verification:
    """Return the outcome of the plan by what endpoints present and peers trust now, compared with `forecasts`."""
    return compare(forecasts, judge(with_plan(plan, now)))


def with_list(now: Snapshot, address: Address, listed: Sequence[Certificate]) -> Snapshot:
    """Return one peer of the cluster in `now`, with the trusted CA list that was read from it since, and no other peer."""
    by_fingerprint = {certificate.fingerprint: certificate for certificate in listed}
    peers = tuple(replace(peer, trusted_ca=tuple(by_fingerprint)) for peer in now.peers if peer.address == address)
    return replace(now, peers=peers, certificates={**now.certificates, **by_fingerprint})


def with_plan(plan: Plan, now: Snapshot) -> Snapshot:
    """Return the cluster in `now` as `plan` would leave it."""
    peers = tuple(_peer_with_plan(plan, peer) for peer in now.peers)
    return replace(now, peers=peers, certificates={**plan.certificates, **now.certificates})


def _peer_with_plan(plan: Plan, peer: Peer) -> Peer:
    removed = find_removals(plan, peer.address)
    remaining = [fingerprint for fingerprint in peer.trusted_ca if fingerprint not in removed]
    added = [fingerprint for fingerprint in _list_additions(plan, peer.address) if fingerprint not in remaining]
    return replace(peer, trusted_ca=(*remaining, *added), ciphers={**peer.ciphers, **find_cipher_lists(plan)})


def _list_additions(plan: Plan, peer: Address) -> list[Fingerprint]:
    return [action.certificate for action in plan.actions if isinstance(action, TrustCertificate) and peer in action.peers]


def excuse(
    verification: Verification, steps: Sequence[ManualStep]
) -> tuple[tuple[EndpointForecast, ...], tuple[ManualStep, ...]]:
    """Return the broken endpoints that wait for no manual step, and the manual steps that are open."""
    promised = [*verification.broken, *(forecast for forecast in verification.unseen if forecast.after.ok)]
    waiting = {step: [forecast for forecast in promised if _waits_for(forecast, step, verification)] for step in steps}
    excused = {forecast.pair for forecasts in waiting.values() for forecast in forecasts}
    broken = tuple(forecast for forecast in verification.broken if forecast.pair not in excused)
    return broken, tuple(step for step in steps if step.open or waiting[step])


def _waits_for(forecast: EndpointForecast, step: ManualStep, verification: Verification) -> bool:
    if str(forecast.endpoint) in step.endpoints:
        return True
    verdict = verification.verdict_on(forecast)
    return step.is_refresh and (verdict is None or verdict.cause is Cause.NAME_MISMATCH)
