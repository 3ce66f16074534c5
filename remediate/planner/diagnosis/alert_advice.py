"""Advice on TLS alerts, which depends on their number and on the side that sent them (RFC 5246, 7.2.2; RFC 8446, 6.2).

OpenSSL derives the number from its verification error (ssl_x509err2alert in ssl/statem/statem_lib.c).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from remediate.model.evidence import Alert, alert_name
from remediate.model.expressway import SERVER_CERTIFICATE_PAGE, TRUSTED_CA_PAGE
from remediate.model.text import join_words
from remediate.planner.advice.phrases import describe_certificate, format_expiry_day
from remediate.trust.chain_verifier import Chain

_CLIENT_AUTHENTICATION: Final = "1.3.6.1.5.5.7.3.2"
_USAGES: Final = {
    "1.3.6.1.5.5.7.3.1": "Server Authentication",
    _CLIENT_AUTHENTICATION: "Client Authentication",
    "2.5.29.37.0": "any purpose",
}
_MAX_CHAINS: Final = 3
_CHECK_CIPHERS: Final = "Check the TLS versions and ciphers of the node against the peers' reverse proxy cipher list."
_CLIENT_CERTIFICATE_ADVICE: Final[dict[int, tuple[str, ...]]] = {
    42: (
        "It gives no reason. The certificate may not be valid yet, its key may be too weak, or the node expects another name.",
        f"Compare its dates, key and names ({SERVER_CERTIFICATE_PAGE}) with the node's own log, and the clocks (NTP).",
    ),
    43: (
        "The certificate of Expressway-C lacks Client Authentication (1.3.6.1.5.5.7.3.2) among its extended key usages.",
        f"Get one from a CA or a template that has it, and upload that on every peer ({SERVER_CERTIFICATE_PAGE}).",
        "Public CAs stop issuing certificates with Client Authentication in 2026 (field notice FN74362); a private CA can.",
    ),
    44: (
        "The CA of Expressway-C's certificate has revoked it: ask the CA why.",
        f"Have a new certificate issued, with a new key, and upload it on every peer ({SERVER_CERTIFICATE_PAGE}).",
    ),
    45: (
        "The certificate of Expressway-C, or a CA certificate above it, has expired.",
        f"Renew the certificate of Expressway-C on every peer ({SERVER_CERTIFICATE_PAGE}), then restart the peers one by one.",
        "If it has not expired, compare the clocks of the node and of Expressway-C (NTP).",
    ),
    46: (
        "It gives no reason; the node's own log does. A name that the node does not expect is one possibility.",
        f"Compare the names of the certificate of Expressway-C ({SERVER_CERTIFICATE_PAGE}) with what the node is set to accept.",
    ),
    48: (
        "The node does not trust the CA of Expressway-C's certificate.",
        "Upload the CA chain of Expressway-C's own certificate to the node, as tomcat-trust and CallManager-trust.",
        "Then restart Tomcat, CallManager and HAProxy there.",
    ),
    49: (
        "The node trusts the certificate of Expressway-C, and does not accept the name in it.",
        "Compare its common name and SAN dNSNames with the names that the node is set to accept.",
    ),
}
_SERVER_CERTIFICATE_ADVICE: Final[dict[int, str]] = {
    43: "Reissue the certificate of {address} with Server Authentication among its extended key usages.",
    44: "Reissue the certificate of {address}: its CA has revoked it.",
    45: "Renew the certificate of {address}, or the CA certificate above it that has expired.",
    48: "Have the CA of the certificate of {address} trusted on every peer ({page}); `remediate plan` names it.",
}


def advise_on_server_alert(
    address: str, code: int, client_chains: Iterable[Chain] = (), at: datetime | None = None
) -> tuple[str, ...]:
    """Return the meaning of an alert that the server at `address` sent to Expressway-C, and the steps to take.

    Args:
        address: The connection address of the server.
        code: The number of the alert.
        client_chains: The chains that Expressway-C presented, where a capture has them.
        at: The time of the alert; None where it is not known.
    """
    opening = f"{address} sent the alert '{alert_name(code)}' ({code}) to Expressway-C"
    presented = tuple(_describe_client_chain(chain, at) for chain in list(client_chains)[:_MAX_CHAINS])
    if code in _CLIENT_CERTIFICATE_ADVICE:
        meaning = (
            f"{opening}: it refuses the certificate that Expressway-C itself presents (from X14.0.2 on, not on port 8443: "
            "CSCvz45074)."
        )
        return (meaning, *presented, *_CLIENT_CERTIFICATE_ADVICE[code])
    if code == 116:
        return (
            f"{opening}: it requests a certificate, and Expressway-C presented none.",
            f"See that every peer has a server certificate with Client Authentication ({SERVER_CERTIFICATE_PAGE}).",
        )
    if code == 40:
        return (f"{opening}: they have no TLS version, cipher or key type in common, or it lacks a certificate that it requests.",
            *presented, _CHECK_CIPHERS,
        )  # fmt: skip
    if code in {70, 71}:
        lacks = "offers no TLS version that it supports" if code == 70 else "offers no cipher that is strong enough"
        return (f"{opening}: Expressway-C {lacks}.", _CHECK_CIPHERS)
    return (f"{opening}, which is not about a certificate.", _CHECK_CIPHERS)


def advise_on_client_alert(address: str, alert: Alert) -> tuple[str, ...]:
    """Return the meaning of an alert that Expressway-C sent to `address`, whose certificates were not captured."""
    opening = f"Expressway-C sent the alert '{alert_name(alert.code)}' ({alert.code}) to {address}"
    if not alert.is_about_certificate:
        return (f"{opening}, which is not about a certificate.", _CHECK_CIPHERS)
    advice = _SERVER_CERTIFICATE_ADVICE.get(alert.code, "`remediate plan` checks the certificate of {address}.")
    return (
        f"{opening}: it refuses the certificate that the node presents.",
        advice.format(address=address, page=TRUSTED_CA_PAGE),
    )


def _describe_client_chain(chain: Chain, at: datetime | None) -> str:
    """Return the certificate that Expressway-C presented, with its dates and purposes."""
    leaf = chain[0]
    usages = leaf.extended_key_usages
    purposes = join_words([_USAGES.get(usage, usage) for usage in usages]) if usages else "every purpose"
    begins = leaf.not_before.date().isoformat() if leaf.not_before else "an unreadable date"
    ended = " (expired by then)" if at and leaf.not_after and leaf.not_after <= at else ""
    validity = f"valid from {begins} to {format_expiry_day(leaf)}{ended}"
    return f"Expressway-C presented {describe_certificate(leaf)}, {validity}, for {purposes}."
