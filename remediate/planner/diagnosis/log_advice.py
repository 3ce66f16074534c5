"""Advice on an error in a log without a capture: what its depth means, and what to check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from remediate.model.evidence import BadGateway
from remediate.model.expressway import DIAGNOSTIC_LOGGING_PAGE, SUPPORT_LOG_PAGE, TRAFFIC_SERVER_LOGGERS, TRUSTED_CA_PAGE
from remediate.model.text import join_words
from remediate.model.verdict import Cause, Verdict
from remediate.openssl.trust_store import V_OK
from remediate.planner.advice.causes import list_remedies
from remediate.planner.advice.hostnames import advise_on_logged_name
from remediate.planner.advice.prices import LOGGER_PRICE, TRUST_PRICE, UNKNOWN_REISSUE_PRICE

_V_UNABLE_TO_VERIFY_LEAF: Final = 21
_FIND_THE_CA: Final = "find that CA certificate (root and intermediates) and give it to `remediate plan` with --ca."
_HAVE_SIGNED: Final = f"Or have the certificate signed by a CA that the peers trust. {UNKNOWN_REISSUE_PRICE}"
_TUNNEL_DOWN: Final = (
    (
        "The Expressway-E returned the 502 itself: 'Next Hop Connection Failed' means that its SSH tunnel to Expressway-C is "
        "down. No node certificate is involved."
    ),
    (
        "Check the SSH tunnels on both sides (Status > Unified Communications). After a renewal, an intermediate CA of the "
        f"other side is often missing in a list ({TRUSTED_CA_PAGE}): tunnels check the whole chain, while the zone stays "
        "active."
    ),
)
SWITCH_ON_LOGGERS: Final = (
    (
        f"If the cause stays unknown: set {join_words(TRAFFIC_SERVER_LOGGERS)} to DEBUG on every peer ({SUPPORT_LOG_PAGE}), record a "
        f"diagnostic log of one failure, and set them back to INFO. {LOGGER_PRICE}"
    ),
)
"""The loggers that say what neither a capture of TLS 1.3 nor the log at its usual level shows."""
_STALE_COPY: Final = (
    "An old copy of it in the peer's list takes precedence over a good one that is presented: check there first "
    f"({TRUSTED_CA_PAGE})."
)


def suggest_look(subject: str) -> str:
    """Return the step before a certificate is trusted: a look for `subject` in the peer's list."""
    return (
        f"First check whether the peer's list has {subject} already ({TRUSTED_CA_PAGE} > Show all; or give its diagnostic "
        "archive): if so, only a restart of the peer is missing."
    )


@dataclass(frozen=True, slots=True)
class _Case:
    """A logged error of OpenSSL at one endpoint; `searched` where the peer's list is at hand, and a remark speaks of it."""

    address: str
    depth: int
    code: int
    searched: bool

    def offer_trust(self, subject: str, trust: str) -> tuple[str, ...]:
        """Return where to look for `subject` in the peer's list, unless that was done, and then what trusting it takes."""
        if self.searched:
            return (f"{trust[0].upper()}{trust[1:]} {TRUST_PRICE}",)
        return (suggest_look(subject), f"Else {trust} {TRUST_PRICE}")


def advise_on_log(address: str, verdict: Verdict, *, searched: bool = False) -> tuple[str, ...]:
    """Return the meaning of a logged `verdict` and the steps to take, one sentence each.

    Args:
        address: The connection address.
        verdict: The verdict by the log.
        searched: The peer's list is at hand, and a remark says what of it was looked at.
    """
    cause = verdict.cause or Cause.CHAIN_INVALID
    if cause is Cause.NAME_MISMATCH:
        text, options = advise_on_logged_name(address)
        return (text, *options)
    return _BY_CAUSE.get(cause, _advise_on_code)(_Case(address, verdict.depth or 0, verdict.code, searched))


