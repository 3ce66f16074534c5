"""Phrases: how the planner names certificates, endpoints and days in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from remediate.model.certificate import Certificate
from remediate.model.snapshot import Endpoint
from remediate.model.text import join_words


def describe_certificate(certificate: Certificate) -> str:
    """Return the subject and the first digits of the fingerprint: subjects repeat."""
    return f"{certificate.subject or 'a certificate without a subject'!r} ({certificate.fingerprint[:19]}…)"


def describe_certificates(certificates: Sequence[Certificate]) -> str:
    """Return the descriptions of `certificates` as one enumeration."""
    return join_words([describe_certificate(certificate) for certificate in certificates])


def join_endpoints(endpoints: Sequence[Endpoint]) -> str:
    """Return the names of the first three endpoints, and how many more there are."""
    return join_words([endpoint.name for endpoint in endpoints], 3)


def format_expiry_day(certificate: Certificate) -> str:
    """Return the day on which the validity of `certificate` ends, as ``YYYY-MM-DD``."""
    return certificate.not_after.date().isoformat() if certificate.not_after else "an unreadable date"
