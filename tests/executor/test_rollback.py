"""Rollback from the journal alone, in a new process, on a cluster that may be partly down (promise 5)."""

from __future__ import annotations

import pytest

from remediate.executor.journal.store import JournalError, UnknownRun
from remediate.executor.operations.certificates import describe_certificate
from remediate.model.errors import LoginRefused, UsageError
from remediate.model.expressway import CIPHERS_SINCE_X15_0_2, REVERSE_PROXY_CIPHERS, RSA_PREFIX
from remediate.model.identity import Address, CipherList
from tests.executor.clusters import CORPORATE, IMP, OTHER, plan_for, renumbered, story
from tests.executor.conftest import Desk
from tests.executor.memory import MemoryCluster, no_tap
from tests.executor.tapped import Crash
from tests.pki import issue

LATER = issue("added later", ca=True)


def test_rolling_back_twice_is_rolling_back_once(desk: Desk) -> None:
    cluster = story()
    desk.apply(cluster, plan_for(cluster))
    desk.rollback(cluster)
    writes = len(cluster.writes)
    again = desk.rollback(cluster)
    assert (again.exit_code, again.has_written) == (0, False)
    assert len(cluster.writes) == writes


def test_the_plan_can_be_applied_again_after_a_rollback(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster)
    first = desk.apply(cluster, plan)
    desk.rollback(cluster)
    second = desk.apply(cluster, plan)
    assert (second.exit_code, second.has_written) == (0, True)
    assert second.run_id != first.run_id
    assert [(run.kind, run.state) for run in desk.journal().runs()] == [
        ("apply", "applied"),
        ("rollback", "rolled-back"),
        ("apply", "rolled-back"),
    ]


def test_a_peer_that_is_down_stays_open_and_is_done_when_it_is_back(desk: Desk) -> None:
    # Given a run, and then a peer that is down
    cluster = story()
    desk.apply(cluster, plan_for(cluster))
    cluster.device(3).up = False
    # When it is rolled back, Then the others are done, and that peer is open
    result = desk.rollback(cluster)
    assert (result.exit_code, result.state) == (8, "partial")
    assert any("expc3" in step.text for step in result.open_steps)
    assert IMP.certificate not in cluster.device(2).trusted
    # When it is back, Then rolling back again ends it
    cluster.device(3).up = True
    assert desk.rollback(cluster).exit_code == 0
    assert cluster.state() == story().state()


def test_a_peer_not_read_at_the_end_is_no_change_by_others(desk: Desk) -> None:
    # Given a run that is rolled back, and then a peer that is down
    cluster = story()
    desk.apply(cluster, plan_for(cluster))
    desk.rollback(cluster)
    cluster.device(3).up = False
    # When it is rolled back again, Then nothing is to do, and the exit code says that not everything was seen
    result = desk.rollback(cluster)
    assert (result.exit_code, result.state) == (4, "rolled-back")
    assert "expc3.example.test cannot be read" in result.message
    assert "others" not in result.message
    # When it is back, Then that is read back
    cluster.device(3).up = True
    assert desk.rollback(cluster).exit_code == 0


def test_a_refresh_that_was_cut_off_does_not_stay_intended(desk: Desk) -> None:
    # Given a run that was killed while it refreshed the discovery
    cluster = story()

    def killed(point: str) -> None:
        if point.startswith("after refresh"):
            raise Crash(point)

    cluster.tap = killed
    with pytest.raises(Crash):
        desk.apply(cluster, plan_for(cluster))
    cluster.tap = no_tap
    # When it is rolled back, Then the journal says of it what is true: nobody knows
    assert desk.rollback(cluster).exit_code == 0
    assert [step.state for step in desk.journal().steps(desk.journal().run("last", with_plan=True).id)] == ["undone"] * 5 + [
        "unknown"
    ]


def test_a_removal_by_hand_is_guided_and_checked(desk: Desk) -> None:
    # Given a cluster whose devices cannot remove over REST
    cluster = story()
    for device in cluster.devices:
        device.removal = False
    desk.apply(cluster, plan_for(cluster))
    assert any("No removal over REST" in text for text in desk.messages("warning"))
    # When the run is rolled back, Then ciphers are restored, and each removal is a step with its page
    result = desk.rollback(cluster)
    assert (result.exit_code, result.state, len(result.open_steps)) == (8, "partial", 4)
    assert all("Maintenance > Security > Trusted CA certificate" in step.text for step in result.open_steps)
    # When it is not done, Then saying that it is done does not help
    assert desk.rollback(cluster).exit_code == 8
    # When the person did it, Then rolling back again checks that, and closes the run
    for device in cluster.devices:
        device.trusted[:] = [certificate for certificate in device.trusted if certificate != IMP.certificate]
    cluster.device(3).trusted.remove(CORPORATE.certificate)
    result = desk.rollback(cluster)
    assert (result.exit_code, result.state) == (0, "rolled-back")


