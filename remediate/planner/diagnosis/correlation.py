"""Which of a capture's servers a log speaks of: by address, and where the log names no port, by what was presented there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from remediate.model.diagnosis import SeenChain, SeenEndpoint
from remediate.model.verdict import Cause
from remediate.planner.diagnosis.log_refusals import Told
from remediate.trust.hostnames import name_matches


class Servers:
    """The servers of captures, by what clients asked them for and by where they are."""

    def __init__(self, seen: Iterable[SeenEndpoint]) -> None:
        self._by_name: dict[str, list[SeenEndpoint]] = {}
        self._by_ip: dict[str, list[SeenEndpoint]] = {}
        for one in seen:
            # The traffic server asks by the connection address (SNI); for an IP address it names nothing.
            self._by_name.setdefault((one.address or "").casefold(), []).append(one)
            self._by_ip.setdefault(one.server, []).append(one)

    def matching(self, told: Told) -> tuple[Told, tuple[SeenEndpoint, ...]]:
        """Return the servers that `told` may be about; and `told` with its port, where there is only one."""
        # Where no hello was captured, the IP address has to do.
        without_hello = self._by_name.get("", []) if told.ip else []
        named = [*self._by_name.get(told.address.casefold(), []), *without_hello]
        there = [one for one in named if told.ip in {None, one.server} and one.port in (told.ports or (one.port,))]
        if told.port is not None:
            return told, tuple(there)
        fitting = [one for one in there if chain_told_of(told, one)]
        ports = {one.port for one in fitting}
        if len(ports) != 1:
            return told, tuple(fitting)
        port = ports.pop()
        return replace(told, port=port, answered=tuple(one for one in told.answered if one.port == port)), tuple(fitting)

    def under_another_name(self, told: Told) -> SeenChain | None:
        """Return what the same host presented when asked for by another name, where that has what `told` complains about."""
        there = (one for one in self._by_ip.get(told.ip or "", []) if one.port in (told.ports or (one.port,)))
        return next((chain for one in there if (chain := chain_told_of(told, one))), None)


def chain_told_of(told: Told, endpoint: SeenEndpoint) -> SeenChain | None:
    """Return the chain at `endpoint` that has what `told` complains about."""
    return next((chain for chain in endpoint.chains if _has_it(told, chain)), None)


def _has_it(told: Told, seen: SeenChain) -> bool:
    chain, verdict = seen.certificates, told.verdict
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
            return not name_matches(chain[0], told.address)
        case Cause.EXPIRED:
            # Above the leaf it may be an old copy in the peer's list that has ended, and not what was presented.
            return verdict.depth > 0 or bool(chain[0].not_after and seen.last and chain[0].not_after <= seen.last)
        case _:
            # The address and the port are all there is to go by.
            return True
