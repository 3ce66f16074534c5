"""The refusals in logs: lines of all peers with one meaning at one endpoint are one refusal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from remediate.model.diagnosis import Process
from remediate.model.evidence import BadGateway, Evidence, LoggedFailure
from remediate.model.verdict import Cause, Verdict
from remediate.openssl.trust_store import V_UNSPECIFIED
from remediate.trust.error_codes import cause_of
from remediate.trust.texts import code_of, restore_text

_VERIFY_FAILED = "certificate verify failed"
_SIP_KINDS = frozenset({"sip", "sip-name"})


@dataclass(frozen=True, slots=True)
class LoggedRefusal:
    """A refusal at one endpoint.

    Attributes:
        port: The port; None where no line names it.
        verdict: The verdict by the log; None where clients got 502 and no line gives the reason.
        failures: The lines of all peers that logged it.
        bad_gateways: The requests that were answered with 502, of this port where it is known.
    """

    address: str
    ip: str | None
    port: int | None
    verdict: Verdict | None
    failures: tuple[LoggedFailure, ...]
    bad_gateways: tuple[BadGateway, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The address, and other names that the lines have for the node."""
        return tuple(dict.fromkeys([self.address, *(name for failure in self.failures for name in failure.names)]))

    @property
    def enforced(self) -> bool:
        """Whether it ended a request."""
        return bool(self.bad_gateways) or any(failure.enforced for failure in self.failures)

    @property
    def process(self) -> Process:
        """The process of the peer that logged it."""
        return "sip" if any(failure.kind in _SIP_KINDS for failure in self.failures) else "traffic-server"

    @property
    def alert(self) -> int | None:
        """The number of the alert that the server sent; None where it sent none."""
        return next((failure.alert for failure in self.failures if failure.alert is not None), None)

    @property
    def ports(self) -> tuple[int, ...]:
        """The port, or the candidates; empty where nothing is known."""
        return (self.port,) if self.port else tuple(sorted({gateway.port for gateway in self.bad_gateways}))


def group_refusals(evidence: Evidence) -> tuple[LoggedRefusal, ...]:
    """Return the refusals in the logs of `evidence`, in the order of their first lines."""
    gateways_by_address = dict[str, list[BadGateway]]()
    for gateway in evidence.bad_gateways:
        gateways_by_address.setdefault(gateway.address.casefold(), []).append(gateway)
    groups: dict[tuple[object, ...], list[LoggedFailure]] = {}
    for failure in _drop_echoes(evidence.logged_failures):
        verdict = _derive_verdict(failure)
        is_sip = failure.kind in _SIP_KINDS
        names = tuple(name.casefold() for name in failure.names)
        key = (names, failure.ip, failure.port, is_sip, verdict.error, verdict.code, verdict.depth)
        groups.setdefault(key, []).append(failure)
    refusals = [
        LoggedRefusal(
            failures[0].address,
            failures[0].ip,
            failures[0].port,
            _derive_verdict(failures[0]),
            tuple(failures),
            _select_bad_gateways(failures[0], gateways_by_address),
        )
        for failures in groups.values()
    ]
    return (*refusals, *_group_unexplained(refusals, evidence.bad_gateways))


def _drop_echoes(failures: Iterable[LoggedFailure]) -> list[LoggedFailure]:
    """Drop the ERROR lines of 8.x that repeat a WARNING for the same address with less detail."""
    failures = list(failures)
    explained = {
        (failure.peer, name.casefold()) for failure in failures if failure.kind in {"chain", "name"} for name in failure.names
    }
    return [
        failure
        for failure in failures
        if failure.kind != "connection"
        or failure.error != _VERIFY_FAILED
        or (failure.peer, failure.address.casefold()) not in explained
    ]


def _derive_verdict(failure: LoggedFailure) -> Verdict:
    if failure.kind in _SIP_KINDS:
        return _derive_sip_verdict(failure)
    if failure.kind == "name":
        return Verdict(ok=False, cause=Cause.NAME_MISMATCH, error=failure.error, depth=0)
    if failure.kind == "connection":
        # The line reports that the handshake ended, without OpenSSL's verdict on a certificate.
        cause = Cause.CHAIN_INVALID if failure.error == _VERIFY_FAILED else Cause.HANDSHAKE_FAILED
        return Verdict(ok=False, cause=cause, error=failure.error)
    code = code_of(failure.error) or V_UNSPECIFIED
    return Verdict(ok=False, cause=cause_of(code), error=restore_text(failure.error), code=code, depth=failure.depth)


def _derive_sip_verdict(failure: LoggedFailure) -> Verdict:
    if failure.kind == "sip-name":
        return Verdict(ok=False, cause=Cause.NAME_MISMATCH, error=failure.error)
    code = code_of(failure.error)
    if code is None:
        return Verdict(ok=False, cause=Cause.HANDSHAKE_FAILED, error=failure.error)
    return Verdict(ok=False, cause=cause_of(code), error=restore_text(failure.error), code=code)


def _select_bad_gateways(failure: LoggedFailure, gateways_by_address: Mapping[str, list[BadGateway]]) -> tuple[BadGateway, ...]:
    """Return the requests for the address of `failure`, which clients ask for by its connection address."""
    if not failure.enforced or failure.kind in _SIP_KINDS:
        return ()
    gateways = [gateway for name in failure.names for gateway in gateways_by_address.get(name.casefold(), [])]
    return tuple(gateway for gateway in gateways if failure.port in {None, gateway.port} and not gateway.tunnel_down)


def _group_unexplained(refusals: Iterable[LoggedRefusal], bad_gateways: Iterable[BadGateway]) -> list[LoggedRefusal]:
    """Return the requests that were answered with 502 and that no line explains."""
    explained = {gateway for refusal in refusals for gateway in refusal.bad_gateways}
    groups: dict[tuple[str, int, bool], list[BadGateway]] = {}
    for gateway in bad_gateways:
        if gateway not in explained:
            groups.setdefault((gateway.address.casefold(), gateway.port, gateway.tunnel_down), []).append(gateway)
    return [LoggedRefusal(group[0].address, None, group[0].port, None, (), tuple(group)) for group in groups.values()]