OLD_DEFAULT = CipherList("EECDH:EDH:HIGH:-AES256+SHA:!MEDIUM:!LOW:!3DES:!MD5:!PSK:!eNULL:!aNULL")


def upgraded_after_an_apply(desk: Desk, *, rewritten: bool) -> MemoryCluster:
    """Return a cluster that was applied to and then upgraded to X15.0.2, which rewrites defaults and keeps customised lists."""
    cluster = story()
    for device in cluster.devices:
        device.ciphers |= {REVERSE_PROXY_CIPHERS: OLD_DEFAULT, "SIPTLSCiphers": OLD_DEFAULT}
    desk.apply(cluster, plan_for(cluster))
    for device in cluster.devices:
        device.ciphers["SIPTLSCiphers"] = CIPHERS_SINCE_X15_0_2
        if rewritten:
            device.ciphers[REVERSE_PROXY_CIPHERS] = CipherList(RSA_PREFIX + CIPHERS_SINCE_X15_0_2)
    desk.events.clear()
    return cluster


def test_a_restored_list_with_banned_suites_is_named(desk: Desk) -> None:
    cluster = upgraded_after_an_apply(desk, rewritten=False)

    assert desk.rollback(cluster).state == "rolled-back"

    assert cluster.device(1).ciphers[REVERSE_PROXY_CIPHERS] == OLD_DEFAULT
    [warning] = [text for text in desk.messages("warning") if "X15.0.2 excludes" in text]
    assert "DHE-RSA-CHACHA20-POLY1305" in warning


def test_a_list_that_an_upgrade_rewrote_is_left_and_named(desk: Desk) -> None:
    cluster = upgraded_after_an_apply(desk, rewritten=True)

    result = desk.rollback(cluster)

    assert cluster.device(1).ciphers[REVERSE_PROXY_CIPHERS] == RSA_PREFIX + CIPHERS_SINCE_X15_0_2
    assert "it is the default since X15.0.2, which an upgrade sets" in result.message


def test_no_suite_is_named_before_x15_0_2(desk: Desk) -> None:
    cluster = story()
    for device in cluster.devices:
        device.ciphers |= {REVERSE_PROXY_CIPHERS: OLD_DEFAULT, "SIPTLSCiphers": OLD_DEFAULT}
    desk.apply(cluster, plan_for(cluster))

    desk.rollback(cluster)

    assert cluster.device(1).ciphers[REVERSE_PROXY_CIPHERS] == OLD_DEFAULT
    assert not any("X15.0.2" in event.message for event in desk.events)


@pytest.mark.parametrize("fault", ["drop-answer", "drop-request", "refuse-done"])
@pytest.mark.parametrize("number", range(1, 6))
def test_lost_answers_on_the_way_back_are_read_and_decided(desk: Desk, fault: str, number: int) -> None:
    cluster = story()
    desk.apply(cluster, plan_for(cluster))
    cluster.faults = {cluster.sent_count + number: fault}
    assert desk.rollback(cluster).exit_code == 0
    assert cluster.state() == story().state()


def test_a_rollback_notices_a_removal_of_too_much(desk: Desk) -> None:
    # Given a run, and a device that drops another certificate with the one that is taken out
    cluster = story()
    desk.apply(cluster, plan_for(cluster))

    def drop_one(point: str) -> None:
        if point.startswith("after remove") and point.endswith("expc1.example.test"):
            cluster.device(1).trusted.pop(0)

    cluster.tap = drop_one
    # When it is rolled back, Then a list without it proves nothing: that is for a person, and no success
    result = desk.rollback(cluster)
    assert (result.exit_code, result.state) == (8, "partial")
    assert any(
        f"lacks {describe_certificate(OTHER.certificate)}, which it had before" in step.text for step in result.open_steps
    )


def test_a_refused_login_on_the_way_back_is_tried_on_no_other_step(desk: Desk) -> None:
    # Given a run, and a password that was changed since
    cluster = story()
    desk.apply(cluster, plan_for(cluster))
    reads: list[str] = []

    def refuse(point: str) -> None:
        if point.startswith("before trusted_ca"):
            reads.append(point)
            raise LoginRefused("expc1 refuses the login.")

    cluster.tap = refuse
    # When it is rolled back, Then the first refusal ends it, and as the ciphers were undone, nobody is told that nothing changed
    result = desk.rollback(cluster)
    assert (result.exit_code, result.state, result.has_written) == (8, "partial", True)
    assert "expc1 refuses the login." in result.message
    assert len(reads) == 1
    assert desk.journal().run("last").state == "partial"
    # And with the right password it goes on
    cluster.tap = no_tap
    assert desk.rollback(cluster).exit_code == 0
    assert cluster.state() == story().state()


