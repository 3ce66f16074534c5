"""OpenSSL's error numbers as causes of the contract; docs/verdict.md lists them with what an engineer can do."""

from __future__ import annotations

from typing import Final

from remediate.model.verdict import Cause

# x509_vfy.h, X509_V_ERR_*. Any other code is `chain-invalid`: the error's own text describes it.
_CAUSES: Final[dict[int, Cause]] = {
    2: Cause.ISSUER_UNKNOWN,  # UNABLE_TO_GET_ISSUER_CERT: the issuer of the last certificate was not found
    9: Cause.NOT_YET_VALID,
    10: Cause.EXPIRED,
    18: Cause.SELF_SIGNED_UNTRUSTED,  # DEPTH_ZERO_SELF_SIGNED_CERT
    19: Cause.ISSUER_UNTRUSTED,  # SELF_SIGNED_CERT_IN_CHAIN: the root was presented and is not in the list
    20: Cause.ISSUER_UNKNOWN,  # UNABLE_TO_GET_ISSUER_CERT_LOCALLY
    21: Cause.ISSUER_UNKNOWN,  # UNABLE_TO_VERIFY_LEAF_SIGNATURE
}


def cause_of(code: int) -> Cause:
    """Return the cause for ``X509_V_ERR_*`` `code`, which is not 0."""
    return _CAUSES.get(code, Cause.CHAIN_INVALID)
