"""Findings: one for each refusal in logs, with the captures of that endpoint, and one for each endpoint only in captures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from remediate.model.diagnosis import CapturedChain, CapturedEndpoint, Finding, FindingStatus
from remediate.model.evidence import Alert, LoggedFailure
from remediate.model.identity import is_ip
from remediate.model.verdict import TRUST_CAUSES, Cause, Verdict
from remediate.planner.advice.hostnames import list_host_names
from remediate.planner.diagnosis.alert_advice import AlertPlace, advise_on_client_alert, advise_on_server_alert
from remediate.planner.diagnosis.chain_advice import advise_on_chain, suggest_commands
from remediate.planner.diagnosis.correlation import find_refused_chain
from remediate.planner.diagnosis.log_advice import SWITCH_ON_LOGGERS, advise_on_log, advise_on_unexplained_502
from remediate.planner.diagnosis.log_refusals import LoggedRefusal
from remediate.planner.diagnosis.sip_advice import SIP_REMARK, advise_on_sip
from remediate.planner.diagnosis.trusted_lists import LOADED_ADVICE, TrustedLists
from remediate.trust.hostnames import matching_addresses, name_matches
from remediate.trust.verifier import verify_chain

_EXPIRED, _UNKNOWN_CA = 45, 48
_WORKAROUND = "Verification is off on that peer (the workaround): requests pass now, and will be refused once it is on again."
_ANOTHER_LIST = "It verifies with the given list: the peer had another list at that time, or has not loaded this one."
_ACCEPTED_DESPITE_LIST = (
    "The client accepted a chain that the given list refuses: verification is off there, or the client has another list."
)
_NO_HELLO = "No ClientHello was captured, so the requested name is not known, and names are not checked."
_TLS_1_3 = "TLS 1.3 encrypts certificates, so the capture cannot show them."
_INCOMPLETE = "The capture lacks bytes of some handshakes, so it does not show everything that was presented."
_RESUMED = "Some sessions were resumed: no certificate was presented or verified in them."
_MALFORMED = "Some handshakes presented certificates that cannot be parsed."
_NO_ANSWER = "Some ClientHellos have no answer in the capture."
_UNDER_ANOTHER_NAME = (
    "The capture shows this host only under another name; the advice assumes that it presents the same chain under this one."
)
_ECDSA_FIRST = (
    "The client prefers ECDSA. A node that also has an RSA certificate presents that one if RSA is preferred; "
    "`remediate plan` tries both."
)


class FindingBuilder:
    """Builds findings by the trusted CA lists of the peers, or without a list."""

    def __init__(self, lists: TrustedLists, now: datetime) -> None:
        self._lists = lists
        self._now = now

    def from_log(
        self, refusal: LoggedRefusal, captured: tuple[CapturedEndpoint, ...], substitute: CapturedChain | None = None
    ) -> Finding:
        """Build the finding for a refusal in logs.

        Args:
            refusal: The refusal, with its port where that is known.
            captured: The same endpoint in captures.
            substitute: The chain that the same host presented under another name; used for advice only.
        """
        chain = next((chain for endpoint in captured if (chain := find_refused_chain(refusal, endpoint))), None)
        ports = _determine_ports(refusal, captured)
        return Finding(
            address=refusal.address,
            ip=refusal.ip,
            ports=ports,
            status="refused" if refusal.enforced else "tolerated",
            verdict=_refine_verdict(refusal, chain),
            logged_failures=refusal.failures,
            bad_gateways=refusal.bad_gateways,
            captured_endpoints=captured,
            possible_ports=() if ports else refusal.ports,
            remarks=(
                *_remark_on_log(refusal, chain),
                *_remark_on_capture(captured, chain),
                *([_UNDER_ANOTHER_NAME] if substitute else []),
                *(() if chain or refusal.process == "sip" else self._lists.remark(refusal.verdict, _list_hosts(refusal))),
            ),
            advice=self._advise_on_log(refusal, chain or substitute, captured),
            commands=_suggest_commands(refusal, chain),
            process=refusal.process,
        )

    def from_capture(self, endpoint: CapturedEndpoint) -> Finding:
        """Build the finding for an endpoint that no log mentions."""
        address = endpoint.address or endpoint.server_ip
        verdict, chain = self._judge_refusal(endpoint)
        status = _determine_status(endpoint, verdict, chain)
        commands = suggest_commands(address, certificate_matters=chain is not None, tolerated=False) if verdict else ()
        return Finding(
            address=address,
            ip=endpoint.server_ip,
            ports=(endpoint.port,),
            status=status,
            verdict=verdict,
            captured_endpoints=(endpoint,),
            remarks=(*_remark_on_list(status, chain), *_remark_on_capture((endpoint,), chain)),
            advice=self._advise_on_capture(endpoint, address, verdict, chain),
            commands=tuple(commands),
        )

    def _advise_on_log(
        self, refusal: LoggedRefusal, chain: CapturedChain | None, captured: tuple[CapturedEndpoint, ...]
    ) -> tuple[str, ...]:
        verdict = refusal.verdict
        if verdict is None:
            ports = f":{refusal.port}" if refusal.port else ""
            return advise_on_unexplained_502(refusal.address, ports, refusal.bad_gateways)
        if refusal.process == "sip":
            by_list = self._lists.advise(refusal.address, verdict, _list_hosts(refusal))
            return by_list or advise_on_sip(AlertPlace(refusal.address, refusal.port, "sip"), verdict, refusal.alert)
        if refusal.alert is not None:
            return _advise_on_server_alert(AlertPlace(refusal.address, refusal.port), refusal.alert, captured)
        port = next(iter(_determine_ports(refusal, captured)), None)
        by_chain = self._advise_on_chain(refusal.address, chain, verdict, port) if chain and verdict.depth is not None else ()
        by_list = () if chain else self._lists.advise(refusal.address, verdict, _list_hosts(refusal))
        searched = verdict.cause in TRUST_CAUSES and self._lists.cover(_list_hosts(refusal))
        return by_chain or by_list or advise_on_log(refusal.address, verdict, searched=searched)

    def _advise_on_capture(
        self, endpoint: CapturedEndpoint, address: str, verdict: Verdict | None, chain: CapturedChain | None
    ) -> tuple[str, ...]:
        if verdict is None:
            return SWITCH_ON_LOGGERS if _hides_its_end(endpoint) else ()
        if chain:
            # Without a hello the requested name is not known, so none is called wrong.
            leaf = chain.certificates[0]
            requested = endpoint.address or next(iter((*list_host_names(leaf), *matching_addresses(leaf))), address)
            return self._advise_on_chain(requested, chain, None, endpoint.port) or advise_on_log(address, verdict)
        alert = _find_ending_alert(endpoint)
        if alert is None:
            return advise_on_log(address, verdict)
        place = AlertPlace(address, endpoint.port)
        if alert.sender == "server":
            return _advise_on_server_alert(place, alert.code, (endpoint,))
        hidden = SWITCH_ON_LOGGERS if _hides_its_end(endpoint) else ()
        return (*advise_on_client_alert(place, alert), *hidden)

    def _advise_on_chain(
        self, address: str, chain: CapturedChain, verdict: Verdict | None, port: int | None
    ) -> tuple[str, ...]:
        at = chain.last_seen or self._now
        if chain.trusted is not None and verify_chain(chain.certificates, chain.trusted, address, at).ok:
            return LOADED_ADVICE
        return advise_on_chain(address, chain.certificates, verdict, chain.trusted, at, port or 8443)

    def _judge_refusal(self, endpoint: CapturedEndpoint) -> tuple[Verdict | None, CapturedChain | None]:
        """Return why a client refused, or why it should by the list; and the chain that this is about."""
        for chain in sorted(endpoint.chains, key=lambda chain: not chain.is_refused):
            if chain.verdict and not chain.verdict.ok:
                return chain.verdict, chain
            if chain.refusal_alert:
                return self._judge_by_alert(chain, chain.refusal_alert, endpoint.address), chain
        alert = _find_ending_alert(endpoint)
        if alert is None:
            return None, None
        return Verdict(ok=False, cause=Cause.HANDSHAKE_FAILED, error=f"the {alert.sender} sent {alert.text}"), None

    def _judge_by_alert(self, chain: CapturedChain, alert: Alert, address: str | None) -> Verdict:
        """Return OpenSSL's verdict where the alert means missing trust, else the alert's own meaning."""
        error = f"the client sent {alert.text}"
        untrusted = verify_chain(chain.certificates, (), None, chain.last_seen or self._now)
        if alert.code == _UNKNOWN_CA and untrusted.cause in TRUST_CAUSES:
            return Verdict(ok=False, cause=untrusted.cause, error=error, code=untrusted.code, depth=untrusted.depth)
        cause = Cause.EXPIRED if alert.code == _EXPIRED else Cause.CHAIN_INVALID
        if cause is Cause.CHAIN_INVALID and address is not None and not name_matches(chain.certificates[0], address):
            cause = Cause.NAME_MISMATCH
        return Verdict(ok=False, cause=cause, error=error)


def _list_hosts(refusal: LoggedRefusal) -> list[str | None]:
    return [failure.peer for failure in refusal.failures]


def _suggest_commands(refusal: LoggedRefusal, chain: CapturedChain | None) -> tuple[str, ...]:
    if refusal.process == "sip" or any(gateway.tunnel_down for gateway in refusal.bad_gateways):
        return ()  # no command reads SIP zones, or tunnels
    return tuple(suggest_commands(refusal.address, certificate_matters=chain is not None, tolerated=not refusal.enforced))


def _determine_ports(refusal: LoggedRefusal, captured: tuple[CapturedEndpoint, ...]) -> tuple[int, ...]:
    """Return the port in the log; or else all ports, if a capture shows a refusal at every one of them."""
    if refusal.port is not None:
        return (refusal.port,)
    all_refused = all(any(chain.is_refused for chain in endpoint.chains) for endpoint in captured)
    return tuple(sorted({endpoint.port for endpoint in captured})) if all_refused else ()


def _refine_verdict(refusal: LoggedRefusal, chain: CapturedChain | None) -> Verdict | None:
    """Return the logged verdict, with the cause by the given list where that leads to the same error.

    The list may show more than the log: that an old copy of a certificate in it takes precedence, for example.
    """
    by_list, logged = chain.verdict if chain else None, refusal.verdict
    if by_list and logged and not by_list.ok and (by_list.code, by_list.depth) == (logged.code, logged.depth):
        return Verdict(ok=False, cause=by_list.cause, error=logged.error, code=logged.code, depth=logged.depth)
    return logged


def _determine_status(endpoint: CapturedEndpoint, verdict: Verdict | None, chain: CapturedChain | None) -> FindingStatus:
    if verdict is not None:
        return "tolerated" if chain and chain.accepted_connections and not chain.is_refused else "refused"
    was_accepted = endpoint.accepted_connections > endpoint.resumed_connections
    return "accepted" if was_accepted or any(chain.verdict and chain.verdict.ok for chain in endpoint.chains) else "unknown"


def _find_ending_alert(endpoint: CapturedEndpoint) -> Alert | None:
    """Return the alert that explains most: one about a certificate, else the first that ended a handshake."""
    alerts = [count.alert for count in endpoint.alerts if count.alert.is_fatal]
    return next((alert for alert in alerts if alert.is_about_certificate), next(iter(alerts), None))


def _hides_its_end(endpoint: CapturedEndpoint) -> bool:
    """Return whether the capture cannot show how handshakes ended: TLS 1.3 encrypts certificates, and alerts about them."""
    return bool(endpoint.tls13_connections) and not endpoint.chains


def _advise_on_server_alert(place: AlertPlace, code: int, captured: tuple[CapturedEndpoint, ...]) -> tuple[str, ...]:
    client_chains = dict.fromkeys(chain for endpoint in captured for chain in endpoint.client_chains)
    at = max((endpoint.last_seen for endpoint in captured if endpoint.last_seen), default=None)
    return advise_on_server_alert(place, code, client_chains, at)


def _remark_on_log(refusal: LoggedRefusal, chain: CapturedChain | None) -> Iterator[str]:
    if refusal.process == "sip":
        yield SIP_REMARK
    if not refusal.enforced:
        yield _WORKAROUND
    yield from dict.fromkeys(_describe_names(failure) for failure in refusal.failures if failure.sni and failure.server)
    if chain and chain.verdict and chain.verdict.ok:
        yield _ANOTHER_LIST


def _describe_names(failure: LoggedFailure) -> str:
    sni, server = failure.sni or "", failure.server or ""
    if is_ip(sni):
        return (
            f"The request was for {server}, but no name was sent (SNI): the certificate is compared with the IP address {sni}."
        )
    return f"The request was for {server}, but the name that is sent (SNI) and looked for in the certificate is {sni}."


def _remark_on_list(status: FindingStatus, chain: CapturedChain | None) -> Iterator[str]:
    if status == "tolerated":
        yield _ACCEPTED_DESPITE_LIST
    if chain and chain.is_refused and chain.verdict and chain.verdict.ok:
        yield _ANOTHER_LIST


def _remark_on_capture(captured: tuple[CapturedEndpoint, ...], chain: CapturedChain | None) -> Iterator[str]:
    prefers_ecdsa = any("ecdsa" in endpoint.preferred_families for endpoint in captured)
    if chain and chain.certificates[0].key_family == "ecdsa" and prefers_ecdsa:
        yield _ECDSA_FIRST
    for number, sentence in (
        (sum(endpoint.address is None for endpoint in captured), _NO_HELLO),
        (sum(endpoint.tls13_connections for endpoint in captured), _TLS_1_3),
        (sum(endpoint.resumed_connections for endpoint in captured), _RESUMED),
        (sum(endpoint.incomplete_connections for endpoint in captured), _INCOMPLETE),
        (sum(endpoint.malformed_connections for endpoint in captured), _MALFORMED),
        (sum(endpoint.unanswered_connections for endpoint in captured), _NO_ANSWER),
    ):
        if number:
            yield sentence
