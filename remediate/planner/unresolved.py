"""What stays refused after the plan, one entry an endpoint, with what would help."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from remediate.model.identity import Address, KeyFamily
from remediate.model.plan import Unresolved
from remediate.model.snapshot import Endpoint, Snapshot
from remediate.model.verdict import Cause
from remediate.planner.advice.advisor import Advisor
from remediate.planner.advice.refusal import Advice, Refusal
from remediate.planner.forecast import Forecaster
from remediate.planner.others import OthersAt
from remediate.planner.solver.trust_oracle import TrustOracle
from remediate.trust.chain_verifier import Chain

_KEY_NAMES: Mapping[KeyFamily, str] = {"rsa": "RSA", "ecdsa": "ECDSA"}


@dataclass(frozen=True, slots=True)
class Helpers:
    """What advice is taken from.

    Attributes:
        removing: the forecast of the best plan that may take certificates out; None: it verifies no more, or this is it.
        ciphers: the forecast of the best plan under any cipher policy; None likewise.
    """

    advisor: Advisor
    oracle: TrustOracle
    removing: Forecaster | None = None
    ciphers: Forecaster | None = None


def unresolved(snapshot: Snapshot, forecaster: Forecaster, helpers: Helpers) -> tuple[Unresolved, ...]:
    """Return every endpoint that some observed peer will refuse, and every peer that could not be observed."""
    observed = [peer.address for peer in snapshot.peers if peer.error is None]
    refusals = _Refusals(forecaster, helpers, observed)
    refused = (refusals.of(endpoint) for endpoint in snapshot.endpoints)
    return (*_unobserved_peers(snapshot), *(one for one in refused if one))


def _unobserved_peers(snapshot: Snapshot) -> Iterator[Unresolved]:
    for peer in snapshot.peers:
        if peer.error is not None:
            text = f"This peer could not be looked at ({peer.error}), so nothing is planned for it."
            option = "Make it reachable from here and plan again, or apply to the other peers with --allow-incomplete."
            yield Unresolved(peer.address, peer.rest_port, Cause.UNREACHABLE, text, (option,))


class _Refusals:
    """Advises on every endpoint at every peer that refuses it; peers that are alike are advised on once."""

    def __init__(self, forecaster: Forecaster, helpers: Helpers, observed: Sequence[Address]) -> None:
        self._forecaster = forecaster
        self._helpers = helpers
        self._observed = observed
        self._others = {peer: OthersAt(forecaster, peer, helpers.oracle) for peer in forecaster.distinct_peers(observed)}

    def of(self, endpoint: Endpoint) -> Unresolved | None:
        """Return what is said of `endpoint`; None where every observed peer accepts it."""
        refusing = [peer for peer in self._observed if not self._forecaster.outcome(peer, endpoint).verdict.ok]
        if not refusing:
            return None
        peers: dict[Advice, list[Address]] = {}
        for kind in dict.fromkeys(self._forecaster.representative_of(peer) for peer in refusing):
            advice = self._helpers.advisor.advise(self._refusal(kind, endpoint))
            peers.setdefault(advice, []).extend(peer for peer in refusing if self._forecaster.representative_of(peer) == kind)
        return self._told(endpoint, peers)

    def _told(self, endpoint: Endpoint, peers: dict[Advice, list[Address]]) -> Unresolved:
        everywhere = len(peers) == 1 and len(next(iter(peers.values()))) == len(self._observed)
        said = [one.text if everywhere else f"On {', '.join(some)} only: {one.text}" for one, some in peers.items()]
        refusing = [peer for some in peers.values() for peer in some]
        options = dict.fromkeys(
            [*self._by_ciphers(endpoint, refusing), *(option for advice in peers for option in advice.options)]
        )
        return Unresolved(endpoint.address, endpoint.port, next(iter(peers)).cause, " ".join(said), tuple(options))

    def _refusal(self, peer: Address, endpoint: Endpoint) -> Refusal:
        forecaster = self._forecaster
        return Refusal(
            endpoint,
            forecaster.presented(peer, endpoint),
            forecaster.explain(peer, endpoint),
            forecaster.after[peer],
            forecaster.added[peer],
            self._others[peer],
            self._removable(peer, endpoint),
        )

    def _removable(self, peer: Address, endpoint: Endpoint) -> Chain:
        other = self._helpers.removing
        return other.removed[peer] if other and other.outcome(peer, endpoint).verdict.ok else ()

    def _by_ciphers(self, endpoint: Endpoint, refusing: Sequence[Address]) -> Iterator[str]:
        """The switch that lets `endpoint` present its other certificate, where that was seen to help everywhere."""
        other = self._helpers.ciphers
        outcomes = [other.outcome(peer, endpoint) for peer in refusing] if other else []
        if other and all(outcome.verdict.ok for outcome in outcomes):
            families = {_KEY_NAMES[outcome.key] for outcome in outcomes if outcome.key}
            shown = " or ".join(sorted(families))
            yield f"Plan with --ciphers {other.policy}: its {shown} certificate is then presented, and verifies."
