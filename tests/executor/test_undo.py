"""Undoing: exactly what a run did, backwards, and nothing that others did since."""

from __future__ import annotations

from remediate.executor import changes
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import CipherList
from tests.executor.clusters import IMP, plan_for, renumbered, story
from tests.executor.conftest import Desk
from tests.pki import issue

LATER = issue("added later", ca=True)


def test_exactly_what_the_run_added_is_removed_backwards(desk: Desk) -> None:
    cluster = story()
    desk.apply(cluster, plan_for(cluster))
    forward = len(cluster.writes)
    result = desk.rollback(cluster)
    assert (result.exit_code, result.state, result.has_written) == (0, "rolled-back", True)
    assert cluster.state() == story().state()
    assert [write.peer[:5] for write in cluster.writes[forward:]] == ["expc1", "expc3", "expc3", "expc2", "expc1"]


def test_what_others_changed_since_stays_and_is_reported(desk: Desk) -> None:
    # Given a run, and changes of others after it
    cluster = story()
    desk.apply(cluster, plan_for(cluster))
    cluster.device(1).trusted.append(LATER.certificate)
    for device in cluster.devices:
        device.ciphers[REVERSE_PROXY_CIPHERS] = CipherList("HIGH")
    # When it is rolled back
    result = desk.rollback(cluster)
    # Then ours is gone, theirs stays
    assert result.exit_code == 0
    assert LATER.certificate in cluster.device(1).trusted
    assert IMP.certificate not in cluster.device(1).trusted
    assert cluster.device(1).ciphers[REVERSE_PROXY_CIPHERS] == "HIGH"
    assert "Different from before the run, and left" in result.message
    assert "the trusted CA list of expc1.example.test is not as it was before the run" in result.message


def test_what_a_run_did_twice_is_one_step_for_a_person(desk: Desk) -> None:
    # Given a run whose certificates a person took out again, for a rollback that devices do not offer
    cluster = story()
    plan = plan_for(cluster)
    for device in cluster.devices:
        device.removal = False
    desk.apply(cluster, plan)
    first = desk.rollback(cluster)
    for device in cluster.devices:
        device.trusted[:] = [
            certificate
            for certificate in device.trusted
            if certificate.fingerprint not in changes.find_additions(plan, device.address)
        ]
    # When the same plan is applied again and that is rolled back, Then each step stands there once
    desk.apply(cluster, plan)
    second = desk.rollback(cluster)
    assert sorted(step.text for step in second.open_steps) == sorted(step.text for step in first.open_steps)
    assert len(set(second.open_steps)) == len(second.open_steps) == 4


def test_a_certificate_put_back_is_no_change_by_others(desk: Desk) -> None:
    # Given a run that took the first certificate of each list out
    cluster = story()
    for device in cluster.devices:
        device.trusted.append(LATER.certificate)
    first = cluster.device(1).trusted[0]
    plan = renumbered(plan_for(cluster), removing=first, by="rest")
    assert desk.apply(cluster, plan).state == "applied"
    # When it is rolled back, which can only append
    result = desk.rollback(cluster)
    # Then it says whose doing the other order is
    assert first in cluster.device(1).trusted
    assert "in another order, because the certificates that the run had removed were appended again" in result.message
    assert "others" not in result.message
    # And the same plan can be applied again: what it takes out may stand anywhere
    assert desk.apply(cluster, plan).state == "applied"
    assert first not in cluster.device(1).trusted


def test_a_refused_undo_is_not_tried_again_out_of_order(desk: Desk) -> None:
    # Given a run that set the ciphers twice, since a rollback could not prove that they were restored
    cluster = story()
    plan = plan_for(cluster)
    desk.apply(cluster, plan)
    cluster.device(3).up = False
    assert desk.rollback(cluster).state == "partial"
    cluster.device(3).up = True
    assert desk.apply(cluster, plan).state == "applied"
    # When the primary refuses, once, to restore them
    cluster.faults = {cluster.sent_count + 1: "refuse"}
    forward = len(cluster.writes)
    result = desk.rollback(cluster)
    # Then they are left, since certificates that were added before them are gone; and the next rollback restores them
    assert (result.state, len(result.open_steps)) == ("partial", 1)
    assert {write.action.split()[0] for write in cluster.writes[forward:]} == {"remove"}
    assert desk.rollback(cluster).state == "rolled-back"
    assert cluster.state() == story().state()
