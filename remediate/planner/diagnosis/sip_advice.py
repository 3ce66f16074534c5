"""What to do about TLS of the SIP process that failed. It has zones, and a verification that X14.2 did not turn on."""

from __future__ import annotations

from typing import Final

from remediate.model.evidence import Logged
from remediate.model.expressway import TRUSTED_CA_PAGE
from remediate.model.verdict import Cause, Verdict
from remediate.planner.diagnosis.alert_advice import on_the_servers_alert
from remediate.trust.error_codes import cause_of
from remediate.trust.openssl import V_OK
from remediate.trust.texts import code_of, restore_text

NOT_THE_TRAFFIC_SERVER: Final = (
    "The SIP process (tvcs) says so, not the traffic server: `remediate plan` looks at HTTPS endpoints, not at SIP zones."
)
_TRUST: Final = frozenset({Cause.SELF_SIGNED_UNTRUSTED, Cause.ISSUER_UNTRUSTED, Cause.ISSUER_UNKNOWN})


def verdict_of_sip(line: Logged) -> Verdict:
    """Return what a line of the SIP process means."""
    if line.kind == "sip-name":
        return Verdict(ok=False, cause=Cause.NAME_MISMATCH, error=line.error, code=V_OK)
    code = code_of(line.error)
    if code is None:
        return Verdict(ok=False, cause=Cause.HANDSHAKE_FAILED, error=line.error, code=V_OK)
    return Verdict(ok=False, cause=cause_of(code), error=restore_text(line.error), code=code)


def on_sip(address: str, verdict: Verdict, alert: int | None) -> tuple[str, ...]:
    """Return what `verdict` means for the zone to `address`, and what to do.

    Args:
        alert: what the other system sent; None where it is Expressway-C that did not go on.
    """
    if alert is not None:
        return on_the_servers_alert(address, alert)
    if verdict.cause is Cause.NAME_MISMATCH:
        return (
            f"The certificate of {address} does not hold the name that the zone has as its peer address.",
            "Set the peer address of the zone to a name of the certificate, or reissue the certificate with that name.",
        )
    if verdict.cause in _TRUST:
        return (
            f"The peer does not trust the certificate that {address} shows for SIP (of Unified CM: the CallManager certificate).",
            f"Trust its CA, or itself if it is self-signed, on every peer ({TRUSTED_CA_PAGE}), once a person vouched for it.",
            "Of two certificates with one common name in the list, the first wins: have them issued by a CA instead.",
        )
    if verdict.cause in {Cause.EXPIRED, Cause.NOT_YET_VALID}:
        return (f"The certificate of {address} is not valid at this time: renew it, or compare the clocks (NTP).",)
    if verdict.cause is Cause.HANDSHAKE_FAILED:
        return (f"Compare the TLS versions, ciphers and the port of the zone with those of {address}.",)
    return (f"Read what is said of the certificate of {address}, and reissue it without that.",)