def test_without_a_journal_the_way_back_stops_too(desk: Desk) -> None:
    cluster = story()
    desk.apply(cluster, plan_for(cluster))
    forward = cluster.sent_count

    def full(point: str) -> None:
        if point == "before a journal write" and cluster.sent_count > forward:
            raise JournalError("The journal cannot be used: database or disk is full.")

    cluster.tap = full
    result = desk.rollback(cluster)
    assert (result.exit_code, result.has_written) == (8, True)
    assert cluster.sent_count == forward + 1
    cluster.tap = no_tap
    assert desk.rollback(cluster).exit_code == 0
    assert cluster.state() == story().state()


def test_an_unknown_run_and_a_run_of_another_cluster_are_refused(desk: Desk) -> None:
    cluster = story()
    with pytest.raises(UnknownRun, match="no run yet"):
        desk.rollback(cluster)
    desk.apply(cluster, plan_for(cluster))
    with pytest.raises(UnknownRun, match="no run 'nonsense'"):
        desk.rollback(cluster, "nonsense")
    cluster.name = "another"
    with pytest.raises(UsageError, match="another"):
        desk.rollback(cluster)


def test_a_later_run_that_may_rely_on_this_one_is_reported(desk: Desk) -> None:
    cluster = story()
    first = desk.apply(cluster, plan_for(cluster))
    cluster.endpoints = cluster.endpoints[:2]
    cluster.device(1).trusted.append(LATER.certificate)
    desk.rollback(cluster, first.run_id)
    second = desk.apply(cluster, plan_for(cluster))
    assert second.has_written
    desk.rollback(cluster, first.run_id)
    assert any(f"Run {second.run_id} was applied later" in text for text in desk.messages("warning"))


def test_a_later_run_on_another_cluster_relies_on_nothing_here(desk: Desk) -> None:
    cluster, other_cluster = story(), story()
    other_cluster.name = "another"
    first = desk.apply(cluster, plan_for(cluster))
    desk.apply(other_cluster, plan_for(other_cluster))
    assert desk.rollback(cluster, first.run_id).exit_code == 0
    assert desk.messages("warning") == []


def test_the_workaround_is_not_forgotten_over_a_rollback(desk: Desk) -> None:
    cluster = story()
    desk.apply(cluster, plan_for(cluster))
    cluster.device(2).verify = False
    desk.rollback(cluster)
    assert [text for text in desk.messages("reminder") if "The workaround is on (expc2.example.test)" in text]


def test_a_removal_by_hand_that_stays_is_named_by_the_rollback(desk: Desk) -> None:
    # Given a run whose plan had a person take a certificate out, and somebody who added another one since
    cluster = story(peers=1)
    stale = cluster.device(1).trusted[0]
    plan = renumbered(plan_for(cluster), removing=stale, by="person")
    assert desk.apply(cluster, plan).exit_code == 8
    cluster.device(1).trusted.remove(stale)
    assert desk.apply(cluster, plan).state == "applied"
    cluster.device(1).trusted.append(LATER.certificate)
    # When it is rolled back, Then what the run did is undone, and both are named: only a person can put the first one back
    result = desk.rollback(cluster)
    assert (result.exit_code, result.state) == (0, "rolled-back")
    assert f"(now also {LATER.certificate.fingerprint}; no longer {describe_certificate(stale)})" in result.message


def test_an_address_in_another_case_is_the_same_peer(desk: Desk) -> None:
    # Given a run, and an inventory that writes the peers' names in capitals by now
    cluster = story()
    desk.apply(cluster, plan_for(cluster))
    start = story().state()
    for device in cluster.devices:
        device.address = Address(device.address.upper())
    # When it is rolled back, Then everything of it is undone, and read back
    result = desk.rollback(cluster)
    assert (result.exit_code, result.state, result.open_steps) == (0, "rolled-back", ())
    assert cluster.state() == start


def test_a_rollback_is_a_run_of_its_own_without_a_plan(desk: Desk) -> None:
    cluster = story()
    run = desk.apply(cluster, plan_for(cluster)).run_id
    result = desk.rollback(cluster)
    own, undone = desk.journal().runs()
    assert (own.kind, own.plan, own.peers) == ("rollback", None, undone.peers)
    assert (own.state, own.exit_code, own.in_effect) == ("rolled-back", result.exit_code, undone.in_effect)
    assert run in own.message


def test_a_rollback_that_finds_nothing_to_undo_records_no_run(desk: Desk) -> None:
    cluster = story()
    desk.apply(cluster, plan_for(cluster))
    desk.rollback(cluster)
    runs = len(desk.journal().runs())
    desk.rollback(cluster)
    assert len(desk.journal().runs()) == runs
