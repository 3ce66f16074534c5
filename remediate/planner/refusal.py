"""An endpoint that stays refused, what may be said of it, and how certificates are named in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from remediate.model.certificate import Certificate
from remediate.model.snapshot import Endpoint
from remediate.model.verdict import Cause
from remediate.trust.verify import Chain, Explained

TRUSTED_LIST_PAGE = "Maintenance > Security > Trusted CA certificate"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One endpoint that one peer still refuses after the plan.

    Attributes:
        presented: the chain in question; empty where none was seen.
        explained: the verdict on it, with the chain that OpenSSL put together.
        trusted: the peer's list after the plan.
        added: what the plan adds to it.
        users: says which endpoints rest on a certificate of that list.
    """

    endpoint: Endpoint
    presented: Chain
    explained: Explained
    trusted: Chain
    added: Chain
    users: Callable[[Certificate], tuple[Endpoint, ...]]


@dataclass(frozen=True, slots=True)
class Advice:
    """The cause as the contract names it, one or two sentences, and the ways out."""

    cause: Cause
    text: str
    options: tuple[str, ...] = ()


def name_of(certificate: Certificate) -> str:
    """Its subject, and the beginning of its fingerprint: subjects repeat."""
    return f"{certificate.subject or 'a certificate without a subject'!r} ({certificate.fingerprint[:19]}…)"


def names_of(certificates: Chain) -> str:
    """The same for several."""
    return " and ".join(map(name_of, certificates))


def day_of_end(certificate: Certificate) -> str:
    """The day its validity ends."""
    return certificate.not_after.date().isoformat() if certificate.not_after else "an unreadable date"
