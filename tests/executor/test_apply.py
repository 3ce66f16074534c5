"""The whole walk of an apply, undisturbed, and what it finds done already."""

from __future__ import annotations

from dataclasses import replace

import pytest

from remediate.executor.steps import MAY_FOLLOW, Step, StepSequence
from remediate.model.plan import TrustCertificate
from tests.executor.clusters import (
    IMP,
    endpoint,
    plan_for,
    story,
)
from tests.executor.conftest import Desk
from tests.executor.crashing import story_after


def test_an_apply_reaches_the_plan_and_reads_everything_back(desk: Desk) -> None:
    # Given a plan of additions, a cipher list and a refresh
    cluster = story()
    plan = plan_for(cluster)
    # When it is applied
    result = desk.apply(cluster, plan, ticket="CHG-1")
    # Then every endpoint verifies, peers were written to in order, and ciphers after them on the primary alone
    assert (result.exit_code, result.state, result.has_written, result.open_steps) == (0, "applied", True, ())
    assert all(verdict.ok for verdict in result.verdicts.values())
    assert cluster.state() == story_after(plan).state()
    assert [write.peer[:5] for write in cluster.writes] == ["expc1", "expc2", "expc3", "expc3", "expc1", "expc1"]
    assert cluster.writes[-2].action.startswith("cipher ReverseProxyTLSCiphers")
    assert cluster.writes[-1].action.startswith("refresh")


def test_the_steps_are_walked_as_the_specification_numbers_them(desk: Desk) -> None:
    cluster = story(peers=1)
    desk.apply(cluster, plan_for(cluster))
    numbers = [event.fields["step"] for event in desk.events if event.type == "step"]
    one_write = [5, 6, 7]
    assert numbers == [1, 2, 3, 4, 3, *one_write, 8, 9, *one_write, 10, 11, *one_write, 12, 13]


def test_an_illegal_order_cannot_be_walked() -> None:
    for now, allowed in MAY_FOLLOW.items():
        for step in Step:
            sequence = StepSequence(lambda _step: None, lambda _step: None)
            sequence.current = now
            if step in allowed or (step is Step.CLOSE and now not in {None, Step.CLOSE}):
                sequence.enter(step)
            else:
                with pytest.raises(RuntimeError):
                    sequence.enter(step)


def test_the_second_apply_changes_nothing(desk: Desk) -> None:
    # Given a cluster that the plan was applied to
    cluster = story()
    plan = plan_for(cluster)
    first = desk.apply(cluster, plan)
    writes = list(cluster.writes)
    # When it is applied again
    again = desk.apply(cluster, plan)
    # Then nothing is written, and no second run hides the first from `rollback last`
    assert (again.exit_code, again.has_written, again.run_id) == (0, False, first.run_id)
    assert cluster.writes == writes
    assert len(desk.journal().runs()) == 1


def test_verdicts_before_are_those_of_this_very_apply(desk: Desk) -> None:
    # Given a plan that was applied: endpoints that were refused when it was made verify now
    cluster = story()
    plan = plan_for(cluster)
    first = desk.apply(cluster, plan)
    assert not all(verdict.ok for verdict in first.verdicts_before.values())
    # When it is applied again, Then what was before is what this run saw, not what the plan did
    again = desk.apply(cluster, plan)
    assert again.verdicts_before == again.verdicts


def test_an_endpoint_unseen_from_three_peers_counts_once(desk: Desk) -> None:
    # Given a node that went down after the plan was made
    cluster = story(3)
    plan = plan_for(cluster)
    last = cluster.endpoints[-1]
    cluster.endpoints = (*cluster.endpoints[:-1], replace(last, presented={}, error="unreachable: it is down"))
    # When the plan is applied all the same, Then the message counts one endpoint, not three pairs
    result = desk.apply(cluster, plan, allow_incomplete=True)
    assert result.exit_code == 4
    assert "1 endpoint could not be checked." in result.message


