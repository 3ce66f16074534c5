"""The checks that refuse a run before anything is written: its plan, the cluster, and the room for its journal and locks."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from remediate.executor.changes import list_changes
from remediate.executor.guards import ClusterHealth, GuardState, judge_guards
from remediate.executor.journal.database import prove_room, refuse_special_files
from remediate.executor.journal.store import FILE_NAME, JournalError
from remediate.executor.lock import name_directory, refuse_if_unusable
from remediate.executor.operations import RemoveFromPeer, TrustOnPeer
from remediate.executor.steps import RunEvents
from remediate.executor.verification import Verification, with_plan
from remediate.model.access import ClusterAccess
from remediate.model.errors import FormatError, IncompletePlan, RemediateError, StalePlan, UsageError
from remediate.model.exit_codes import ExitCode
from remediate.model.expressway import MAX_TRUSTED_CA, TRUSTED_CA_PAGE
from remediate.model.identity import Address
from remediate.model.plan import Plan, RemoveCertificate, SetCiphers
from remediate.model.restart import Guard
from remediate.model.run import Backup
from remediate.model.snapshot import Snapshot
from remediate.model.text import count, first_few
from remediate.model.verdict import Cause
from remediate.trust.ciphers import families_in
from remediate.trust.guarded_verifier import find_broken, list_unseen_consumers, verify_guarded


class ListFull(RemediateError):
    """A trusted CA list that has no room for what the plan adds."""

    default_next_step = (
        f"Nothing was changed. Delete certificates that are no longer needed ({TRUSTED_CA_PAGE}; `remediate certificates` lists those "
        "that no endpoint needs), then plan again."
    )


_COMPLETE_DISCOVERY = (
    "Make the missing systems reachable and plan again; or list every node in the inventory, with `discovery: inventory`; or "
    "pass --allow-incomplete."
)
_NOT_SEEN = frozenset({Cause.UNREACHABLE, Cause.HANDSHAKE_FAILED})


def refuse_other_cluster(plan: Plan, cluster: ClusterAccess) -> None:
    """Raise UsageError when the plan was made for another cluster."""
    if plan.cluster != cluster.name:
        raise UsageError(
            f"The plan is for cluster {plan.cluster}, but {cluster.source} names {cluster.name} here.",
            next_step="Choose the cluster with --cluster, or give the plan that was made for it.",
        )


def refuse_unusable_ciphers(plan: Plan) -> None:
    """Raise FormatError when the plan sets a cipher list in which OpenSSL finds nothing for RSA or ECDSA."""
    for action in plan.actions:
        if isinstance(action, SetCiphers) and not families_in(action.after):
            raise FormatError(f"The plan sets {action.name} to {action.after!r}, in which OpenSSL finds no usable cipher.")


def refuse_incomplete(plan: Plan) -> None:
    """Raise IncompletePlan when not everything was seen when the plan was made."""
    if not plan.complete:
        unseen = [str(endpoint.endpoint) for endpoint in plan.unresolved if endpoint.cause in _NOT_SEEN]
        gaps = [gap.message for gap in plan.undiscovered if gap.incomplete]
        names = ", ".join(unseen) or ("" if gaps else "a peer or an endpoint")
        reasons = [*([f"{names} could not be observed"] if names else []), *gaps]
        raise IncompletePlan(
            f"Nothing was changed: the plan for {plan.cluster} is incomplete: {'; '.join(reasons).rstrip('.')}.",
            next_step=_COMPLETE_DISCOVERY if gaps else None,
        )


def refuse_absent_peers(plan: Plan, unreachable: Mapping[Address, str]) -> None:
    """Raise IncompletePlan when a peer cannot be opened."""
    if unreachable:
        reasons = "; ".join(f"{peer}: {reason.rstrip('.')}" for peer, reason in unreachable.items())
        raise IncompletePlan(f"Not every peer of {plan.cluster} can be read: {reasons}.")


def refuse_if_proof_fails(plan: Plan, forecast: Verification, *, allow_incomplete: bool) -> None:
    """Raise when the plan's promise no longer follows from what the endpoints present now.

    Raises:
        StalePlan: An endpoint would stay refused: it presents another certificate than when the plan was made.
        IncompletePlan: An endpoint that the plan promises to verify cannot be observed now.
    """
    if forecast.broken:
        refused = "; ".join(forecast.describe(endpoint) for endpoint in forecast.broken)
        raise StalePlan(
            f"The plan for {plan.cluster} is stale: with the certificates presented and trusted now, these endpoints would "
            f"fail after it: {refused}."
        )
    promised = [endpoint for endpoint in forecast.unseen if endpoint.after.ok]
    if promised and not allow_incomplete:
        unseen = "; ".join(forecast.describe(endpoint) for endpoint in promised)
        raise IncompletePlan(f"The result of the plan cannot be checked now: {unseen}.")


def refuse_if_other_services_break(plan: Plan, now: Snapshot) -> None:
    """Refuse when the plan would leave a peer refusing a chain of another service that it accepts now. Raises StalePlan."""
    broken = find_broken(verify_guarded(now), verify_guarded(with_plan(plan, now)))
    if broken:
        names = dict.fromkeys(
            f"{guarded.endpoint.name} ({guarded.endpoint.service or 'another service'})" for guarded in broken
        )
        raise StalePlan(
            f"{first_few(list(names))} passes with the same trusted CA list now, but would fail after this plan "
            f"({broken[0].verdict.error}).",
            next_step="Make a new plan: `remediate plan` protects what other services need.",
        )


def refuse_removal_unseen(plan: Plan, now: Snapshot) -> None:
    """Raise IncompletePlan when the plan takes a certificate out of a list and something that relies on lists cannot be looked at."""
    removes = any(isinstance(action, RemoveCertificate) for action in plan.actions)
    if removes and (unseen := list_unseen_consumers(now)):
        raise IncompletePlan(
            f"The plan for {plan.cluster} removes a certificate, but this uses the trusted CA list and cannot be checked "
            f"now: {first_few(list(unseen))}.",
            next_step="Make it reachable and apply again, or plan again without --allow-removal.",
        )


def refuse_over_limit(plan: Plan, backups: Iterable[Backup]) -> None:
    """Raise ListFull when a trusted CA list would hold more certificates than Expressway allows.

    Counted from the list as it is now: a certificate that is there already adds nothing, and one that is removed over REST goes first.
    """
    for backup in backups:
        listed, changes = set(backup.trusted_ca), tuple(list_changes(plan, backup.peer))
        added = {change.certificate.fingerprint for change in changes if isinstance(change, TrustOnPeer)} - listed
        removed = {change.certificate.fingerprint for change in changes if isinstance(change, RemoveFromPeer)} & listed
        size = len(backup.trusted_ca) - len(removed) + len(added)
        if added and size > MAX_TRUSTED_CA:
            raise ListFull(
                f"The trusted CA list of {backup.peer} holds {count(len(backup.trusted_ca), 'certificate')}. With the "
                f"{count(len(added), 'new one')} it would hold {size}, and Expressway allows {MAX_TRUSTED_CA}."
            )


class UpgradePending(RemediateError):
    """A software upgrade that is under way or staged: what is written now would be lost with it."""

    exit_code = ExitCode.PERSON_NEEDED
    default_next_step = "Nothing was changed. Finish or discard the upgrade, plan again, then apply."


def refuse_pending_upgrade(plan: Plan, cluster: ClusterHealth, events: RunEvents) -> None:
    """Raise UpgradePending when an upgrade is under way or staged on any peer; warn where that was not observed."""
    finding = next(finding for finding in judge_guards(Address(""), cluster, None) if finding.guard is Guard.UPGRADE)
    if finding.state is GuardState.FAILS:
        raise UpgradePending(
            f"The plan for {plan.cluster} is not applied: {finding.description} Changes made before that reboot would be lost."
        )
    if finding.state is GuardState.NOT_LOOKED_AT:
        events.emit("warning", f"{finding.description} If one is staged, changes made now are lost at its reboot.")


def refuse_unusable(state_dir: Path, shared: Path) -> None:
    """Refuse a state directory that could not keep the journal and the locks of a run; leave nothing behind.

    `shared` is the directory of the locks that all state directories of a user share, see `lock.shared_directory`.

    Raises:
        LockError, JournalError: As a real run would before its first write to a peer.
    """
    existing = refuse_if_unusable(state_dir)
    for directory in (name_directory(state_dir), shared):
        refuse_if_unusable(directory)
    journal = state_dir / FILE_NAME
    try:
        prove_room(existing)
        refuse_special_files(journal)
        if journal.exists() and not os.access(journal, os.R_OK | os.W_OK):
            raise JournalError(f"The journal {journal} cannot be used: it cannot be written.")
    except OSError as error:
        raise JournalError(f"The state directory {state_dir} cannot be used: {error.strerror}.") from error
