"""The store of approvals on this machine: private, and believed only where nobody else could write."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from remediate.executor.approval_store import ApprovalsUnusable, load_approvals, record_approvals
from remediate.model.approvals import Approvals, ApprovedCertificate
from remediate.model.errors import Declined
from remediate.model.identity import PlanId
from remediate.model.plan import Plan
from tests.executor.clusters import CUCM_EC, IMP, approvals_of, plan_for, story
from tests.executor.conftest import Desk


def recorded(desk: Desk, plan: Plan, *approvals: ApprovedCertificate) -> None:
    """What `plan` or `approve` recorded on this machine."""
    record_approvals(desk.state_dir, Approvals(plan.id, approvals))


def test_approvals_are_recorded_under_the_id_of_the_plan(desk: Desk, new_desk: Callable[[], Desk]) -> None:
    # Given two plans for one cluster, and approvals that were recorded for one of them
    cluster = story()
    plan, other_plan = plan_for(cluster), plan_for(cluster, ciphers="keep")
    assert plan.id != other_plan.id
    recorded(desk, plan, *approvals_of(IMP.certificate.fingerprint, CUCM_EC.certificate.fingerprint))
    # Then they count for that one on this machine, and nowhere else
    for machine, applied in ((desk, other_plan), (new_desk(), plan)):
        with pytest.raises(Declined):
            machine.apply(cluster, applied, approved=())
    assert cluster.sent_count == 0
    result = desk.apply(cluster, plan, approved=())
    assert result.state == "applied"
    how = {approval.fingerprint: (approval.approver, approval.at) for approval in desk.journal().approvals(result.run_id)}
    assert how[IMP.certificate.fingerprint] == ("anna", "2026-11-23T10:00:00Z")


def test_the_record_is_private_and_keeps_the_first_approval(desk: Desk) -> None:
    fingerprint = IMP.certificate.fingerprint
    first, later = (ApprovedCertificate(fingerprint, f"2026-11-2{day}T10:00:00Z", "anna", "terminal") for day in (3, 4))
    plan = PlanId("sha256:" + "1" * 64)
    for approval in (ApprovedCertificate(fingerprint, "2026-11-22T10:00:00Z", "ben", "ca"), first, later):
        record_approvals(desk.state_dir, Approvals(plan, (approval,)))
    assert load_approvals(desk.state_dir, plan) == (first,)
    [record] = (desk.state_dir / "approvals").iterdir()
    assert (record.stat().st_mode & 0o777, record.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def a_link(path: Path, genuine: str) -> None:
    path.with_suffix(".elsewhere").write_text(genuine)
    path.symlink_to(path.with_suffix(".elsewhere"))


def a_pipe(path: Path, genuine: str) -> None:
    os.mkfifo(path)


def for_others_to_write(path: Path, genuine: str) -> None:
    path.write_text(genuine)
    path.chmod(0o666)


def in_a_folder_for_others(path: Path, genuine: str) -> None:
    path.write_text(genuine)
    path.parent.chmod(0o777)


def of_another_plan(path: Path, genuine: str) -> None:
    path.write_text(genuine.replace(path.stem, "9" * 64))


def no_document(path: Path, genuine: str) -> None:
    path.write_text(genuine[:-20])


@pytest.mark.parametrize("put", [a_link, a_pipe, for_others_to_write, in_a_folder_for_others, of_another_plan, no_document])
def test_a_record_that_anyone_may_have_written_is_not_believed(desk: Desk, put: Callable[[Path, str], None]) -> None:
    # Given something in the place of the record that this user alone did not write for this plan
    cluster = story()
    plan = plan_for(cluster)
    genuine = Approvals(plan.id, approvals_of(IMP.certificate.fingerprint)).to_json()
    folder = desk.state_dir / "approvals"
    folder.mkdir(mode=0o700, parents=True)
    desk.state_dir.chmod(0o700)
    put(folder / f"{plan.id.removeprefix('sha256:')}.json", genuine)
    # Then apply says so and stops, and nothing is added to it either
    with pytest.raises(ApprovalsUnusable) as refused:
        desk.apply(cluster, plan, approved=())
    assert refused.value.exit_code == 1
    with pytest.raises(ApprovalsUnusable):
        recorded(desk, plan, *approvals_of(IMP.certificate.fingerprint))
    assert cluster.sent_count == 0
