"""The correlation of logs with captures: by address, and by the presented chain where the log names no port."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from remediate.model.diagnosis import CapturedChain, CapturedEndpoint
from remediate.model.verdict import Cause
from remediate.planner.diagnosis.log_refusals import LoggedRefusal
from remediate.trust.hostnames import name_matches


class EndpointIndex:
    """The endpoints in captures, by the address that clients asked for and by the server's IP address."""

    def __init__(self, endpoints: Iterable[CapturedEndpoint]) -> None:
        self._by_address: dict[str, list[CapturedEndpoint]] = {}
        self._by_ip: dict[str, list[CapturedEndpoint]] = {}
        for endpoint in endpoints:
            # The traffic server sends the connection address as SNI; for an IP address it sends none.
            self._by_address.setdefault((endpoint.address or "").casefold(), []).append(endpoint)
            self._by_ip.setdefault(endpoint.server_ip, []).append(endpoint)

    def match(self, refusal: LoggedRefusal) -> tuple[LoggedRefusal, tuple[CapturedEndpoint, ...]]:
        """Return the endpoints that `refusal` may be about; and `refusal`, with its port where only one is possible."""
        # Without a captured hello, the IP address has to do.
        without_hello = self._by_address.get("", []) if refusal.ip else []
        candidates = [
            endpoint
            for endpoint in (*self._find_by_name(refusal), *without_hello)
            if refusal.ip in {None, endpoint.server_ip} and _may_be_port(refusal, endpoint)
        ]
        if refusal.port is not None:
            return refusal, tuple(candidates)
        matches = [endpoint for endpoint in candidates if find_refused_chain(refusal, endpoint)]
        ports = {endpoint.port for endpoint in matches}
        if len(ports) != 1:
            return refusal, tuple(matches)
        port = ports.pop()
        bad_gateways = tuple(gateway for gateway in refusal.bad_gateways if gateway.port == port)
        return replace(refusal, port=port, bad_gateways=bad_gateways), tuple(matches)

    def _find_by_name(self, refusal: LoggedRefusal) -> list[CapturedEndpoint]:
        names = dict.fromkeys(name.casefold() for name in refusal.names)
        return [endpoint for name in names for endpoint in self._by_address.get(name, [])]

    def find_under_another_name(self, refusal: LoggedRefusal) -> CapturedChain | None:
        """Return the chain with the logged fault that the same host presented under another name; None if there is none."""
        endpoints = (endpoint for endpoint in self._by_ip.get(refusal.ip or "", []) if _may_be_port(refusal, endpoint))
        return next((chain for endpoint in endpoints if (chain := find_refused_chain(refusal, endpoint))), None)


def find_refused_chain(refusal: LoggedRefusal, endpoint: CapturedEndpoint) -> CapturedChain | None:
    """Return the chain at `endpoint` that has the logged fault; None if there is none."""
    return next((chain for chain in endpoint.chains if _has_fault(chain, refusal)), None)


def _may_be_port(refusal: LoggedRefusal, endpoint: CapturedEndpoint) -> bool:
    return not refusal.ports or endpoint.port in refusal.ports


def _has_fault(captured: CapturedChain, refusal: LoggedRefusal) -> bool:
    chain, verdict = captured.certificates, refusal.verdict
    if verdict is None or verdict.depth is None:
        return False
    match verdict.cause:
        case Cause.SELF_SIGNED_UNTRUSTED:
            return chain[0].self_signed
        case Cause.ISSUER_UNTRUSTED:
            return len(chain) > 1 and any(certificate.self_issued for certificate in chain)
        case Cause.ISSUER_UNKNOWN:
            return not chain[-1].self_issued
        case Cause.NAME_MISMATCH:
            return not name_matches(chain[0], refusal.address)
        case Cause.EXPIRED:
            # Above the leaf, the expired certificate may be an old copy in the peer's list rather than the presented one.
            return verdict.depth > 0 or bool(
                chain[0].not_after and captured.last_seen and chain[0].not_after <= captured.last_seen
            )
        case _:
            return True  # only the address and the port can be compared
