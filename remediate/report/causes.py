"""Causes of a refusal in words for a person; every view has the words of the contract beside them."""

from __future__ import annotations

from collections.abc import Mapping

from remediate.model.verdict import Cause

_WORDS: Mapping[str, str] = {
    Cause.SELF_SIGNED_UNTRUSTED: "Self-signed, not trusted",
    Cause.ISSUER_UNTRUSTED: "Root CA not trusted",
    Cause.ISSUER_UNKNOWN: "Issuing CA not found",
    Cause.COMMON_NAME_CONFLICT: "Two CAs with one common name",
    Cause.SHADOWED: "An outdated copy takes precedence",
    Cause.NAME_MISMATCH: "Wrong name in the certificate",
    Cause.EXPIRED: "Certificate expired",
    Cause.NOT_YET_VALID: "Certificate not yet valid",
    Cause.CHAIN_INVALID: "Chain not valid",
    Cause.UNREACHABLE: "Not reached",
    Cause.HANDSHAKE_FAILED: "TLS handshake failed",
}


def describe_cause(cause: str) -> str:
    """Return `cause` in words; the cause itself where it is not known."""
    return _WORDS.get(cause, cause)
