"""Text about a certificate to approve: whose it is, where it was seen, where to read its fingerprint."""

from __future__ import annotations

from collections.abc import Iterator

from remediate.model.canonical import rfc3339
from remediate.model.certificate import Certificate
from remediate.model.expressway import CERTIFICATE_MANAGEMENT_PAGE, SERVER_CERTIFICATE_PAGE, TRUSTED_CA_PAGE
from remediate.model.plan import Plan, Role, TrustCertificate, TrustOnNode
from remediate.model.text import escape

_COMPARE = "download its PEM file and compare `openssl x509 -in FILE -noout -fingerprint -sha256`"
_WHERE_TO_READ: dict[Role, str] = {
    "self-signed": f"On that server, in {CERTIFICATE_MANAGEMENT_PAGE}, open its own certificate, {_COMPARE}.",
    "root": (
        f"Ask the owner of this certification authority for its fingerprint. On that server, in {CERTIFICATE_MANAGEMENT_PAGE}, "
        f"it is among the trust certificates: {_COMPARE}."
    ),
    "intermediate": (
        f"Ask the owner of this certification authority for its fingerprint. On that server, in {CERTIFICATE_MANAGEMENT_PAGE}, "
        f"it is among the trust certificates: {_COMPARE}."
    ),
}

_WHERE_TO_READ_OF_PEERS = (
    f"It signed the certificates of the peers. On a peer, in {SERVER_CERTIFICATE_PAGE} and {TRUSTED_CA_PAGE}, show it as PEM: "
    "compare `openssl x509 -in FILE -noout -fingerprint -sha256`."
)


def approval_lines(plan: Plan, action: TrustCertificate | TrustOnNode) -> Iterator[str]:
    """Yield the lines about the certificate of `action`, escaped for a terminal."""
    certificate = plan.certificates[action.certificate]
    role = action.role if isinstance(action, TrustCertificate) else _role_of(certificate)
    yield f"{escape(certificate.subject) or '(no subject)'} ({role})"
    yield f"  fingerprint    {action.certificate}"
    if certificate.serial is not None:
        yield f"  serial number  {certificate.serial:X}"
    yield f"  issued by      {escape(certificate.issuer) or '(no issuer)'}"
    if certificate.not_after is not None:
        yield f"  valid until    {rfc3339(certificate.not_after)}"
    for trusting in plan.actions:
        if isinstance(trusting, TrustCertificate) and trusting.certificate == action.certificate:
            yield f"  seen at        {escape(', '.join(trusting.because)) or 'no endpoint'}"
            yield f"  trusted then   on {escape(', '.join(trusting.peers))}"
        if isinstance(trusting, TrustOnNode) and trusting.certificate == action.certificate:
            yield f"  uploaded then  as {escape(trusting.store)}-trust of {escape(trusting.node)}"
    yield f"  {_WHERE_TO_READ[role] if isinstance(action, TrustCertificate) else _WHERE_TO_READ_OF_PEERS}"


def _role_of(certificate: Certificate) -> Role:
    if not certificate.self_issued:
        return "intermediate"
    return "root" if certificate.is_ca else "self-signed"
