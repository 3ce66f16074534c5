"""OpenSSL 3.x beside the appliance's 1.1.1: where their answers differ, the plan notes it; the verdict stays 1.1.1's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from remediate.model.certificate import Certificate
from remediate.model.library import openssl
from remediate.model.verdict import Verdict
from remediate.openssl.trust_store import V_UNSPECIFIED
from remediate.openssl.x509 import Unreadable
from remediate.trust.verifier import TrustedList, broken_list_text


def ask_openssl_3(presented: Sequence[Certificate], trusted: Sequence[Certificate], at: datetime) -> Verdict | None:
    """Return the verdict of an OpenSSL 3.x at the same security level; None where this machine has none.

    Its error and code are those of 3.x, so it has no cause.

    `presented` is not empty. `trusted` need hold only what is relevant to the chain, where the rest of the list can be read.
    """
    if not openssl().is_3_or_later:
        return None
    trusted_list = TrustedList(trusted, as_the_appliance=False)
    if trusted_list.broken is not None:
        return Verdict(ok=False, error=broken_list_text(trusted_list.broken), code=V_UNSPECIFIED, depth=0)
    try:
        return trusted_list.verify(presented, at)
    except Unreadable as error:
        depth = [str(certificate.fingerprint) for certificate in presented].index(str(error))
        return Verdict(ok=False, error="it cannot read one of the certificates", code=V_UNSPECIFIED, depth=depth)


def openssl_3_refusal(presented: Sequence[Certificate], trusted: Sequence[Certificate], at: datetime) -> str | None:
    """Return why an OpenSSL 3.x at the same security level refuses a chain that the appliance accepts.

    None: it accepts the chain too, or this machine has no OpenSSL 3.x. For the arguments see `ask_openssl_3`.
    """
    verdict = ask_openssl_3(presented, trusted, at)
    return verdict.error if verdict else None
