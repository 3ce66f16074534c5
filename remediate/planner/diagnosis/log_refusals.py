"""What logs tell, put together: lines that mean the same at the same endpoint, whichever peer wrote them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from remediate.model.diagnosis import Process
from remediate.model.evidence import BadGateway, Evidence, Logged
from remediate.model.verdict import Cause, Verdict
from remediate.planner.diagnosis.sip_advice import verdict_of_sip
from remediate.trust.error_codes import cause_of
from remediate.trust.openssl import V_OK, V_UNSPECIFIED
from remediate.trust.texts import code_of, restore_text

_JUST_REFUSED = "certificate verify failed"
_OF_SIP = frozenset({"sip", "sip-name"})


@dataclass(frozen=True, slots=True)
class Told:
    """One refusal at one endpoint.

    Attributes:
        port: None where no line says.
        verdict: None where clients got 502 and no line says why.
        lines: of every peer that wrote some.
        answered: requests that were answered with 502, of this port where it is known.
    """

    address: str
    ip: str | None
    port: int | None
    verdict: Verdict | None
    lines: tuple[Logged, ...]
    answered: tuple[BadGateway, ...] = ()

    @property
    def enforced(self) -> bool:
        """Whether a request was ended by it."""
        return bool(self.answered) or any(line.enforced for line in self.lines)

    @property
    def process(self) -> Process:
        """Which process of the peer wrote the lines."""
        return "sip" if any(line.kind in _OF_SIP for line in self.lines) else "traffic-server"

    @property
    def alert(self) -> int | None:
        """The number of the alert that the server sent; None where it sent none."""
        return next((line.alert for line in self.lines if line.alert is not None), None)

    @property
    def ports(self) -> tuple[int, ...]:
        """The port, or the ports that it may be."""
        return (self.port,) if self.port else tuple(sorted({one.port for one in self.answered}))


def told_by(evidence: Evidence) -> tuple[Told, ...]:
    """Return what the logs in `evidence` tell, in the order in which it was first said."""
    groups: dict[tuple[object, ...], list[Logged]] = {}
    answered = dict[str, list[BadGateway]]()
    for response in evidence.bad_gateways:
        answered.setdefault(response.address.casefold(), []).append(response)
    for echo in _without_echoes(evidence.logged):
        verdict = _verdict_of(echo)
        is_sip = echo.kind in _OF_SIP
        key = (echo.address.casefold(), echo.ip, echo.port, is_sip, verdict.error, verdict.code, verdict.depth)
        groups.setdefault(key, []).append(echo)
    told = [
        Told(lines[0].address, lines[0].ip, lines[0].port, _verdict_of(lines[0]), tuple(lines), _answers(lines[0], answered))
        for lines in groups.values()
    ]
    return (*told, *_silent(told, evidence.bad_gateways))


def _without_echoes(logged: Iterable[Logged]) -> list[Logged]:
    """Leave out the ERROR lines of 8.x that only repeat what a WARNING of the same address says better."""
    lines = list(logged)
    said = {(line.peer, line.address.casefold()) for line in lines if line.kind in {"chain", "name"}}
    return [
        line
        for line in lines
        if line.kind != "connection" or line.error != _JUST_REFUSED or (line.peer, line.address.casefold()) not in said
    ]


def _verdict_of(one: Logged) -> Verdict:
    if one.kind in _OF_SIP:
        return verdict_of_sip(one)
    if one.kind == "name":
        return Verdict(ok=False, cause=Cause.NAME_MISMATCH, error=one.error, code=V_OK, depth=0)
    if one.kind == "connection":
        # The line says that the handshake ended, not what OpenSSL held against a certificate.
        cause = Cause.CHAIN_INVALID if one.error == _JUST_REFUSED else Cause.HANDSHAKE_FAILED
        return Verdict(ok=False, cause=cause, error=one.error, code=V_OK)
    code = code_of(one.error) or V_UNSPECIFIED
    return Verdict(ok=False, cause=cause_of(code), error=restore_text(one.error), code=code, depth=one.depth)


def _answers(line: Logged, answered: Mapping[str, list[BadGateway]]) -> tuple[BadGateway, ...]:
    """The requests for the address of `line`: clients ask for the connection address, be it a name or an IP address."""
    found = answered.get(line.address.casefold(), [])
    return tuple(one for one in found if line.enforced and line.kind not in _OF_SIP and line.port in {None, one.port})


def _silent(told: Iterable[Told], answered: Iterable[BadGateway]) -> Iterable[Told]:
    """Requests answered with 502 of which no line tells why."""
    explained = {one for group in told for one in group.answered}
    groups: dict[tuple[str, int], list[BadGateway]] = {}
    for one in answered:
        if one not in explained:
            groups.setdefault((one.address.casefold(), one.port), []).append(one)
    return [Told(group[0].address, None, group[0].port, None, (), tuple(group)) for group in groups.values()]
