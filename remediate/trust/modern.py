"""Where an OpenSSL 3.x would say something else than the appliance's 1.1.1: said beside the verdict, never instead of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from remediate.model.certificate import Certificate
from remediate.model.libcrypto import modern
from remediate.model.x509 import Unreadable
from remediate.trust.openssl import V_OK, TrustedList, error_text


def refused_by_openssl_3(presented: Sequence[Certificate], trusted: Sequence[Certificate], at: datetime) -> str | None:
    """Return why an OpenSSL 3.x at the same security level refuses a chain that the appliance accepts.

    None: it accepts the chain too, or this machine has no OpenSSL 3.x to ask. `trusted` need hold only what is relevant to the chain.
    """
    openssl = modern()
    if openssl is None:
        return None
    try:
        built = TrustedList(trusted, openssl, as_the_appliance=False).verify(presented, at)
    except Unreadable:
        return "it cannot read one of the certificates"
    return None if built.code == V_OK else error_text(built.code)
