"""Vouching for the certificates that a plan trusts (step 3), established anew at every apply (docs/decisions/0005-approvals.md).

A plan is a file, and anyone can write one with an id that fits. So a certificate is trusted only where this cluster's lists, the
inventory's `ca`, certificate management or a person vouches for it now, and where an endpoint that the plan verifies needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from remediate.connectors.authorities import read_authorities
from remediate.executor import verification
from remediate.executor.approval_store import load_approvals, merge_approvals
from remediate.executor.journal.store import Journal
from remediate.executor.operations.certificates import describe_certificate
from remediate.executor.result import ApplyOptions
from remediate.model.access import ClusterAccess
from remediate.model.approvals import BY_CA, ApprovedCertificate
from remediate.model.canonical import rfc3339
from remediate.model.errors import Declined, StalePlan
from remediate.model.identity import Address, Fingerprint, PairId
from remediate.model.plan import Plan, TrustCertificate, TrustOnNode
from remediate.model.run import ApprovalRecord, Run
from remediate.model.snapshot import Snapshot
from remediate.model.text import count, first_few

if TYPE_CHECKING:
    from remediate.model.verdict import Verdicts


HOW_TO_VOUCH = (
    "Nothing was changed. Compare each fingerprint out of band, then pass --approve sha256:HEX, --approve-file FILE, the file "
    "of `remediate approve` with --approvals FILE, or --ca PATH for a CA certificate of your own."
)


def collect_approvals(
    plan: Plan, options: ApplyOptions, state_dir: Path, journal: Journal, unfinished: Run | None
) -> tuple[ApprovedCertificate, ...]:
    """Return every approval of a person that counts for `plan` here.

    These are those of this command, those recorded on this machine under the plan's id, and those of the run that is resumed.

    Raises:
        ApprovalsUnusable: The recorded ones cannot be believed or read.
    """
    of_the_run = journal.approvals(unfinished.id) if unfinished else ()
    resumed = [ApprovedCertificate(record.fingerprint, record.at, record.approver, record.how) for record in of_the_run]
    return merge_approvals(options.approvals, load_approvals(state_dir, plan.id), resumed)


def refuse_unapproved(
    plan: Plan, cluster: ClusterAccess, options: ApplyOptions, state_dir: Path
) -> tuple[ApprovedCertificate, ...]:
    """Return the approvals for `plan`, before any peer is opened, so that a person answers no question in vain.

    Raises:
        Declined: By the plan's own word a person must vouch for a certificate, and none did. Whether something else vouches for a
            certificate is established at step 3.
        InventoryError: A CA file of the inventory cannot be read.
    """
    with Journal(state_dir) as journal:
        approvals = collect_approvals(plan, options, state_dir, journal, journal.find_unfinished(plan))
    vouched = {approval.certificate for approval in approvals}
    vouched |= {certificate.fingerprint for certificate in read_authorities(cluster.ca).certificates}
    _refuse_unvouched(plan, [action for action in list_actions_to_approve(plan) if action.certificate not in vouched])
    return approvals


def establish_vouchers(
    plan: Plan, now: Snapshot, approvals: Sequence[ApprovedCertificate], *, user: str, at: datetime
) -> tuple[ApprovalRecord, ...]:
    """Return who vouches for each certificate that `plan` trusts, for the journal.

    Args:
        plan: The plan.
        now: The cluster as read for this run: its `vouched_for` is what lists, `ca` and certificate management vouch for now.
        approvals: The approvals that persons gave.
        user: The user who carries out the run.
        at: When the run is carried out.

    Raises:
        Declined: One of them has no voucher now.
    """
    records: list[ApprovalRecord] = []
    missing: list[TrustCertificate | TrustOnNode] = []
    by_person = {approval.certificate: approval for approval in approvals}
    for action in _pick_one_per_certificate(_list_trust_actions(plan)):
        how = _find_voucher(action.certificate, now)
        approval = by_person.get(action.certificate)
        if how:
            records.append(ApprovalRecord(action.certificate, user, how, rfc3339(at)))
        elif approval and not (approval.how == BY_CA and _is_disputed(action.certificate, now)):
            records.append(ApprovalRecord(action.certificate, approval.by, _how_approved(approval), approval.at))
        else:
            missing.append(action)
    _refuse_unvouched(plan, missing, [peer.address for peer in now.peers if peer.error is not None])
    return tuple(records)


def refuse_unneeded(
    plan: Plan, now: Snapshot, forecast: verification.Verification, judge: Callable[[Snapshot], Verdicts]
) -> None:
    """Raise StalePlan when the proof does not need a certificate that the plan would add to a peer.

    A plan that was made here never holds one: a list with fewer additions that verifies as much is chosen before. What a peer has
    already is not added. Where a peer could not judge an endpoint that the plan promises, nothing on it is known to be unneeded.

    `forecast` is the outcome of the plan, judged from `now`.
    """
    after = verification.with_plan(plan, now)
    unseen = {endpoint.peer for endpoint in forecast.unseen if endpoint.after.ok}
    working = _list_working(judge(after))
    unneeded = []
    for action in [action for action in plan.actions if isinstance(action, TrustCertificate)]:
        doubtful = [
            peer.address
            for peer in now.peers
            if peer.address in action.peers
            and peer.error is None
            and peer.address not in unseen
            and action.certificate not in peer.trusted_ca
        ]
        needing = _find_losing_peers(after, doubtful, action.certificate, working, judge)
        idle = [peer for peer in doubtful if peer not in needing]
        if idle:
            unneeded.append(f"{describe_certificate(plan.certificates[action.certificate])} on {', '.join(idle)}")
    if unneeded:
        raise StalePlan(
            f"The plan for {plan.cluster} is stale: it would trust certificates that no endpoint needs now: "
            f"{'; '.join(unneeded)}."
        )


def _find_losing_peers(
    after: Snapshot,
    peers: Sequence[Address],
    certificate: Fingerprint,
    working: frozenset[tuple[PairId, str]],
    judge: Callable[[Snapshot], Verdicts],
) -> frozenset[Address]:
    """Return those of `peers` through which something that verifies or works in `after` would not without `certificate`."""
    if not peers:
        return frozenset()
    shorter = tuple(
        replace(peer, trusted_ca=tuple(fingerprint for fingerprint in peer.trusted_ca if fingerprint != certificate))
        for peer in after.peers
        if peer.address in peers
    )
    still = _list_working(judge(replace(after, peers=shorter)))
    return frozenset(pair.peer for pair, how in working - still if pair.peer in peers)


def _list_working(verdicts: Verdicts) -> frozenset[tuple[PairId, str]]:
    """Return each pair that verifies, and each that works although it does not count as verified: neither may be lost."""
    verified = {(pair, "verifies") for pair, verdict in verdicts.items() if verdict.ok}
    return frozenset(verified | {(pair, "works") for pair, verdict in verdicts.items() if verdict.works})


def list_certificates_to_trust(plan: Plan) -> frozenset[Fingerprint]:
    """Return the certificates that `plan` would have peers or nodes trust."""
    return frozenset(action.certificate for action in _list_trust_actions(plan))


def list_actions_to_approve(plan: Plan) -> tuple[TrustCertificate | TrustOnNode, ...]:
    """Return the additions, one a certificate, for which by the plan's own word only a person's approval vouches."""
    return tuple(_pick_one_per_certificate(action for action in _list_trust_actions(plan) if action.approval != "vouched"))


def describe_approvals(plan: Plan, approvals: Sequence[ApprovedCertificate]) -> list[str]:
    """Return who approved which certificate of `plan`, when and how, in the plan's order: what was approved together, together."""
    by_person = {approval.certificate: approval for approval in approvals}
    groups: dict[str, list[str]] = {}
    for action in _pick_one_per_certificate(_list_trust_actions(plan)):
        approval = by_person.get(action.certificate)
        if approval is not None:
            words = f"{_how_approved(approval)}, {approval.by}, {approval.at}"
            groups.setdefault(words, []).append(describe_certificate(plan.certificates[action.certificate]))
    lines: list[str] = []
    for words, certificates in groups.items():
        if len(certificates) == 1:
            lines.append(f"{certificates[0]}: {words}.")
        else:
            lines += [
                f"{count(len(certificates), 'certificate')}, approved together ({words}):",
                *(f"  - {certificate}" for certificate in certificates),
            ]
    return lines