def advise_on_unexplained_502(address: str, ports: str, gateways: Sequence[BadGateway]) -> tuple[str, ...]:
    """Return the steps to take where a client got 502 and no line gives the reason.

    Args:
        address: The connection address.
        ports: The port with a colon; empty where it is not known.
        gateways: The requests, all of which were answered with 502.
    """
    views = {gateway.view for gateway in gateways}
    if any(gateway.tunnel_down for gateway in gateways):
        return _TUNNEL_DOWN
    if "peer" not in views:
        origin = "The log of a client" if views == {"client"} else "The log of an Expressway-E"
        return (
            f"{origin} shows that {address}{ports} was answered with 502, but not why: Expressway-C decides that.",
            (
                f"Collect a diagnostic log on every Expressway-C peer ({DIAGNOSTIC_LOGGING_PAGE}) while a client asks, and give it to "
                "`remediate diagnose` together with this one; `remediate diagnose -i INVENTORY --for 10m` does both."
            ),
        )
    return (
        f"The log has no line that says why {address}{ports} was answered with 502.",
        "Newer traffic servers log none for a closed port, another TLS version or no shared cipher; `remediate plan` checks these.",
        *SWITCH_ON_LOGGERS,
    )


def _advise_on_self_signed(case: _Case) -> tuple[str, ...]:
    return (
        f"Depth 0 is the node's own certificate: {case.address} presents a self-signed one that the peer does not trust.",
        *case.offer_trust(
            "that certificate", "trust that certificate on every peer after checking its fingerprint out of band."
        ),
        _HAVE_SIGNED,
    )


def _advise_on_untrusted_issuer(case: _Case) -> tuple[str, ...]:
    return (
        f"{case.address} presents a complete chain; its root, at depth {case.depth}, is not in the peer's list.",
        *case.offer_trust("that root", "trust that root on every peer after checking its fingerprint out of band."),
        _HAVE_SIGNED,
    )


def _advise_on_unknown_issuer(case: _Case) -> tuple[str, ...]:
    if case.depth == 0 or case.code == _V_UNABLE_TO_VERIFY_LEAF:
        text = f"The CA that issued the certificate of {case.address} (depth 0) is neither presented nor in the peer's list."
    else:
        text = f"The chain is complete up to depth {case.depth}; the CA above that is neither presented nor in the peer's list."
    return (
        text,
        *case.offer_trust("that CA", _FIND_THE_CA),
        f"Or upload the whole chain on {case.address}, so that it is presented. {UNKNOWN_REISSUE_PRICE}",
    )


def _advise_on_expired(case: _Case) -> tuple[str, ...]:
    if case.depth == 0:
        return (f"The certificate of {case.address} has expired: renew it. {UNKNOWN_REISSUE_PRICE}",)
    return (
        f"A CA certificate at depth {case.depth} of {case.address} has expired.",
        _STALE_COPY,
        "Else replace the CA certificate.",
    )


def _advise_on_not_yet_valid(case: _Case) -> tuple[str, ...]:
    return (
        f"The certificate at depth {case.depth} of {case.address} is not valid yet.",
        "Check the clock of the peer and of the node (NTP).",
    )


def _advise_on_handshake(case: _Case) -> tuple[str, ...]:
    del case
    return ("Check the TLS versions and ciphers of the node against the peers' reverse proxy cipher list.", *SWITCH_ON_LOGGERS)


def _advise_on_code(case: _Case) -> tuple[str, ...]:
    if case.code == V_OK:
        return (
            f"The log does not say why the certificate of {case.address} was refused; `remediate plan` checks it.",
            *SWITCH_ON_LOGGERS,
        )
    fault = "its own certificate" if case.depth == 0 else f"the CA certificate at depth {case.depth}"
    first, *options = list_remedies(case.code, fault, case.address)
    return (first[:1].upper() + first[1:], *options)


_BY_CAUSE: Final[dict[Cause, Callable[[_Case], tuple[str, ...]]]] = {
    Cause.SELF_SIGNED_UNTRUSTED: _advise_on_self_signed,
    Cause.ISSUER_UNTRUSTED: _advise_on_untrusted_issuer,
    Cause.ISSUER_UNKNOWN: _advise_on_unknown_issuer,
    Cause.EXPIRED: _advise_on_expired,
    Cause.NOT_YET_VALID: _advise_on_not_yet_valid,
    Cause.HANDSHAKE_FAILED: _advise_on_handshake,
}
