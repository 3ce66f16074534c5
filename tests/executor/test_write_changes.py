"""Removals that a plan asks for: first of all, by REST or by a person, and what waits for them."""

from __future__ import annotations

from tests.executor.clusters import IMP, OLD_IMP, plan_for, removing_over_rest, renewed, renumbered, story
from tests.executor.conftest import Desk


def test_a_removal_comes_before_the_addition_and_is_undone_by_adding(desk: Desk) -> None:
    # Given a plan that takes one certificate out by REST
    cluster = story(peers=1)
    plan = renumbered(plan_for(cluster), removing=cluster.device(1).trusted[0], by="rest")
    # When it is applied, Then it goes first
    assert desk.apply(cluster, plan).exit_code == 0
    assert cluster.writes[0].action.startswith("remove")
    # When it is rolled back, Then the list holds the same certificates
    result = desk.rollback(cluster)
    assert (result.exit_code, result.state) == (0, "rolled-back")
    assert {certificate.fingerprint for certificate in cluster.device(1).trusted} == {
        certificate.fingerprint for certificate in story(1).device(1).trusted
    }


def test_a_removal_by_hand_stays_open_until_it_is_done(desk: Desk) -> None:
    # Given a plan with a removal that only a person can make
    cluster = story(peers=1)
    stale = cluster.device(1).trusted[0]
    plan = renumbered(plan_for(cluster), removing=stale, by="person")
    # When it is applied, Then the rest is done, and the step is open with its page
    result = desk.apply(cluster, plan)
    assert (result.exit_code, result.state) == (8, "partial")
    assert "Maintenance > Security > Trusted CA certificate" in result.open_steps[0].text
    # When the person did it and the plan is applied again, Then the same run ends well
    cluster.device(1).trusted.remove(stale)
    again = desk.apply(cluster, plan)
    assert (again.exit_code, again.state, again.run_id) == (0, "applied", result.run_id)


def test_a_removal_by_hand_delays_only_what_depends_on_it(desk: Desk) -> None:
    # Given a plan that puts a renewed certificate in the place of the old one, and a device that takes nothing out after all
    cluster = renewed(peers=1)
    plan = removing_over_rest(plan_for(cluster, allow_removal=True))
    cluster.device(1).removal = False
    # When it is applied
    result = desk.apply(cluster, plan)
    # Then the old one and its successor are for a person, the endpoint that waits is excused, and the rest is done
    assert (result.exit_code, result.state) == (8, "partial")
    assert [
        OLD_IMP.certificate.fingerprint in step.text or IMP.certificate.fingerprint in step.text for step in result.open_steps
    ] == [
        True,
        True,
    ]
    assert IMP.certificate not in cluster.device(1).trusted
    assert cluster.writes[-1].action.startswith("cipher ")
