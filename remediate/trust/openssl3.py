"""Where an OpenSSL 3.x would say something else than the appliance's 1.1.1: said beside the verdict, never instead of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from remediate.model.certificate import Certificate
from remediate.openssl.libcrypto import modern
from remediate.openssl.x509 import Unreadable
from remediate.trust.openssl import V_OK, V_UNSPECIFIED, TrustedList, broken_list_text, error_text


@dataclass(frozen=True, slots=True)
class Answer:
    """What an OpenSSL 3.x says of a chain, in its own words and numbers.

    Attributes:
        error: None where it accepts the chain.
        code: ``X509_V_ERR_*`` as 3.x has them; 0 where it accepts the chain.
        depth: where the error is; None where it accepts the chain.
    """

    error: str | None = None
    code: int = V_OK
    depth: int | None = None

    @property
    def ok(self) -> bool:
        """It accepts the chain."""
        return self.error is None


def asked_of_openssl_3(presented: Sequence[Certificate], trusted: Sequence[Certificate], at: datetime) -> Answer | None:
    """Return what an OpenSSL 3.x at the same security level says of the chain; None where this machine has none to ask.

    `presented` is not empty. `trusted` need hold only what is relevant to the chain, where the rest of the list can be read.
    """
    openssl = modern()
    if openssl is None:
        return None
    listed = TrustedList(trusted, openssl, as_the_appliance=False)
    if listed.broken is not None:
        return Answer(broken_list_text(listed.broken), V_UNSPECIFIED, 0)
    try:
        built = listed.verify(presented, at)
    except Unreadable as error:
        place = next(index for index, one in enumerate(presented) if one.fingerprint == str(error))
        return Answer("it cannot read one of the certificates", V_UNSPECIFIED, place)
    return Answer() if built.code == V_OK else Answer(error_text(built.code, openssl), built.code, built.depth)


def refused_by_openssl_3(presented: Sequence[Certificate], trusted: Sequence[Certificate], at: datetime) -> str | None:
    """Return why an OpenSSL 3.x at the same security level refuses a chain that the appliance accepts.

    None: it accepts the chain too, or this machine has no OpenSSL 3.x to ask. For the arguments see `asked_of_openssl_3`.
    """
    answer = asked_of_openssl_3(presented, trusted, at)
    return answer.error if answer else None
