"""Text about a certificate to approve: whose it is, where it was seen, where to read its fingerprint."""

from __future__ import annotations

from collections.abc import Iterator

from remediate.model.canonical import rfc3339
from remediate.model.expressway import CERTIFICATE_MANAGEMENT_PAGE
from remediate.model.plan import Plan, Role, TrustCertificate
from remediate.model.text import escape

_COMPARE = "download its PEM file and compare `openssl x509 -in FILE -noout -fingerprint -sha256`"
_WHERE_TO_READ: dict[Role, str] = {
    "self-signed": f"On that server, in {CERTIFICATE_MANAGEMENT_PAGE}, open its own certificate, {_COMPARE}.",
    "root": (
        "Ask whoever runs this certification authority for its fingerprint. On that server, in "
        f"{CERTIFICATE_MANAGEMENT_PAGE}, it stands among "
        f"the trust certificates: {_COMPARE}."
    ),
    "intermediate": (
        "Ask whoever runs this certification authority for its fingerprint. On that server, in "
        f"{CERTIFICATE_MANAGEMENT_PAGE}, it stands among "
        f"the trust certificates: {_COMPARE}."
    ),
}


def approval_lines(plan: Plan, action: TrustCertificate) -> Iterator[str]:
    """Yield the lines about the certificate of `action`, escaped for a terminal."""
    certificate = plan.certificates[action.certificate]
    yield f"{escape(certificate.subject) or '(no subject)'} ({action.role})"
    yield f"  fingerprint    {action.certificate}"
    if certificate.serial is not None:
        yield f"  serial number  {certificate.serial:X}"
    yield f"  issued by      {escape(certificate.issuer) or '(no issuer)'}"
    if certificate.not_after is not None:
        yield f"  valid until    {rfc3339(certificate.not_after)}"
    yield f"  seen at        {escape(', '.join(action.because)) or 'no endpoint'}"
    yield f"  trusted then   on {escape(', '.join(action.peers))}"
    yield f"  {_WHERE_TO_READ[action.role]}"
