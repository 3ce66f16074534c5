"""One finding: of what logs tell, with what a capture shows of it, or of a capture alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from remediate.model.diagnosis import Finding, SeenChain, SeenEndpoint, Standing
from remediate.model.evidence import Alert
from remediate.model.verdict import Cause, Verdict
from remediate.planner.diagnosis.alert_advice import on_the_clients_alert, on_the_servers_alert
from remediate.planner.diagnosis.chain_advice import commands_for, on_the_chain
from remediate.planner.diagnosis.correlation import chain_told_of
from remediate.planner.diagnosis.log_advice import on_a_silent_502, on_what_was_logged
from remediate.planner.diagnosis.log_refusals import Told
from remediate.planner.diagnosis.sip_advice import NOT_THE_TRAFFIC_SERVER, on_sip
from remediate.trust.chain_verifier import Chain
from remediate.trust.hostnames import matching_addresses, name_matches
from remediate.trust.openssl import V_OK
from remediate.trust.verify import explain_chain

_TRUST = frozenset({Cause.SELF_SIGNED_UNTRUSTED, Cause.ISSUER_UNTRUSTED, Cause.ISSUER_UNKNOWN})
_EXPIRED, _UNKNOWN_CA = 45, 48
_WORKAROUND = (
    "Verification is not enforced there (the workaround): requests go on, and will be refused once it is enforced again."
)
_ANOTHER_LIST = "By the list that was given it verifies: the peer had another one then, or has not loaded this one."
_WENT_ON = (
    "The client went on although the list that was given refuses this: verification is off there, or its list is another."
)
_NO_HELLO = "No hello was captured, so it is not known which name was asked for, and names are not judged."
_HIDDEN = "Certificates are encrypted under TLS 1.3, so the capture cannot show them."
_GAPS = "The capture lacks bytes of some handshakes: not all that was presented can be seen."
_RESUMED = "Some sessions were resumed: nothing was presented in them, and nothing verified."
_UNREADABLE = "What was presented in some handshakes cannot be read as certificates."
_NO_ANSWER = "Some hellos have no answer in the capture."
_ELSEWHERE = (
    "The capture shows this host under another name only; the advice takes it that it presents the same under this one."
)
_ECDSA_FIRST = (
    "The client asks for ECDSA first. A node that has an RSA certificate too presents that one where RSA comes first; "
    "`remediate plan` tries both."
)


class Finder:
    """Makes findings by one trusted CA list, or without any."""

    def __init__(self, trusted: Chain | None, now: datetime) -> None:
        self._trusted = trusted
        self._now = now

    def of_what_was_told(self, told: Told, seen: tuple[SeenEndpoint, ...], elsewhere: SeenChain | None = None) -> Finding:
        """Return the finding for what logs tell.

        Args:
            seen: what a capture shows of the same endpoint.
            elsewhere: what the same host presented under another name; for advice only.
        """
        chain = next((found for one in seen if (found := chain_told_of(told, one))), None)
        ports = _ports(told, seen)
        return Finding(
            told.address, told.ip, ports, "refused" if told.enforced else "tolerated", _more_precisely(told, chain),
            told.lines, told.answered, seen, possible_ports=() if ports else told.ports,
            remarks=(*_of_the_log(told, chain), *_of_the_capture(seen, chain), *([_ELSEWHERE] if elsewhere else [])),
            advice=self._on_what_was_told(told, chain or elsewhere, seen),
            commands=self._commands_on_what_was_told(told, chain), process=told.process,
        )  # fmt: skip

    def of_what_was_seen(self, endpoint: SeenEndpoint) -> Finding:
        """Return the finding for a server of which only a capture tells."""
        address = endpoint.address or endpoint.server
        verdict, chain = self._refusal(endpoint)
        standing = _standing(endpoint, verdict, chain)
        matters = verdict is not None
        return Finding(
            address, endpoint.server, (endpoint.port,), standing, verdict, seen=(endpoint,),
            remarks=(*_of_the_list(standing, chain), *_of_the_capture((endpoint,), chain)),
            advice=self._on_what_was_seen(endpoint, address, verdict, chain),
            commands=tuple(commands_for(address, certificate_matters=chain is not None, tolerated=False)) if matters else (),
        )  # fmt: skip

    def _commands_on_what_was_told(self, told: Told, chain: SeenChain | None) -> tuple[str, ...]:
        if told.process == "sip":
            return ()
        return tuple(commands_for(told.address, certificate_matters=chain is not None, tolerated=not told.enforced))

    def _on_what_was_told(self, told: Told, chain: SeenChain | None, seen: tuple[SeenEndpoint, ...]) -> tuple[str, ...]:
        verdict = told.verdict
        if verdict is None:
            return on_a_silent_502(told.address, f":{told.port}" if told.port else "")
        if told.process == "sip":
            return on_sip(told.address, verdict, told.alert)
        if told.alert is not None:
            return _on_the_servers_alert(told.address, told.alert, seen)
        by_chain = self._on_the_chain(told.address, chain, verdict) if chain and verdict.depth is not None else ()
        return by_chain or on_what_was_logged(told.address, verdict)

    def _on_what_was_seen(
        self, endpoint: SeenEndpoint, address: str, verdict: Verdict | None, chain: SeenChain | None
    ) -> tuple[str, ...]:
        if verdict is None:
            return ()
        if chain:
            # Without a hello the name is not known: then none is said to be wrong.
            known = endpoint.address or next(iter(matching_addresses(chain.certificates[0])), address)
            return self._on_the_chain(known, chain, None) or on_what_was_logged(address, verdict)
        alert = _ending_alert(endpoint)
        if alert is None:
            return on_what_was_logged(address, verdict)
        if alert.by == "server":
            return _on_the_servers_alert(address, alert.code, (endpoint,))
        return on_the_clients_alert(address, alert)

    def _on_the_chain(self, address: str, chain: SeenChain, verdict: Verdict | None) -> tuple[str, ...]:
        return on_the_chain(address, chain.certificates, verdict, self._trusted, chain.last or self._now)

    def _refusal(self, endpoint: SeenEndpoint) -> tuple[Verdict | None, SeenChain | None]:
        """Why a client did not go on, or why by the list it should not; and which chain it is about."""
        for chain in sorted(endpoint.chains, key=lambda chain: not chain.refused):
            if chain.verdict and not chain.verdict.ok:
                return chain.verdict, chain
            if chain.refusing:
                return self._by_alert(chain, chain.refusing, endpoint.address), chain
        ended = _ending_alert(endpoint)
        if ended is None:
            return None, None
        return Verdict(ok=False, cause=Cause.HANDSHAKE_FAILED, error=f"the {ended.by} sent {ended.text}", code=V_OK), None

    def _by_alert(self, chain: SeenChain, alert: Alert, address: str | None) -> Verdict:
        """What an alert says of the chain: OpenSSL's word on it where the alert means trust, else the alert's own."""
        sent = f"the client sent {alert.text}"
        untrusted = explain_chain(chain.certificates, (), None, chain.last or self._now).verdict
        if alert.code == _UNKNOWN_CA and untrusted.cause in _TRUST:
            return Verdict(ok=False, cause=untrusted.cause, error=sent, code=untrusted.code, depth=untrusted.depth)
        cause = Cause.EXPIRED if alert.code == _EXPIRED else Cause.CHAIN_INVALID
        if cause is Cause.CHAIN_INVALID and address is not None and not name_matches(chain.certificates[0], address):
            cause = Cause.NAME_MISMATCH
        return Verdict(ok=False, cause=cause, error=sent, code=V_OK)


def _ports(told: Told, seen: tuple[SeenEndpoint, ...]) -> tuple[int, ...]:
    """The port that the log knows; or all at which the capture shows clients that refuse what the log complains about."""
    if told.port is not None:
        return (told.port,)
    refused = [any(chain.refused for chain in one.chains) for one in seen]
    return tuple(sorted({one.port for one in seen})) if seen and all(refused) else ()


def _more_precisely(told: Told, chain: SeenChain | None) -> Verdict | None:
    """The list that was given may know why: a stale certificate in it, say. The error stays the log's."""
    by_list, logged = chain.verdict if chain else None, told.verdict
    if by_list and logged and not by_list.ok and (by_list.code, by_list.depth) == (logged.code, logged.depth):
        return Verdict(ok=False, cause=by_list.cause, error=logged.error, code=logged.code, depth=logged.depth)
    return logged


