"""Results of clients through one peer, from its own traffic server's log (contract, *In effect*, ``log``). Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TypeVar

from remediate.model.effect import ClientState, ClientView
from remediate.model.evidence import AnsweredRequest, BadGateway, Evidence, LoggedFailure
from remediate.model.identity import EndpointId, is_same_address

_L = TypeVar("_L", AnsweredRequest, BadGateway, LoggedFailure)
_R = TypeVar("_R", AnsweredRequest, BadGateway)


def view_log(evidence: Evidence, since: datetime, endpoints: Collection[EndpointId]) -> dict[EndpointId, ClientView]:
    """Return what clients got for each of `endpoints`, by what the log of one peer has since its last write.

    An endpoint was reached only if a node is seen to answer a request, and refused only by verification. The last line about it
    counts. It is not in the result where the log has none.

    Args:
        evidence: The log of this peer alone.
        since: The last write to the peer, by its own clock.
        endpoints: Those that were refused before the write, and that the change of the list fixes.
    """
    if any(not failure.enforced for failure in _after(since, evidence.logged_failures)):
        view = ClientView(
            ClientState.NOT_KNOWN, "the log shows requests that passed with verification off, which proves nothing"
        )
        return dict.fromkeys(endpoints, view)
    views = {}
    for endpoint in endpoints:
        answered = _last_moment(_about(endpoint, _after(since, evidence.answered_requests)))
        refused = _last_refusal(endpoint, evidence, since)
        if refused and (answered is None or refused >= answered):
            views[endpoint] = ClientView(ClientState.REFUSED, "the log still shows it refused by verification since the write")
        elif answered:
            views[endpoint] = ClientView(ClientState.REACHED, "the log shows an answer of the node since the write")
    return views


def _last_refusal(endpoint: EndpointId, evidence: Evidence, since: datetime) -> datetime | None:
    """Return when the endpoint was last refused by verification; None where it was not, or where the port is not certain.

    The traffic server's line names no port. Where the port was not found, a 502 for this very endpoint has to go with it.
    """
    failures = [
        failure
        for failure in _after(since, evidence.logged_failures)
        if failure.kind == "chain"
        and is_same_address(failure.address, endpoint.address)
        and failure.port in {None, endpoint.port}
    ]
    with_port = _last_moment(failure for failure in failures if failure.port is not None)
    is_without_port = any(failure.port is None for failure in failures)
    bad_gateway = _last_moment(_about(endpoint, _after(since, evidence.bad_gateways))) if is_without_port else None
    return max((moment for moment in (with_port, bad_gateway) if moment), default=None)


def _after(since: datetime, lines: Iterable[_L]) -> list[_L]:
    return [line for line in lines if line.last_seen and line.last_seen.at and line.last_seen.at >= since]


def _about(endpoint: EndpointId, requests: Iterable[_R]) -> list[_R]:
    return [
        request for request in requests if request.port == endpoint.port and is_same_address(request.address, endpoint.address)
    ]


def _last_moment(lines: Iterable[AnsweredRequest | BadGateway | LoggedFailure]) -> datetime | None:
    return max((line.last_seen.at for line in lines if line.last_seen and line.last_seen.at), default=None)
