"""``remediate.approvals/1``: the JSON document of approvals, read and written."""

from __future__ import annotations

from typing import Final

from remediate.formats.document import Moment, Sha256, Text, Wire, parse_document, validate
from remediate.model.approvals import Approvals, ApprovedCertificate
from remediate.model.canonical import document_json, rfc3339
from remediate.model.identity import Fingerprint, PlanId

APPROVALS_FORMAT: Final = "remediate.approvals/1"


class ApprovedCertificateWire(Wire):
    certificate: Sha256
    at: Moment
    by: Text
    how: Text


class ApprovalsWire(Wire):
    format: str
    plan: Sha256
    approved: list[ApprovedCertificateWire]


def read_approvals(text: str | bytes) -> Approvals:
    """Return the approvals in `text`. Raises FormatError."""
    wire = validate(ApprovalsWire, parse_document(text, APPROVALS_FORMAT), "approvals file")
    approved = (
        ApprovedCertificate(Fingerprint(entry.certificate), rfc3339(entry.at), entry.by, entry.how) for entry in wire.approved
    )
    return Approvals(PlanId(wire.plan), tuple(approved))


def write_approvals(approvals: Approvals) -> str:
    """Return the JSON document of `approvals`."""
    return document_json(
        {
            "format": APPROVALS_FORMAT,
            "plan": approvals.plan,
            "approved": [
                {"certificate": entry.certificate, "at": entry.at, "by": entry.by, "how": entry.how}
                for entry in approvals.approved
            ],
        }
    )