def test_changes_made_by_hand_are_no_result_of_an_undone_run(desk: Desk) -> None:
    # Given a run that was rolled back, and a person who then did all that the plan wants
    cluster = story()
    plan = plan_for(cluster)
    desk.apply(cluster, plan)
    desk.rollback(cluster)
    cluster.devices = story_after(plan).devices
    # When the plan is applied, Then there is nothing to do, and no run is said to have done it
    again = desk.apply(cluster, plan)
    assert (again.exit_code, again.has_written, again.run_id) == (0, False, "")


def test_a_certificate_added_by_hand_is_not_added_again(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster)
    cluster.device(2).trusted.append(IMP.certificate)
    result = desk.apply(cluster, plan)
    assert result.exit_code == 0
    assert cluster.device(2).trusted.count(IMP.certificate) == 1
    # And it is not ours to remove
    desk.rollback(cluster)
    assert IMP.certificate in cluster.device(2).trusted
    assert IMP.certificate not in cluster.device(1).trusted


def test_a_refresh_by_hand_is_only_a_reminder(desk: Desk) -> None:
    cluster = story()
    cluster.publishers = tuple(replace(publisher, refresh="person") for publisher in cluster.publishers)
    result = desk.apply(cluster, plan_for(cluster))
    assert (result.exit_code, result.open_steps) == (0, ())
    assert any("Unified CM servers > Refresh servers" in text for text in desk.messages("manual-step"))


def test_a_refused_refresh_is_an_open_step_and_undoes_nothing(desk: Desk) -> None:
    cluster = story()
    cluster.refuse_refresh = True
    result = desk.apply(cluster, plan_for(cluster))
    assert result.exit_code == 0
    assert any("Socket Error" in text for text in desk.messages("warning"))


def test_an_endpoint_lost_by_an_undone_refresh_is_an_open_step(desk: Desk) -> None:
    # Given a plan whose refresh only a person can do
    cluster = story()
    cluster.publishers = tuple(replace(publisher, refresh="person") for publisher in cluster.publishers)
    plan = plan_for(cluster)
    # When an endpoint is not discovered any more once everything is written
    endpoints = cluster.endpoints
    cluster.tap = lambda _point: setattr(cluster, "endpoints", endpoints[1:] if len(cluster.writes) == 5 else endpoints)
    result = desk.apply(cluster, plan)
    # Then the step is open, and nothing is called a failure
    assert (result.exit_code, result.state) == (8, "partial")
    assert "Refresh servers" in result.open_steps[0].text


def test_what_the_plan_cannot_fix_is_exit_code_10(desk: Desk) -> None:
    cluster = story()
    wrong_name = endpoint("10.0.0.9", 8443, IMP, product="imp")
    cluster.endpoints = (*cluster.endpoints, wrong_name)
    result = desk.apply(cluster, plan_for(cluster))
    assert (result.exit_code, result.state) == (10, "applied")


def test_only_re_encoded_der_of_the_plan_goes_out(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster)
    desk.apply(cluster, plan)
    certificates = {action.certificate for action in plan.actions if isinstance(action, TrustCertificate)}
    assert {
        write.action.removeprefix("append ") for write in cluster.writes if write.action.startswith("append")
    } == certificates


def test_applying_again_adds_only_what_someone_removed(desk: Desk) -> None:
    # Given an applied plan, and one of two certificates that somebody took out of one list again
    cluster = story()
    plan = plan_for(cluster)
    desk.apply(cluster, plan)
    cluster.device(3).trusted.remove(IMP.certificate)
    before = len(cluster.writes)
    # When the plan is applied again, Then that one is put back, and nothing else is written to a list
    assert desk.apply(cluster, plan).state == "applied"
    assert [write.action for write in cluster.writes[before:] if write.action.startswith("append")] == [
        f"append {IMP.certificate.fingerprint}"
    ]
