"""Advice on an error in a log without a capture: what its depth means, and what to check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from remediate.model.expressway import TRUSTED_CA_PAGE
from remediate.model.verdict import Cause, Verdict
from remediate.planner.advice.causes import list_remedies
from remediate.planner.advice.hostnames import advise_on_logged_name
from remediate.trust.openssl import V_OK

_V_UNABLE_TO_VERIFY_LEAF: Final = 21
_FIND_THE_CA: Final = "Find that CA certificate (root and intermediates) and give it to `remediate plan` with --ca."
_HAVE_SIGNED: Final = "Or have the certificate signed by a CA that the peers trust."
_STALE_COPY: Final = (
    "An old copy of it in the peer's list takes precedence over a good one that is presented: check there first "
    f"({TRUSTED_CA_PAGE})."
)


def advise_on_log(address: str, verdict: Verdict) -> tuple[str, ...]:
    """Return the meaning of a logged `verdict` and the steps to take, one sentence each."""
    cause = verdict.cause or Cause.CHAIN_INVALID
    if cause is Cause.NAME_MISMATCH:
        text, options = advise_on_logged_name(address)
        return (text, *options)
    return _BY_CAUSE.get(cause, _advise_on_code)(address, verdict.depth or 0, verdict.code)


def advise_on_unexplained_502(address: str, ports: str) -> tuple[str, ...]:
    """Return the steps to take where a client got 502 and no line gives the reason."""
    return (
        f"The log has no line with the reason why {address}{ports} was answered with 502.",
        "Newer traffic servers log none for a closed port, another TLS version or no shared cipher; `remediate plan` checks these.",
    )


def _advise_on_self_signed(address: str, depth: int, code: int) -> tuple[str, ...]:
    del depth, code
    return (
        f"Depth 0 is the node's own certificate: {address} presents a self-signed one that the peer does not trust.",
        "Trust that certificate on every peer after checking its fingerprint out of band.",
        _HAVE_SIGNED,
    )


def _advise_on_untrusted_issuer(address: str, depth: int, code: int) -> tuple[str, ...]:
    del code
    return (
        f"{address} presents a complete chain; its root, at depth {depth}, is not in the peer's list.",
        f"Trust that root on every peer ({TRUSTED_CA_PAGE}) after checking its fingerprint out of band.",
        _HAVE_SIGNED,
    )


def _advise_on_unknown_issuer(address: str, depth: int, code: int) -> tuple[str, ...]:
    if depth == 0 or code == _V_UNABLE_TO_VERIFY_LEAF:
        text = f"The CA that issued the certificate of {address} (depth 0) is neither presented nor in the peer's list."
    else:
        text = f"The chain is complete up to depth {depth}; the CA above that is neither presented nor in the peer's list."
    return (text, _FIND_THE_CA, f"Or upload the whole chain on {address}, so that it is presented.")


def _advise_on_expired(address: str, depth: int, code: int) -> tuple[str, ...]:
    del code
    if depth == 0:
        return (f"The certificate of {address} has expired: renew it.",)
    return (f"A CA certificate at depth {depth} of {address} has expired.", _STALE_COPY, "Else replace the CA certificate.")


def _advise_on_not_yet_valid(address: str, depth: int, code: int) -> tuple[str, ...]:
    del code
    return (
        f"The certificate at depth {depth} of {address} is not valid yet.",
        "Check the clock of the peer and of the node (NTP).",
    )


def _advise_on_handshake(address: str, depth: int, code: int) -> tuple[str, ...]:
    del address, depth, code
    return ("Check the TLS versions and ciphers of the node against the peers' reverse proxy cipher list.",)


def _advise_on_code(address: str, depth: int, code: int) -> tuple[str, ...]:
    if code == V_OK:
        return (f"The log does not give the reason why the certificate of {address} was refused; `remediate plan` checks it.",)
    fault = "its own certificate" if depth == 0 else f"the CA certificate at depth {depth}"
    first, *options = list_remedies(code, fault, address)
    return (first[:1].upper() + first[1:], *options)


_BY_CAUSE: Final[dict[Cause, Callable[[str, int, int], tuple[str, ...]]]] = {
    Cause.SELF_SIGNED_UNTRUSTED: _advise_on_self_signed,
    Cause.ISSUER_UNTRUSTED: _advise_on_untrusted_issuer,
    Cause.ISSUER_UNKNOWN: _advise_on_unknown_issuer,
    Cause.EXPIRED: _advise_on_expired,
    Cause.NOT_YET_VALID: _advise_on_not_yet_valid,
    Cause.HANDSHAKE_FAILED: _advise_on_handshake,
}
