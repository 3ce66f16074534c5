"""Approvals: which certificates a person vouches for, for one plan and no other."""

from __future__ import annotations

from dataclasses import dataclass

from remediate.model.identity import Fingerprint, PlanId
from remediate.model.json_document import JsonDocument

BY_CA = "ca"
"""`ApprovedCertificate.how` of a certificate that was given with ``--ca``: it does not cover a certificate that an alarm disputes."""


@dataclass(frozen=True, slots=True)
class ApprovedCertificate:
    """One certificate that a person vouched for.

    Attributes:
        at: RFC 3339 UTC.
        by: The user, as the machine on which it was approved names them.
        how: ``ca``, ``approve``, ``approve-file`` (the options) or ``terminal`` (asked by ``remediate approve``).
    """

    certificate: Fingerprint
    at: str
    by: str
    how: str


@dataclass(frozen=True, slots=True)
class Approvals(JsonDocument):
    """What was approved for the plan with this id."""

    plan: PlanId
    approved: tuple[ApprovedCertificate, ...]
