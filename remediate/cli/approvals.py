"""Approvals of certificates: read from the command line and from files, and saved for `apply`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from remediate.cli.files import read_document, read_text
from remediate.model.errors import Declined, RemediateError, UsageError

if TYPE_CHECKING:
    from remediate.cli.session import Session
    from remediate.model.approvals import ApprovedCertificate
    from remediate.model.identity import Fingerprint
    from remediate.model.plan import Plan


def read_command_line_approvals(
    options: Iterable[str], file: Path | None, ca_paths: Iterable[Path]
) -> tuple[ApprovedCertificate, ...]:
    """Return approvals, by this user and now, of what ``--approve``, ``--approve-file`` and ``--ca`` name.

    Raises:
        UsageError: A fingerprint is not ``sha256:HEX``, or the file is a document.
        InventoryError, CertificateError: A file of ``--ca`` cannot be read.
    """
    from remediate.connectors.authorities import read_authorities

    typed = [_parse_fingerprint(text, "--approve") for text in options]
    listed: list[Fingerprint] = []
    text = read_text(file) if file else ""
    if text.lstrip().startswith("{"):
        raise UsageError(
            f"--approve-file: {file} is a JSON document, not a list of fingerprints.",
            next_step="Give approvals that `remediate approve` wrote to `remediate apply` with --approvals.",
        )
    for number, line in enumerate(text.splitlines(), start=1):
        if fingerprint := line.partition("#")[0].strip():
            listed.append(_parse_fingerprint(fingerprint, f"{file}:{number}"))
    authorities = [certificate.fingerprint for certificate in read_authorities(ca_paths).certificates]
    return (*approve_now(typed, "approve"), *approve_now(listed, "approve-file"), *approve_now(authorities, "ca"))


def approve_now(fingerprints: Iterable[Fingerprint], how: str) -> tuple[ApprovedCertificate, ...]:
    """Return an approval of each certificate by this user, now.

    Args:
        fingerprints: The certificates to approve.
        how: As `ApprovedCertificate.how`.
    """
    from remediate.executor.identity import identify_operator
    from remediate.model.approvals import ApprovedCertificate
    from remediate.model.canonical import rfc3339, utc_now

    by, at = identify_operator().user, rfc3339(utc_now())
    return tuple(ApprovedCertificate(fingerprint, at, by, how) for fingerprint in fingerprints)


def approved_fingerprints(approvals: Iterable[ApprovedCertificate]) -> frozenset[Fingerprint]:
    """Return the certificates approved by fingerprint; a certificate given with ``--ca`` is not among them."""
    from remediate.model.approvals import BY_CA

    return frozenset(approval.certificate for approval in approvals if approval.how != BY_CA)


def read_approvals(path: Path | None, plan: Plan) -> tuple[ApprovedCertificate, ...]:
    """Return the approvals in the file of ``--approvals``; empty without a file.

    Raises:
        FormatError: The file holds no approvals.
        Declined: The approvals are for another plan.
    """
    from remediate.model.approvals import Approvals

    if path is None:
        return ()
    approvals = read_document(path, Approvals.from_json)
    if approvals.plan != plan.id:
        raise Declined(
            f"{path} has approvals for the plan {approvals.plan}, but this is the plan {plan.id}.",
            next_step="Nothing was changed. Give the plan that was approved, or approve this one with `remediate approve`.",
        )
    return approvals.approved


def save_approvals(session: Session, plan: Plan, approvals: Sequence[ApprovedCertificate]) -> None:
    """Record the approvals of this plan's certificates in the state directory, where `apply` finds them.

    If they cannot be recorded, a message reports that `apply` needs them again; the plan itself stays valid.
    """
    from remediate.executor.approval_store import merge_approvals, record_approvals
    from remediate.executor.vouching import list_certificates_to_trust
    from remediate.model.approvals import Approvals

    planned = list_certificates_to_trust(plan)
    planned_approvals = merge_approvals(approval for approval in approvals if approval.certificate in planned)
    if not planned_approvals:
        return
    try:
        record_approvals(session.state_dir, Approvals(plan.id, planned_approvals))
    except RemediateError as error:
        session.say(f"{error} So `apply` needs --ca, --approve or --approve-file again.")


def _parse_fingerprint(text: str, place: str) -> Fingerprint:
    from remediate.model.fingerprints import read_fingerprint

    fingerprint = read_fingerprint(text)
    if fingerprint is None:
        raise UsageError(
            f"{place}: `{text}` is not `sha256:` and the 64 hexadecimal digits of a certificate's SHA-256.",
            next_step="Copy the whole fingerprint: `remediate show PLAN` prints the ones that need approval.",
        )
    return fingerprint
