"""Advice on failed TLS of the SIP process, which has zones and a verification that X14.2 did not turn on."""

from __future__ import annotations

from typing import Final

from remediate.model.expressway import TRUSTED_CA_PAGE
from remediate.model.verdict import TRUST_CAUSES, Cause, Verdict
from remediate.planner.advice.prices import TRUST_PRICE, UNKNOWN_REISSUE_PRICE
from remediate.planner.diagnosis.alert_advice import AlertPlace, advise_on_server_alert

SIP_REMARK: Final = (
    "The SIP process (tvcs) logged this, not the traffic server: `remediate plan` checks HTTPS endpoints, not SIP zones."
)


def advise_on_sip(place: AlertPlace, verdict: Verdict, alert: int | None) -> tuple[str, ...]:
    """Return the meaning of `verdict` for a zone, and the steps to take.

    Args:
        place: The peer address of the zone, and its port.
        verdict: The verdict by the log.
        alert: The alert that the other system sent; None where Expressway-C ended the handshake.
    """
    address = place.address
    if alert is not None:
        return advise_on_server_alert(place, alert)
    if verdict.cause is Cause.NAME_MISMATCH:
        return (
            f"The certificate of {address} does not have the peer address of the zone among its names.",
            (
                "Set the peer address of the zone to a name in the certificate (price: calls of that zone end), or reissue the "
                f"certificate with that name. {UNKNOWN_REISSUE_PRICE}"
            ),
        )
    if verdict.cause in TRUST_CAUSES:
        return (
            f"The peer does not trust the certificate that {address} presents for SIP (on Unified CM: the CallManager certificate).",
            (
                f"First check whether the peer's list has it, or its CA, already ({TRUSTED_CA_PAGE}): if so, only a restart "
                "is missing."
            ),
            (
                "Else trust its CA on every peer, or the certificate itself if it is self-signed, after checking its "
                f"fingerprint out of band. {TRUST_PRICE}"
            ),
            "Of two certificates with one common name in the list, the first wins: have them issued by a CA instead.",
        )
    if verdict.cause in {Cause.EXPIRED, Cause.NOT_YET_VALID}:
        return (
            f"The certificate of {address} is not valid at this time: compare the clocks (NTP), or renew it. {UNKNOWN_REISSUE_PRICE}",
        )
    if verdict.cause is Cause.HANDSHAKE_FAILED:
        return (f"Compare the TLS versions, ciphers and the port of the zone with those of {address}.",)
    return (f"Fix the fault that the error names in the certificate of {address}, and reissue it. {UNKNOWN_REISSUE_PRICE}",)
