"""The unresolved endpoints: what stays refused after the plan, one entry per endpoint, with the advice on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from remediate.model.certificate import Chain
from remediate.model.identity import Address, KeyFamily
from remediate.model.plan import Unresolved
from remediate.model.snapshot import Endpoint, Snapshot
from remediate.model.verdict import Cause
from remediate.planner.advice.advisor import Advisor
from remediate.planner.advice.refusal import Advice, OtherEndpoints, Refusal
from remediate.planner.forecast import Forecaster
from remediate.planner.solver.trust_oracle import TrustOracle
from remediate.trust.guarded_verifier import GuardedChain

_KEY_NAMES: Mapping[KeyFamily, str] = {"rsa": "RSA", "ecdsa": "ECDSA"}


@dataclass(frozen=True, slots=True)
class AdviceSources:
    """The advisor, and the forecasts of the plans that the policy rules out.

    Attributes:
        with_removal: The forecast of the best plan that may remove certificates; None: it verifies no more, or is allowed.
        with_ciphers: The forecast of the best plan under any cipher policy; None likewise.
        guarded: The chains of other services, as the lists judge them today; a plan breaks none that verifies.
    """

    advisor: Advisor
    oracle: TrustOracle
    with_removal: Forecaster | None = None
    with_ciphers: Forecaster | None = None
    guarded: tuple[GuardedChain, ...] = ()


def list_unresolved(snapshot: Snapshot, forecaster: Forecaster, sources: AdviceSources) -> tuple[Unresolved, ...]:
    """Return the peers that could not be observed, then the endpoints that some observed peer will refuse."""
    observed = [peer.address for peer in snapshot.peers if peer.error is None]
    refusals = _Refusals(forecaster, sources, observed)
    refused = (refusals.advise_on(endpoint) for endpoint in snapshot.endpoints)
    return (*_list_unobserved_peers(snapshot), *(unresolved for unresolved in refused if unresolved))


def _list_unobserved_peers(snapshot: Snapshot) -> Iterator[Unresolved]:
    for peer in snapshot.peers:
        if peer.error is not None:
            text = f"This peer could not be checked ({peer.error}), so nothing is planned for it."
            option = "Make it reachable from here and plan again, or apply to the other peers with --allow-incomplete."
            yield Unresolved(peer.address, peer.rest_port, Cause.UNREACHABLE, text, (option,))


class _Refusals:
    """Advises on every endpoint at every peer that refuses it; peers with equal lists and ciphers share one advice."""

    def __init__(self, forecaster: Forecaster, sources: AdviceSources, observed: Sequence[Address]) -> None:
        self._forecaster = forecaster
        self._sources = sources
        self._observed = observed
        self._other_endpoints = {
            peer: OtherEndpoints(forecaster, peer, sources.oracle, sources.guarded)
            for peer in forecaster.distinct_peers(observed)
        }

    def advise_on(self, endpoint: Endpoint) -> Unresolved | None:
        """Return the advice on `endpoint`; None where every observed peer accepts it."""
        refusing = [peer for peer in self._observed if not self._forecaster.verify(peer, endpoint).ok]
        if not refusing:
            return None
        peers_by_advice: dict[Advice, list[Address]] = {}
        for representative in self._forecaster.distinct_peers(refusing):
            advice = self._sources.advisor.advise(self._make_refusal(representative, endpoint))
            alike = (peer for peer in refusing if self._forecaster.representative_of(peer) == representative)
            peers_by_advice.setdefault(advice, []).extend(alike)
        return self._merge(endpoint, peers_by_advice)

    def _merge(self, endpoint: Endpoint, peers_by_advice: Mapping[Advice, Sequence[Address]]) -> Unresolved:
        """Return one entry for `endpoint`; the peers are named unless all observed ones refuse it for the same reason."""
        refusing = [peer for peers in peers_by_advice.values() for peer in peers]
        everywhere = len(peers_by_advice) == 1 and len(refusing) == len(self._observed)
        texts = [
            advice.text if everywhere else f"On {', '.join(peers)} only: {advice.text}"
            for advice, peers in peers_by_advice.items()
        ]
        options = dict.fromkeys(
            [
                *self._suggest_ciphers(endpoint, refusing),
                *(option for advice in peers_by_advice for option in advice.options),
            ]
        )
        cause = next(iter(peers_by_advice)).cause
        return Unresolved(endpoint.address, endpoint.port, cause, " ".join(texts), tuple(options))

    def _make_refusal(self, peer: Address, endpoint: Endpoint) -> Refusal:
        forecaster = self._forecaster
        return Refusal(
            endpoint,
            forecaster.presented(peer, endpoint),
            forecaster.verify(peer, endpoint),
            forecaster.after[peer],
            forecaster.added[peer],
            self._other_endpoints[peer],
            self._list_removable(peer, endpoint),
        )

    def _list_removable(self, peer: Address, endpoint: Endpoint) -> Chain:
        forecaster = self._sources.with_removal
        return forecaster.removed[peer] if forecaster and forecaster.verify(peer, endpoint).ok else ()

    def _suggest_ciphers(self, endpoint: Endpoint, refusing: Sequence[Address]) -> Iterator[str]:
        """Yield the switch that lets `endpoint` present its other certificate, where every refusing peer accepts that."""
        forecaster = self._sources.with_ciphers
        verdicts = [forecaster.verify(peer, endpoint) for peer in refusing] if forecaster else []
        if forecaster and all(verdict.ok for verdict in verdicts):
            families = " or ".join(sorted({_KEY_NAMES[verdict.key] for verdict in verdicts if verdict.key}))
            yield f"Plan with --ciphers {forecaster.policy}: its {families} certificate is then presented, and verifies."
