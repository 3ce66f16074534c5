"""What was not seen is not gone: lists that are empty, cut, old, in another order, or none, in a run and its rollback."""

from __future__ import annotations

import sqlite3

import pytest

from remediate.executor.journal.store import FILE_NAME
from remediate.executor.operations.certificates import describe_certificate
from remediate.model.errors import ObservationError, StalePlan
from remediate.model.plan import Plan
from tests.executor.clusters import CORPORATE, IMP, OTHER, plan_for, story
from tests.executor.conftest import Desk
from tests.executor.lies import KINDS, PROVE_NOTHING, Kind, Lies
from tests.executor.memory import MemoryCluster
from tests.executor.old_journals import take_back_to
from tests.pki import issue

ANOTHER = issue("a root on every peer", ca=True)


def cluster_with_longer_lists() -> MemoryCluster:
    """The story with one more certificate on each peer, so that each list can be cut and still hold something."""
    cluster = story()
    for device in cluster.devices:
        device.trusted.insert(0, ANOTHER.certificate)
    return cluster


@pytest.fixture
def cluster() -> MemoryCluster:
    return cluster_with_longer_lists()


@pytest.fixture
def lies(cluster: MemoryCluster) -> Lies:
    cluster.shows = answers = Lies.of(cluster.devices)
    return answers


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_for(cluster_with_longer_lists())


@pytest.mark.parametrize("only_one", [False, True])
@pytest.mark.parametrize("kind", PROVE_NOTHING)
def test_a_list_that_proves_nothing_leaves_the_step_open(
    desk: Desk, cluster: MemoryCluster, lies: Lies, plan: Plan, kind: Kind, only_one: bool
) -> None:
    # Given a run, and devices whose lists are empty, cut, or no lists
    desk.apply(cluster, plan)
    lies.tell(kind, peers=[cluster.device(2).address] if only_one else None)
    # When it is rolled back, Then nobody says that what was not seen is gone
    result = desk.rollback(cluster)
    assert (result.exit_code, result.state) == (8, "partial")
    assert IMP.certificate in cluster.device(2).trusted
    assert any("expc2" in step.text for step in result.open_steps)
    # And once they are honest, rolling back again ends right
    lies.be_honest()
    assert (desk.rollback(cluster).exit_code, cluster.state()) == (0, cluster_with_longer_lists().state())


