"""Advice on failed TLS of the SIP process, which has zones and a verification that X14.2 did not turn on."""

from __future__ import annotations

from typing import Final

from remediate.model.expressway import TRUSTED_CA_PAGE
from remediate.model.verdict import TRUST_CAUSES, Cause, Verdict
from remediate.planner.diagnosis.alert_advice import advise_on_server_alert

SIP_REMARK: Final = (
    "The SIP process (tvcs) logged this, not the traffic server: `remediate plan` checks HTTPS endpoints, not SIP zones."
)


def advise_on_sip(address: str, verdict: Verdict, alert: int | None) -> tuple[str, ...]:
    """Return the meaning of `verdict` for the zone to `address`, and the steps to take.

    Args:
        address: The peer address of the zone.
        verdict: The verdict by the log.
        alert: The alert that the other system sent; None where Expressway-C ended the handshake.
    """
    if alert is not None:
        return advise_on_server_alert(address, alert)
    if verdict.cause is Cause.NAME_MISMATCH:
        return (
            f"The certificate of {address} does not have the peer address of the zone among its names.",
            "Set the peer address of the zone to a name in the certificate, or reissue the certificate with that name.",
        )
    if verdict.cause in TRUST_CAUSES:
        return (
            f"The peer does not trust the certificate that {address} presents for SIP (on Unified CM: the CallManager certificate).",
            f"On every peer ({TRUSTED_CA_PAGE}), trust its CA, or itself if self-signed, after checking its fingerprint out of band.",
            "Of two certificates with one common name in the list, the first wins: have them issued by a CA instead.",
        )
    if verdict.cause in {Cause.EXPIRED, Cause.NOT_YET_VALID}:
        return (f"The certificate of {address} is not valid at this time: renew it, or compare the clocks (NTP).",)
    if verdict.cause is Cause.HANDSHAKE_FAILED:
        return (f"Compare the TLS versions, ciphers and the port of the zone with those of {address}.",)
    return (f"Fix the fault that the error names in the certificate of {address}, and reissue it.",)
