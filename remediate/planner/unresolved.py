"""What stays refused after the plan, one entry an endpoint, with what would help."""

from __future__ import annotations

from collections.abc import Iterator

from remediate.model.identity import Address
from remediate.model.plan import Unresolved
from remediate.model.snapshot import Endpoint, Snapshot
from remediate.model.verdict import Cause
from remediate.planner.advice import advise
from remediate.planner.choice import Chooser
from remediate.planner.forecast import Forecaster
from remediate.planner.refusal import Refusal
from remediate.planner.slots import Candidates

_WEB_PORT = 443


def unresolved(snapshot: Snapshot, forecaster: Forecaster, known: Candidates, chooser: Chooser) -> tuple[Unresolved, ...]:
    """Return every endpoint that some observed peer will refuse, and every peer that could not be observed."""
    return (*_unobserved_peers(snapshot), *_refused_endpoints(snapshot, forecaster, known, chooser))


def _unobserved_peers(snapshot: Snapshot) -> Iterator[Unresolved]:
    for peer in snapshot.peers:
        if peer.error is not None:
            text = f"This peer could not be looked at ({peer.error}), so nothing is planned for it."
            option = "Make it reachable from here and plan again, or apply to the other peers with --allow-incomplete."
            yield Unresolved(peer.address, _WEB_PORT, Cause.UNREACHABLE, text, (option,))


def _refused_endpoints(snapshot: Snapshot, forecaster: Forecaster, known: Candidates, chooser: Chooser) -> Iterator[Unresolved]:
    observed = [peer.address for peer in snapshot.peers if peer.error is None]
    for endpoint in snapshot.endpoints:
        refusing = [peer for peer in observed if not forecaster.outcome(peer, endpoint).verdict.ok]
        if refusing:
            advice = advise(_refusal(forecaster, refusing[0], endpoint), known, chooser.oracle)
            some = f"On {', '.join(refusing)} only: " if len(refusing) < len(observed) else ""
            yield Unresolved(endpoint.address, endpoint.port, advice.cause, some + advice.text, advice.options)


def _refusal(forecaster: Forecaster, peer: Address, endpoint: Endpoint) -> Refusal:
    return Refusal(
        endpoint,
        forecaster.presented(peer, endpoint),
        forecaster.explain(peer, endpoint),
        forecaster.after[peer],
        forecaster.added[peer],
        lambda certificate: forecaster.users(peer).get(certificate, ()),
    )