def _standing(endpoint: SeenEndpoint, verdict: Verdict | None, chain: SeenChain | None) -> Standing:
    if verdict is not None:
        return "tolerated" if chain and chain.went_on and not chain.refused else "refused"
    good = endpoint.went_on > endpoint.resumed or any(chain.verdict and chain.verdict.ok for chain in endpoint.chains)
    return "accepted" if good else "unknown"


def _ending_alert(endpoint: SeenEndpoint) -> Alert | None:
    """The alert that tells most of why handshakes failed: one about a certificate, else the first."""
    ending = [alert.alert for alert in endpoint.alerts if alert.alert.ends_it]
    return next((alert for alert in ending if alert.about_a_certificate), next(iter(ending), None))


def _on_the_servers_alert(address: str, code: int, seen: tuple[SeenEndpoint, ...]) -> tuple[str, ...]:
    shown = dict.fromkeys(chain for endpoint in seen for chain in endpoint.client_chains)
    at = max((endpoint.last for endpoint in seen if endpoint.last), default=None)
    return on_the_servers_alert(address, code, shown, at)


def _of_the_log(told: Told, chain: SeenChain | None) -> Iterator[str]:
    if told.process == "sip":
        yield NOT_THE_TRAFFIC_SERVER
    if not told.enforced:
        yield _WORKAROUND
    if chain and chain.verdict and chain.verdict.ok:
        yield _ANOTHER_LIST


def _of_the_list(standing: Standing, chain: SeenChain | None) -> Iterator[str]:
    if standing == "tolerated":
        yield _WENT_ON
    if chain and chain.refused and chain.verdict and chain.verdict.ok:
        yield _ANOTHER_LIST


def _of_the_capture(seen: tuple[SeenEndpoint, ...], chain: SeenChain | None) -> Iterator[str]:
    if chain and chain.certificates[0].key_family == "ecdsa" and any("ecdsa" in one.prefers for one in seen):
        yield _ECDSA_FIRST
    for counted, sentence in (
        (sum(one.address is None for one in seen), _NO_HELLO),
        (sum(one.encrypted for one in seen), _HIDDEN),
        (sum(one.resumed for one in seen), _RESUMED),
        (sum(one.incomplete for one in seen), _GAPS),
        (sum(one.unreadable for one in seen), _UNREADABLE),
        (sum(one.unanswered for one in seen), _NO_ANSWER),
    ):
        if counted:
            yield sentence
