"""A peer's trusted CA list as a PEM file: with dates for a person, and everything that is needed to write it back by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from remediate.model.canonical import rfc3339
from remediate.model.certificate import Certificate
from remediate.model.identity import Address
from remediate.model.text import count, escape

_MAX_NAME = 500


def format_pem_list(
    peer: Address, certificates: Sequence[Certificate], revocation_lists: Sequence[str], gap: str, at: datetime
) -> str:
    """Return the PEM file of the trusted CA list of `peer`: its certificates and CRLs in the list's order, each under its facts.

    Args:
        peer: The peer that the list is of.
        certificates: The certificates of the list.
        revocation_lists: The CRLs of the list, as PEM.
        gap: What the list holds beside these, and this file does not, as a clause; empty: it is whole.
        at: When the list was read.
    """
    return "\n".join(_lines(peer, certificates, revocation_lists, gap, at)) + "\n"


def _lines(
    peer: Address, certificates: Sequence[Certificate], revocation_lists: Sequence[str], gap: str, at: datetime
) -> Iterator[str]:
    yield f"# Trusted CA list of {_comment(peer)}, read at {rfc3339(at)}"
    yield f"# {count(len(certificates), 'certificate')}, {count(len(revocation_lists), 'CRL')}"
    if gap:
        yield f"# INCOMPLETE: {_comment(gap)}"
    for number, certificate in enumerate(certificates, start=1):
        yield ""
        yield f"# {number}: {_comment(certificate.subject) or 'without a subject'}"
        yield f"#    issued by {_comment(certificate.issuer) or 'no name'}"
        yield f"#    valid from {_format_moment(certificate.not_before)} to {_format_moment(certificate.not_after)}"
        yield f"#    {certificate.fingerprint}"
        yield certificate.pem.rstrip("\n")
    for number, pem in enumerate(revocation_lists, start=1):
        yield ""
        yield f"# CRL {number}"
        yield pem.rstrip("\n")


def _comment(text: str) -> str:
    """Return untrusted text for a comment: on one line, and without anything that a reader takes for PEM."""
    return escape(text, _MAX_NAME).replace("--", "- - ")


def _format_moment(moment: datetime | None) -> str:
    return rfc3339(moment) if moment else "a time that cannot be read"
