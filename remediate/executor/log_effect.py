"""The effect of a change on one peer, as its own traffic server's log shows it (contract, *In effect*, ``log``)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from remediate.model.effect import EffectSource, EffectState, PeerEffect
from remediate.model.evidence import AnsweredRequest, BadGateway, Evidence, LoggedFailure, LogTime
from remediate.model.identity import Address, EndpointId
from remediate.model.text import first_few


def read_effect_from_log(evidence: Evidence, peer: Address, since: datetime, endpoints: Collection[EndpointId]) -> PeerEffect:
    """Return whether a peer works with what was written to it, by what its log has since then.

    Only a request that a node is seen to answer is a yes. No line about one of the endpoints is not known.

    Args:
        evidence: The log of this peer alone.
        peer: The peer.
        since: The last write to it, by its own clock.
        endpoints: Those that were refused before the write, and that the change of the list fixes.
    """
    if any(not failure.enforced and _is_after(failure.last_seen, since) for failure in evidence.logged_failures):
        return _not_known(peer, "its log shows requests that passed with verification off, which proves nothing")
    refused, answered = set[EndpointId](), set[EndpointId]()
    for endpoint in endpoints:
        last_answer = _last_moment(_about(endpoint, evidence.answered_requests), since)
        last_refusal = _last_refusal(endpoint, evidence, since)
        if last_refusal and (last_answer is None or last_refusal >= last_answer):
            refused.add(endpoint)
        elif last_answer:
            answered.add(endpoint)
    if refused:
        sentence = f"its log still refuses {first_few(sorted(map(str, refused)))} by verification since the write"
        return PeerEffect(peer, EffectState.NO, EffectSource.LOG, sentence)
    if answered:
        sentence = f"its log shows {first_few(sorted(map(str, answered)))} answered since the write"
        return PeerEffect(peer, EffectState.YES, EffectSource.LOG, sentence)
    return _not_known(peer, "its log has no request since the write for an endpoint that was refused before")


def _not_known(peer: Address, sentence: str) -> PeerEffect:
    return PeerEffect(peer, EffectState.NOT_KNOWN, EffectSource.LOG, sentence)


def _last_refusal(endpoint: EndpointId, evidence: Evidence, since: datetime) -> datetime | None:
    """Return when the endpoint was last refused by verification; None where it was not, or where the port is not certain.

    The traffic server's line names no port. Where the port was not found, a 502 for this very endpoint has to go with it.
    """
    failures = [
        failure
        for failure in evidence.logged_failures
        if failure.kind == "chain"
        and failure.address.casefold() == endpoint.address.casefold()
        and failure.port in {None, endpoint.port}
    ]
    with_port = _last_moment((failure for failure in failures if failure.port is not None), since)
    without_port = _last_moment((failure for failure in failures if failure.port is None), since)
    bad_gateway = _last_moment(_about(endpoint, evidence.bad_gateways), since) if without_port else None
    moments = [moment for moment in (with_port, bad_gateway) if moment]
    return max(moments, default=None)


def _about(endpoint: EndpointId, requests: Iterable[AnsweredRequest | BadGateway]) -> Iterable[AnsweredRequest | BadGateway]:
    return (
        request
        for request in requests
        if request.port == endpoint.port and request.address.casefold() == endpoint.address.casefold()
    )


def _last_moment(lines: Iterable[AnsweredRequest | BadGateway | LoggedFailure], since: datetime) -> datetime | None:
    moments = (line.last_seen.at for line in lines if line.last_seen and line.last_seen.at)
    return max((moment for moment in moments if moment >= since), default=None)


def _is_after(moment: LogTime | None, since: datetime) -> bool:
    return bool(moment and moment.at and moment.at >= since)