def _list_trust_actions(plan: Plan) -> Iterator[TrustCertificate | TrustOnNode]:
    return (action for action in plan.actions if isinstance(action, TrustCertificate | TrustOnNode))


def _pick_one_per_certificate(actions: Iterable[TrustCertificate | TrustOnNode]) -> Iterable[TrustCertificate | TrustOnNode]:
    """Return the first action of each certificate."""
    by_certificate: dict[Fingerprint, TrustCertificate | TrustOnNode] = {}
    for action in actions:
        by_certificate.setdefault(action.certificate, action)
    return by_certificate.values()


def _is_disputed(certificate: Fingerprint, now: Snapshot) -> bool:
    """Return whether `certificate` may come from an attacker in the middle: then only a person who compared it vouches."""
    return any(alarm.certificate == certificate for alarm in now.alarms)


def _find_voucher(certificate: Fingerprint, now: Snapshot) -> str | None:
    """Return what vouches for `certificate` without a person's approval; None: nothing does."""
    if _is_disputed(certificate, now):
        return None
    for peer in now.peers:
        if peer.error is None and certificate in peer.trusted_ca:
            return f"confirmed: {peer.address} trusts it"
    return "confirmed: the inventory's `ca`, or certificate management" if certificate in now.vouched_for else None


def _how_approved(approval: ApprovedCertificate) -> str:
    options = {BY_CA: "given by the operator with --ca", "terminal": "approved by the operator, with `remediate approve`"}
    # For a resumed run, the journal's own words are kept.
    return options.get(approval.how) or (
        f"approved by the operator with --{approval.how}" if approval.how in {"approve", "approve-file"} else approval.how
    )


def _refuse_unvouched(plan: Plan, missing: Sequence[TrustCertificate | TrustOnNode], unread: Sequence[Address] = ()) -> None:
    if not missing:
        return
    lines = []
    for action in missing:
        certificate = describe_certificate(plan.certificates[action.certificate])
        lines.append(f"  {certificate}, seen at {first_few(action.because) or 'no endpoint'}")
    claims = sorted({action.approval for action in missing} - {"required"})
    note = f"\nThe plan file says {' or '.join(claims)}, but that alone does not count." if claims else ""
    note += f"\nWhat {', '.join(unread)} trusts could not be read." if unread else ""
    raise Declined(
        "No trusted source confirms these certificates, and they were not approved (--approve):\n" + "\n".join(lines) + note,
        next_step=HOW_TO_VOUCH,
    )
