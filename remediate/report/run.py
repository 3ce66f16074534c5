"""JSON of the runs of the journal (contract, *runs*)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from remediate.model.effect import effects_json
from remediate.model.identity import Address
from remediate.model.run import ApprovalRecord, Backup, Run, StepRecord


def run_json(run: Run) -> dict[str, Any]:
    """Return a run as `remediate runs` lists it."""
    names = ("id", "kind", "cluster", "plan", "state", "exit_code", "started_at", "ended_at", "ticket")
    in_effect = None if run.in_effect is None else effects_json(run.in_effect)
    return {**{name: getattr(run, name) for name in names}, "peers": list(run.peers), "in_effect": in_effect}


def run_record(
    run: Run,
    steps: Sequence[StepRecord],
    backups: Mapping[Address, Backup],
    approvals: Iterable[ApprovalRecord],
    remark: str | None,
) -> dict[str, Any]:
    """Return all that the journal holds of a run, but its plan and the certificates.

    ``before`` is each peer before the first write: its trusted CA list in the peer's order, and its cipher lists. ``after`` is the
    trusted CA list with what the steps that were read back as done made of it.

    Args:
        run: The run.
        steps: Its writes, in their order.
        backups: The lists of its peers before its first write.
        approvals: The approvals of its certificates.
        remark: What a person must know of a run that is not at its end; None: its state is enough.
    """
    return {
        **run_json(run),
        "remark": remark,
        "who": run.user,
        "host": run.host,
        "pid": run.pid,
        "message": run.message,
        "confirm_by": run.confirm_by,
        "before": {
            peer: {"trusted_ca": list(backup.trusted_ca), "ciphers": dict(backup.ciphers)} for peer, backup in backups.items()
        },
        "after": {peer: {"trusted_ca": list(list_after(backup.trusted_ca, peer, steps))} for peer, backup in backups.items()},
        "steps": [step_json(step) for step in steps],
        "approvals": [approval_json(approval) for approval in approvals],
    }


def list_after(before: Sequence[str], peer: str, steps: Sequence[StepRecord]) -> tuple[str, ...]:
    """Return the trusted CA list of `peer` after a run: the list `before`, changed by the steps that were read back as done."""
    listed = list(before)
    for step in steps:
        certificate = step.facts.get("certificate", "")
        if step.peer != peer or step.state != "done":
            continue
        if step.kind == "trust-certificate" and certificate not in listed:
            listed.append(certificate)
        if step.kind == "remove-certificate" and certificate in listed:
            listed.remove(certificate)
    return tuple(listed)


def step_json(step: StepRecord) -> dict[str, Any]:
    """Return one write and its outcome."""
    document = {**asdict(step), "facts": dict(step.facts), "inverse": None if step.inverse is None else dict(step.inverse)}
    # Only what comes of an undo is of use to others; the message says why a step is left.
    del document["undo_sent_at"], document["is_left"]
    return document


def approval_json(approval: ApprovalRecord) -> dict[str, Any]:
    """Return one approval."""
    return {"fingerprint": approval.fingerprint, "who": approval.approver, "how": approval.how, "at": approval.at}
