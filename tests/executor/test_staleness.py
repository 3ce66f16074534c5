"""Stale plans are refused before the first write, per peer, for what the plan depends on and nothing else (promise 3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from remediate.model.errors import StalePlan
from remediate.model.expressway import CIPHERS_SINCE_X15_0_2, REVERSE_PROXY_CIPHERS, RSA_PREFIX
from remediate.model.identity import CipherList
from remediate.trust.ciphers import list_new_suites
from tests.executor.clusters import CIPHERS, CORPORATE, IMP, OTHER, endpoint, plan_for, renumbered, story
from tests.executor.conftest import Desk
from tests.executor.memory import MemoryCluster, no_tap
from tests.executor.tapped import Crash
from tests.pki import NOW, issue

INTRUDER = issue("somebody else's CA", ca=True)
KEPT = issue("a root that nobody touches", ca=True)


def with_another_one(cluster: MemoryCluster) -> MemoryCluster:
    """The cluster with one more certificate on each peer: a list that a plan empties is a list that tells nothing."""
    for device in cluster.devices:
        device.trusted.insert(1, KEPT.certificate)
    return cluster


def refused(desk: Desk, cluster: MemoryCluster, plan: object) -> str:
    """What the refusal says; no device got a write and no run came to be."""
    with pytest.raises(StalePlan) as stale:
        desk.apply(cluster, plan)  # type: ignore[arg-type]  # a Plan, made by the caller
    assert cluster.sent_count == 0
    assert desk.journal().runs() == ()
    return str(stale.value)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_refusal_names_a_certificate_that_someone_added(desk: Desk, number: int) -> None:
    cluster = story()
    plan = plan_for(cluster)
    cluster.device(number).trusted.append(INTRUDER.certificate)
    message = refused(desk, cluster, plan)
    assert f"expc{number}.example.test" in message
    assert f"somebody else's CA,O=Lab ({INTRUDER.certificate.fingerprint}) was added" in message


def test_the_refusal_names_a_certificate_that_someone_removed(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster)
    cluster.device(2).trusted.remove(OTHER.certificate)
    assert f"{OTHER.certificate.fingerprint}) was removed" in refused(desk, cluster, plan)


def test_the_refusal_names_a_service_that_the_plan_would_break(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster)
    rekeyed = issue("corporate root", ca=True, key_name="rekeyed")
    cross = issue("corporate root", OTHER, ca=True, key_name="rekeyed")
    sip = issue("cucm.example.test", rekeyed, key_ids=False)
    chain = (sip.certificate, cross.certificate)
    cluster.certificates |= {certificate.fingerprint: certificate for certificate in chain}
    presented = {"rsa": tuple(certificate.fingerprint for certificate in chain)}
    guarded = endpoint("cucm.example.test", 5061, sip)
    cluster.guarded_endpoints = (replace(guarded, presented=presented, service="SIP"),)  # type: ignore[arg-type]  # a literal

    message = refused(desk, cluster, plan)

    assert message.startswith("cucm.example.test:5061 (SIP) passes with the same trusted CA list now")


def test_the_refusal_says_that_the_order_of_the_list_changed(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster)
    cluster.device(1).trusted.reverse()
    assert "trusted CA list" in refused(desk, cluster, plan)


def test_a_list_changed_in_many_ways_is_still_refused(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster)
    for device in cluster.devices:
        device.trusted[:] = [INTRUDER.certificate]
    assert "more than one way" in refused(desk, cluster, plan)


def test_the_refusal_shows_a_cipher_list_set_by_someone_else(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster)
    for device in cluster.devices:
        device.ciphers[REVERSE_PROXY_CIPHERS] = CipherList("HIGH")
    assert "ReverseProxyTLSCiphers is 'HIGH'" in refused(desk, cluster, plan)


def test_a_cipher_list_spelled_another_way_is_accepted(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster)
    for device in cluster.devices:
        device.ciphers[REVERSE_PROXY_CIPHERS] = CipherList(device.ciphers[REVERSE_PROXY_CIPHERS] + ":!eNULL")
    assert desk.apply(cluster, plan).exit_code == 0
    assert cluster.device(2).ciphers[REVERSE_PROXY_CIPHERS] == RSA_PREFIX + CIPHERS


def test_the_refusal_recognises_a_default_that_an_upgrade_set(desk: Desk) -> None:
    # Given a plan that would put the prefix in front of the old default, and an upgrade to X15.0.2
    cluster = story()
    plan = plan_for(cluster)
    for device in cluster.devices:
        device.ciphers[REVERSE_PROXY_CIPHERS] = CIPHERS_SINCE_X15_0_2
    # When it is applied, Then it is refused with the suites that it would bring back
    message = refused(desk, cluster, plan)
    suites = list_new_suites(CIPHERS, CIPHERS_SINCE_X15_0_2)
    assert "(the default since X15.0.2, which an upgrade sets)" in message
    assert f"the plan would restore {suites[0]}, " in message


def test_a_rewritten_list_outside_the_plan_is_accepted(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster, ciphers="keep")
    for device in cluster.devices:
        device.ciphers[REVERSE_PROXY_CIPHERS] = CIPHERS_SINCE_X15_0_2
    assert desk.apply(cluster, plan).exit_code == 0
    assert cluster.device(1).ciphers[REVERSE_PROXY_CIPHERS] == CIPHERS_SINCE_X15_0_2


def test_another_key_preference_makes_a_plan_stale(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster, ciphers="keep")
    for device in cluster.devices:
        device.ciphers[REVERSE_PROXY_CIPHERS] = CipherList(RSA_PREFIX + CIPHERS)
    assert "ReverseProxyTLSCiphers is 'ECDHE-RSA" in refused(desk, cluster, plan)


def test_an_unrelated_cipher_list_does_not_make_a_plan_stale(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster)
    for device in cluster.devices:
        device.ciphers["SMTPTLSCiphers"] = CipherList("HIGH")
    assert desk.apply(cluster, plan).exit_code == 0


def test_the_refusal_names_an_endpoint_with_another_certificate(desk: Desk) -> None:
    # Given a node that was given another certificate after the plan was made (or somebody in the middle)
    cluster = story()
    plan = plan_for(cluster)
    other_entity = issue("imp.example.test", names=("imp.example.test",), key_name="another key")
    cluster.certificates[other_entity.certificate.fingerprint] = other_entity.certificate
    new_endpoint = endpoint("imp.example.test", 8443, other_entity, product="imp")
    cluster.endpoints = tuple(
        new_endpoint if endpoint.address == new_endpoint.address else endpoint for endpoint in cluster.endpoints
    )
    # When the plan is applied, Then it is refused: what it would trust helps nobody
    assert "imp.example.test:8443 from expc1" in refused(desk, cluster, plan)


def test_the_refusal_names_a_peer_that_joined(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster)
    cluster.devices.append(story(4).device(4))
    assert "expc4.example.test is in the cluster, but the plan was made without it" in refused(desk, cluster, plan)


def test_the_refusal_names_a_peer_that_left(desk: Desk) -> None:
    # Given a peer that was taken out of the cluster since the plan was made: it is not down, it is gone
    cluster = story()
    plan = plan_for(cluster)
    cluster.devices.pop()
    assert "expc3.example.test is no longer in the cluster" in refused(desk, cluster, plan)


def test_a_change_just_before_a_later_peer_rolls_back(desk: Desk) -> None:
    # Given somebody who changes the second peer after the first was written to
    cluster = story()
    plan = plan_for(cluster)

    def change_list(point: str) -> None:
        if point == "before trusted_ca on expc2.example.test" and len(cluster.writes) == 1:
            cluster.device(2).trusted.append(INTRUDER.certificate)

    cluster.tap = change_list
    # When the plan is applied
    result = desk.apply(cluster, plan)
    # Then the second peer never got a write, and the first is as it was; somebody's change stays
    assert {write.peer for write in cluster.writes} == {cluster.device(1).address}
    assert cluster.state()[0] == story().state()[0]
    assert cluster.device(2).trusted[-1] == INTRUDER.certificate
    # And since the cluster is not as it was at the start, nobody claims that it is
    assert result.exit_code == 8


def test_a_resumed_run_names_exactly_what_others_changed(desk: Desk) -> None:
    # Given a run that stopped half way, so that its backup is in the journal
    cluster = story()
    plan = plan_for(cluster)
    cluster.faults = {3: "refuse"}
    desk.apply(cluster, plan, on_failure="stop")
    # When somebody then changes two things and the plan is applied again
    cluster.device(1).trusted.append(INTRUDER.certificate)
    cluster.device(1).trusted.remove(CORPORATE.certificate)
    with pytest.raises(StalePlan) as stale:
        desk.apply(cluster, plan)
    # Then both are named, and our own addition is not
    assert "corporate root" in str(stale.value)
    assert "somebody else's CA" in str(stale.value)
    assert IMP.certificate.fingerprint not in str(stale.value)


def test_the_refusal_names_a_later_run_as_a_possible_author(desk: Desk) -> None:
    # Given two plans of one moment, one of which a colleague applied
    cluster = story()
    plan, other_plan = plan_for(cluster), plan_for(cluster, ciphers="keep")
    assert desk.apply(cluster, other_plan, ticket="CHG-7").state == "applied"
    run = desk.journal().run("last")
    # When the first one is applied, and somebody else was there too
    cluster.device(1).trusted.append(INTRUDER.certificate)
    with pytest.raises(StalePlan) as stale:
        desk.apply(cluster, plan)
    # Then it says whose run, for which ticket
    assert f"Run {run.id} of {run.user} on {run.host}, ticket CHG-7" in str(stale.value)


def test_the_refusal_names_no_run_that_ended_before_the_plan(desk: Desk) -> None:
    # Given a run, and a plan that was made an hour after it
    cluster = story()
    assert desk.apply(cluster, plan_for(cluster, ciphers="keep")).state == "applied"
    plan = replace(plan_for(cluster), made_at=NOW + timedelta(hours=1))
    # When somebody changes a list before it is applied
    cluster.device(1).trusted.append(INTRUDER.certificate)
    # Then that run is not named: what it did, the plan was made from
    with pytest.raises(StalePlan, match="No run in this state directory changed the cluster since the plan was made"):
        desk.apply(cluster, plan)


@pytest.mark.parametrize("dry_run", [False, True])
def test_without_a_later_run_the_refusal_says_where_to_look(desk: Desk, *, dry_run: bool) -> None:
    cluster = story()
    plan = plan_for(cluster)
    cluster.device(1).trusted.append(INTRUDER.certificate)
    with pytest.raises(StalePlan, match="the web interface or the shell, or from another tool or machine"):
        desk.apply(cluster, plan, dry_run=dry_run)


def test_a_resumed_run_names_another_order_of_a_list(desk: Desk) -> None:
    # Given a run that stopped half way, and somebody who then turned a list around
    cluster = story()
    plan = plan_for(cluster)
    cluster.faults = {3: "refuse"}
    desk.apply(cluster, plan, on_failure="stop")
    cluster.device(1).trusted.reverse()
    # When the plan is applied again, Then that is what it says
    with pytest.raises(StalePlan, match="the order of the trusted CA list was changed") as stale:
        desk.apply(cluster, plan)
    # And does not suspect the very run that is gone on with
    assert desk.journal().run("last").id not in str(stale.value)


@pytest.mark.parametrize("intruders", [0, 1])
def test_a_removal_made_by_hand_does_not_make_a_plan_stale(desk: Desk, intruders: int) -> None:
    # Given a plan that removes a certificate, which a person did already on every peer
    cluster = with_another_one(story())
    plan = renumbered(plan_for(cluster), removing=OTHER.certificate, by="person")
    for device in cluster.devices:
        device.trusted.remove(OTHER.certificate)
    # When nobody did more than that, Then the plan is not stale; else it is
    cluster.device(2).trusted += [INTRUDER.certificate] * intruders
    if intruders:
        message = refused(desk, cluster, plan)
        assert "expc2" in message
    else:
        assert desk.apply(cluster, plan).exit_code == 0


def test_two_removals_made_by_hand_do_not_make_a_plan_stale(desk: Desk) -> None:
    # Given a plan that removes two certificates from different places of each list, which a person did already
    cluster = with_another_one(story())
    for device in cluster.devices:
        device.trusted.append(INTRUDER.certificate)
    plan = plan_for(cluster)
    for leaving in (OTHER, INTRUDER):
        plan = renumbered(plan, removing=leaving.certificate, by="person")
        for device in cluster.devices:
            device.trusted.remove(leaving.certificate)
    # When it is applied, Then that is not stale
    assert desk.apply(cluster, plan).exit_code == 0


def test_a_run_that_removed_three_already_is_resumed(desk: Desk) -> None:
    # Given a plan that takes three certificates out of each list, over REST, and was killed once one list was done
    cluster = with_another_one(story())
    leaving = [OTHER, *(issue(f"leaving {number}", ca=True) for number in range(2))]
    for device in cluster.devices:
        device.trusted += [entity.certificate for entity in leaving[1:]]
    plan = plan_for(cluster)
    for entity in leaving:
        plan = renumbered(plan, removing=entity.certificate, by="rest")
    cluster.tap = lambda point: crash_at(point) if "on expc2" in point and point.startswith("before remove") else None
    with pytest.raises(Crash):
        desk.apply(cluster, plan)
    cluster.tap = no_tap
    # When the same plan is applied again, Then what the run did itself makes it no stale one
    assert desk.apply(cluster, plan).exit_code == 0
    assert not any(entity.certificate in device.trusted for entity in leaving for device in cluster.devices)


def crash_at(point: str) -> None:
    raise Crash(point)
