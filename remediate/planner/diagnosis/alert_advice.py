"""Advice on TLS alerts, which depends on their number and on the side that sent them (RFC 5246, 7.2.2; RFC 8446, 6.2).

OpenSSL derives the number from its verification error (ssl_x509err2alert in ssl/statem/statem_lib.c). What changes nothing comes
first, and each change has its price.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from remediate.model.certificate import Chain
from remediate.model.diagnosis import Process
from remediate.model.evidence import Alert, alert_name
from remediate.model.expressway import CERTIFICATE_MANAGEMENT_PAGE, SERVER_CERTIFICATE_PAGE, TRUSTED_CA_PAGE
from remediate.model.text import join_words
from remediate.model.toward_nodes import STORE_RESTARTS
from remediate.planner.advice.phrases import describe_certificate, format_expiry_day
from remediate.planner.advice.prices import (
    CIPHERS_PRICE,
    OWN_CERTIFICATE_PRICE,
    TRUST_PRICE,
    UNKNOWN_REISSUE_PRICE,
)

_CLIENT_AUTHENTICATION: Final = "1.3.6.1.5.5.7.3.2"
_USAGES: Final = {
    "1.3.6.1.5.5.7.3.1": "Server Authentication",
    _CLIENT_AUTHENTICATION: "Client Authentication",
    "2.5.29.37.0": "any purpose",
}
_MAX_CHAINS: Final = 3
_UNKNOWN_CA: Final = 48
_CHECK_CIPHERS: Final = (
    "Check the TLS versions and ciphers of the node against the peers' {list} cipher list; that changes nothing."
)
_STORES: Final[dict[int, tuple[str, ...]]] = {5061: ("CallManager",), 7400: ("cup-xmpp",), 8443: ("tomcat",)}
_ANY_STORE: Final = ("tomcat", "CallManager")
"""The trust stores of a node that judge the certificate of Expressway-C, by the port (T-217743; MRA deployment guide X15.2)."""
_CLIENT_CERTIFICATE_ADVICE: Final[dict[int, tuple[str, ...]]] = {
    42: (
        "It gives no reason. The certificate may not be valid yet, its key may be too weak, or the node expects another name.",
        f"Compare its dates, key and names ({SERVER_CERTIFICATE_PAGE}) with the node's own log, and the clocks (NTP).",
    ),
    43: (
        "The certificate of Expressway-C lacks Client Authentication (1.3.6.1.5.5.7.3.2) among its extended key usages.",
        (
            f"Get one from a CA or a template that has it, and upload that on every peer ({SERVER_CERTIFICATE_PAGE}). "
            f"{OWN_CERTIFICATE_PRICE}"
        ),
        "Public CAs stop issuing certificates with Client Authentication in 2026 (field notice FN74362); a private CA can.",
    ),
    44: (
        "The CA of Expressway-C's certificate has revoked it: ask the CA why.",
        (
            f"Have a new certificate issued, with a new key, and upload it on every peer ({SERVER_CERTIFICATE_PAGE}). "
            f"{OWN_CERTIFICATE_PRICE}"
        ),
    ),
    45: (
        "The certificate of Expressway-C, or a CA certificate above it, has expired.",
        "If neither has, compare the clocks of the node and of Expressway-C (NTP).",
        f"Renew the certificate of Expressway-C on every peer ({SERVER_CERTIFICATE_PAGE}). {OWN_CERTIFICATE_PRICE}",
    ),
    46: (
        "It gives no reason, but the node's own log does. The node may expect another name.",
        f"Compare the names of the certificate of Expressway-C ({SERVER_CERTIFICATE_PAGE}) with what the node is set to accept.",
    ),
    49: (
        "The node trusts the certificate of Expressway-C, and does not accept the name in it.",
        "Compare its common name and SAN dNSNames with the names that the node is set to accept.",
    ),
}
_SERVER_CERTIFICATE_ADVICE: Final[dict[int, tuple[str, ...]]] = {
    42: (
        (
            "The alert gives no reason: the certificate is not valid yet, or its key or digest is too weak. `remediate plan` "
            "checks the certificate of {address}."
        ),
    ),
    43: (
        f"Reissue the certificate of {{address}} with Server Authentication among its extended key usages. {UNKNOWN_REISSUE_PRICE}",
    ),
    44: (f"Reissue the certificate of {{address}}: its CA has revoked it. {UNKNOWN_REISSUE_PRICE}",),
    45: (
        f"Renew the certificate of {{address}}, or the CA certificate above it that has expired. {UNKNOWN_REISSUE_PRICE}",
        f"An old copy of that CA certificate in the peer's list has the same effect: check there first ({TRUSTED_CA_PAGE}).",
    ),
    46: (
        (
            "The traffic server's rule for names leads to this alert: the certificate is most likely not for {address}. "
            "`remediate plan` checks it."
        ),
    ),
    48: (
        f"Check the peer's list first ({TRUSTED_CA_PAGE}): if it already has the CA, only a restart of the peer is missing.",
        f"Else have the CA of the certificate of {{address}} trusted on every peer; `remediate plan` names it. {TRUST_PRICE}",
    ),
    80: (
        (
            "With OpenSSL 3 the traffic server's rule for names leads to this alert: the certificate is most likely not for "
            "{address}. `remediate plan` checks it."
        ),
    ),
}
_OTHER_SERVER_ADVICE: Final[dict[int, str]] = {
    51: (
        "a signature by Expressway-C does not verify there: the node may hold another CA certificate with the name of the CA of "
        "Expressway-C, and another key"
    ),
    70: "Expressway-C offers no TLS version that it supports",
    71: "Expressway-C offers no cipher that is strong enough",
    112: "it serves no host with the name that Expressway-C requested (SNI): compare that with the names of the node",
}
_OTHER_CLIENT_ADVICE: Final[dict[int, str]] = {
    40: "it accepts nothing that the node chose",
    51: (
        "a signature of the node does not verify: the peer's list may hold another CA certificate with the name of the node's CA, and "
        "another key"
    ),
    70: "the node chose a TLS version that is below the peer's minimum",
    71: "the node chose a cipher or a key that is too weak for it",
}


@dataclass(frozen=True, slots=True)
class AlertPlace:
    """Where an alert was sent: by or to the server at `address`, at `port` where that is known, and to which process of a peer."""

    address: str
    port: int | None = None
    process: Process = "traffic-server"

    @property
    def stores(self) -> tuple[str, ...]:
        """The trust stores of a node that judge the certificate of Expressway-C there."""
        return ("CallManager",) if self.process == "sip" else _STORES.get(self.port or 0, _ANY_STORE)

    @property
    def cipher_advice(self) -> str:
        """Where to look for a version or a cipher in common."""
        return _CHECK_CIPHERS.replace("{list}", "SIP TLS" if self.process == "sip" else "reverse proxy")


def advise_on_server_alert(
    place: AlertPlace, code: int, client_chains: Iterable[Chain] = (), at: datetime | None = None
) -> tuple[str, ...]:
    """Return the meaning of an alert that a server sent to Expressway-C, and the steps to take.

    Args:
        place: The server.
        code: The number of the alert.
        client_chains: The chains that Expressway-C presented, where a capture has them.
        at: The time of the alert; None where it is not known.
    """
    opening = f"{place.address} sent the alert '{alert_name(code)}' ({code}) to Expressway-C"
    presented = tuple(_describe_client_chain(chain, at) for chain in list(client_chains)[:_MAX_CHAINS])
    if code == _UNKNOWN_CA:
        return (_explain_refusal(opening, place), *presented, *_advise_on_unknown_ca(place))
    if code in _CLIENT_CERTIFICATE_ADVICE:
        return (_explain_refusal(opening, place), *presented, *_CLIENT_CERTIFICATE_ADVICE[code])
    if code == 116:
        return (
            f"{opening}: it requests a certificate, and Expressway-C presented none.",
            f"Check that every peer has a server certificate with Client Authentication ({SERVER_CERTIFICATE_PAGE}).",
        )
    if code == 40:
        return (
            f"{opening}: they have no TLS version, cipher or key type in common, or it lacks a certificate that it requests.",
            *presented, place.cipher_advice,
        )  # fmt: skip
    if code in _OTHER_SERVER_ADVICE:
        return (f"{opening}: {_OTHER_SERVER_ADVICE[code]}.", *presented, *_advise_on_ciphers(place, code))
    return (f"{opening}, which is not about a certificate.", place.cipher_advice)


def advise_on_client_alert(place: AlertPlace, alert: Alert) -> tuple[str, ...]:
    """Return the meaning of an alert that Expressway-C sent to a server, whose certificates were not captured."""
    opening = f"Expressway-C sent the alert '{alert_name(alert.code)}' ({alert.code}) to {place.address}"
    if alert.code in _SERVER_CERTIFICATE_ADVICE:
        advice = _SERVER_CERTIFICATE_ADVICE[alert.code]
        sentences = (sentence.replace("{address}", place.address) for sentence in advice)
        return (f"{opening}: it refuses the certificate that the node presents.", *sentences)
    if alert.is_about_certificate:
        check = f"`remediate plan` checks the certificate of {place.address}."
        return (f"{opening}: it refuses the certificate that the node presents.", check)
    if alert.code in _OTHER_CLIENT_ADVICE:
        return (f"{opening}: {_OTHER_CLIENT_ADVICE[alert.code]}.", *_advise_on_ciphers(place, alert.code))
    return (f"{opening}, which is not about a certificate.", place.cipher_advice)


def _explain_refusal(opening: str, place: AlertPlace) -> str:
    """Return what an alert about the certificate of Expressway-C means; the bug is the traffic server's, and not of port 8443."""
    refusal = f"{opening}: it refuses the certificate that Expressway-C itself presents"
    if place.process == "sip" or place.port in {5061, 5091, 7400, 7443}:
        return f"{refusal}."
    if place.port in {443, 8443}:
        return f"{refusal}, although on {place.port} a node does not request one by default: check what was changed there."
    return f"{refusal} (from X14.0.2 on, not on port 8443: CSCvz45074)."


def _advise_on_unknown_ca(place: AlertPlace) -> tuple[str, ...]:
    stores = place.stores
    names = join_words([f"{store}-trust" for store in stores])
    restarts = "; ".join(STORE_RESTARTS[store].instruction for store in stores)
    mixed = (
        (("In mixed mode Unified CM also needs the certificate of Expressway-C itself there."),)
        if "CallManager" in stores
        else ()
    )
    return (
        "The node does not trust the CA of Expressway-C's certificate.",
        f"Look for it in {names} of that node ({CERTIFICATE_MANAGEMENT_PAGE}): if it is there, only the restart is missing.",
        f"Else upload the CA chain of Expressway-C's own certificate to the node, as {names}.",
        f"Then {restarts}.",
        *mixed,
    )


def _advise_on_ciphers(place: AlertPlace, code: int) -> tuple[str, ...]:
    if code not in {70, 71}:
        return ()
    return (
        place.cipher_advice,
        (f"It is better to raise what the node offers than to lower what the peer requires. {CIPHERS_PRICE}"),
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
