"""An endpoint that stays refused, what may be said of it, and how certificates are named in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from remediate.model.certificate import Certificate
from remediate.model.snapshot import Endpoint
from remediate.model.text import join_words
from remediate.model.verdict import Cause
from remediate.trust.chain_verifier import Chain, VerificationResult


class Others(Protocol):
    """The endpoints that verify at the same peer after the plan."""

    def users(self, certificate: Certificate) -> tuple[Endpoint, ...]:
        """Return those whose chain is made of `certificate` among others."""

    def broken_by(self, added: Chain) -> tuple[Endpoint, ...]:
        """Return those that would be refused with `added` at the end of the peer's list."""


class Nobody:
    """No endpoint but the one in question."""

    def users(self, certificate: Certificate) -> tuple[Endpoint, ...]:
        del certificate
        return ()

    def broken_by(self, added: Chain) -> tuple[Endpoint, ...]:
        del added
        return ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """One endpoint that one peer still refuses after the plan.

    Attributes:
        presented: the chain in question; empty where none was seen.
        explained: the verdict on it, with the chain that OpenSSL put together.
        trusted: the peer's list after the plan.
        added: what the plan adds to it.
        others: the other endpoints at that peer.
        removable: what a plan with --allow-removal would take out of the list, where that makes the endpoint verify.
    """

    endpoint: Endpoint
    presented: Chain
    explained: VerificationResult
    trusted: Chain
    added: Chain = ()
    others: Others = Nobody()
    removable: Chain = ()


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
    return join_words([name_of(certificate) for certificate in certificates])


def endpoints_of(endpoints: Sequence[Endpoint], limit: int = 3) -> str:
    """Endpoints by name, the first few."""
    return join_words([endpoint.name for endpoint in endpoints], limit)


def day_of_end(certificate: Certificate) -> str:
    """The day its validity ends."""
    return certificate.not_after.date().isoformat() if certificate.not_after else "an unreadable date"


def signed_by_a_ca(refusal: Refusal) -> str:
    """The way out that always is one."""
    return f"Have the certificate of {refusal.endpoint.address} signed by a CA that the peers trust."