@pytest.mark.parametrize("readings", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_a_rollback_over_a_few_bad_readings_reports_the_final_state(
    desk: Desk, cluster: MemoryCluster, lies: Lies, plan: Plan, kind: Kind, readings: int
) -> None:
    desk.apply(cluster, plan)
    lies.tell(kind, readings=readings)
    result = desk.rollback(cluster)
    start = cluster_with_longer_lists().state()
    assert (result.exit_code == 0) <= (cluster.state() == start)
    assert result.exit_code in {0, 8}
    lies.be_honest()
    assert (desk.rollback(cluster).exit_code, cluster.state()) == (0, start)


def test_an_old_or_cut_list_costs_nothing_when_it_is_whole_again(
    desk: Desk, cluster: MemoryCluster, lies: Lies, plan: Plan
) -> None:
    desk.apply(cluster, plan)
    for kind in ("old", "cut", "empty"):
        lies.tell(kind, readings=2)
        assert desk.rollback(cluster).exit_code == 0, kind
        assert cluster.state() == cluster_with_longer_lists().state()
        assert desk.apply(cluster, plan).exit_code == 0


def test_a_refusal_is_not_taken_for_done_over_an_old_list(desk: Desk, cluster: MemoryCluster, lies: Lies, plan: Plan) -> None:
    # Given a peer that refuses the last removal of a rollback, and whose list is an old one right after it
    desk.apply(cluster, plan)
    last_write = cluster.sent_count + 5
    cluster.faults = {last_write: "refuse"}

    def begin(_device: object) -> None:
        if cluster.sent_count == last_write and not lies.count:
            lies.tell("old", readings=2)

    cluster.on_read = begin
    # When it is rolled back, Then the step is open
    result = desk.rollback(cluster)
    assert (result.exit_code, result.state, lies.count) == (8, "partial", 2)
    # And rolling back again ends right
    assert (desk.rollback(cluster).exit_code, cluster.state()) == (0, cluster_with_longer_lists().state())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("after", range(1, 12))
def test_an_apply_over_bad_readings_claims_nothing_that_is_untrue(
    desk: Desk, cluster: MemoryCluster, lies: Lies, plan: Plan, kind: Kind, after: int
) -> None:
    # Given devices that begin to lie at some reading, and lie to the end of the run
    readings = iter(range(1, 10_000))

    def begin(_device: object) -> None:
        if next(readings) == after:
            lies.tell(kind)

    cluster.on_read = begin
    # When the plan is applied
    refused = False
    result = None
    try:
        result = desk.apply(cluster, plan)
    except (ObservationError, StalePlan):
        refused = True
    # Then what it says is so
    start = cluster_with_longer_lists().state()
    if refused or (result and result.exit_code == 3):
        assert cluster.state() == start
    else:
        assert result
        assert result.exit_code in {0, 8}
    assert desk.journal().runs() == () or desk.journal().run("last").state != "running"
    # And with honest devices, a rollback ends right
    cluster.on_read = lambda _device: None
    lies.be_honest()
    if desk.journal().runs():
        assert desk.rollback(cluster).exit_code == 0
    assert cluster.state() == start


def test_a_list_cut_before_a_run_is_stale_and_says_what_is_gone(
    desk: Desk, cluster: MemoryCluster, lies: Lies, plan: Plan
) -> None:
    # Given a peer whose list lost two certificates since the plan was made, and another one that had the same list
    cluster.device(2).trusted[:] = cluster.device(2).trusted[:1]
    with pytest.raises(StalePlan) as stale:
        desk.apply(cluster, plan)
    assert f"{describe_certificate(OTHER.certificate)} was removed" in str(stale.value)
    assert f"{describe_certificate(CORPORATE.certificate)} was removed" in str(stale.value)


@pytest.mark.parametrize("kind", ["empty", "nothing", "login-page"])
def test_no_list_before_a_run_is_not_observed(desk: Desk, cluster: MemoryCluster, lies: Lies, plan: Plan, kind: Kind) -> None:
    lies.tell(kind)
    with pytest.raises(ObservationError):
        desk.apply(cluster, plan)
    assert (cluster.sent_count, desk.journal().runs()) == (0, ())


def as_version_0_1_0_left_it(desk: Desk, state: str) -> None:
    """Let the journal say that everything is undone, as a rollback of that version said after empty lists."""
    db = sqlite3.connect(desk.state_dir / FILE_NAME, isolation_level=None)
    db.execute("UPDATE runs SET state = 'rolled-back'")
    db.execute("UPDATE steps SET state = ? WHERE kind = 'trust-certificate'", (state,))
    db.close()
    take_back_to(desk.state_dir / FILE_NAME, version=3)


@pytest.mark.parametrize("state", ["undone", "failed", "unknown", "intended"])
def test_a_rollback_that_ended_wrongly_in_0_1_0_ends_right(desk: Desk, cluster: MemoryCluster, plan: Plan, state: str) -> None:
    # Given a journal that says rolled back, and peers that hold all of it
    desk.apply(cluster, plan)
    as_version_0_1_0_left_it(desk, state)
    # When it is rolled back again, Then everything goes, and nothing of it is called a change of others
    result = desk.rollback(cluster)
    assert (result.exit_code, result.state, result.has_written) == (0, "rolled-back", True)
    assert cluster.state() == cluster_with_longer_lists().state()
    assert desk.messages("warning") == []


def test_what_a_later_run_wants_stays(desk: Desk, cluster: MemoryCluster, plan: Plan) -> None:
    # Given a run that an earlier version called rolled back, and a later one that found its certificates there
    first = desk.apply(cluster, plan)
    as_version_0_1_0_left_it(desk, "undone")
    cluster.device(3).trusted.remove(CORPORATE.certificate)
    second = desk.apply(cluster, plan)
    after = cluster.state()
    # When the first is rolled back again, Then what the second one wants stays, and that is said
    result = desk.rollback(cluster, first.run_id)
    assert (result.exit_code, cluster.state()) == (0, after)
    assert any(f"the later run {second.run_id} needs it" in text for text in desk.messages("warning"))
    # And when the second is rolled back too, Then another rollback of the first takes out what is left
    assert desk.rollback(cluster, second.run_id).exit_code == 0
    assert desk.rollback(cluster, first.run_id).exit_code == 0
    assert cluster.state() == cluster_with_longer_lists().state()


def test_what_others_took_out_does_not_prevent_a_rollback(desk: Desk, cluster: MemoryCluster, plan: Plan) -> None:
    # Given somebody who took another certificate out after the run
    desk.apply(cluster, plan)
    cluster.device(1).trusted.remove(OTHER.certificate)
    # When it is rolled back, Then a list that still shows ours is a list, and what goes from it then is gone
    result = desk.rollback(cluster)
    assert (result.exit_code, result.state) == (0, "rolled-back")
    assert IMP.certificate not in cluster.device(1).trusted
    assert f"no longer {OTHER.certificate.fingerprint}" in result.message


def test_what_was_seen_to_go_and_is_there_again_is_for_a_person(desk: Desk, cluster: MemoryCluster, plan: Plan) -> None:
    # Given a run that was rolled back, and its certificate on a peer again
    desk.apply(cluster, plan)
    desk.rollback(cluster)
    cluster.device(1).trusted.append(IMP.certificate)
    # When it is rolled back again, Then it is neither taken out nor called a success
    result = desk.rollback(cluster)
    assert (result.exit_code, result.state, result.has_written) == (8, "partial", False)
    assert "expc1.example.test trusts CN=imp.example.test" in result.open_steps[0].text
    assert IMP.certificate in cluster.device(1).trusted
    # And once a person took it out, all is well
    cluster.device(1).trusted.remove(IMP.certificate)
    assert desk.rollback(cluster).exit_code == 0


def test_readings_that_agree_cost_nothing_more(desk: Desk, cluster: MemoryCluster, plan: Plan) -> None:
    # Given honest devices
    read: list[str] = []
    cluster.on_read = lambda device: read.append(device.address)
    # When a plan is applied and rolled back
    desk.apply(cluster, plan)
    applied = len(read)
    desk.rollback(cluster)
    # Then each list is read at the start, before its peer is changed and after each write; on the way back around each write, and at
    # the end
    writes = 4
    assert applied == 2 * 3 + writes
    assert len(read) - applied == 3 + 2 * writes
