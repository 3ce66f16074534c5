"""Uploads to the trust stores of nodes: asked for twice, checked anew, journaled, read back, and taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from remediate.executor.result import RunResult
from remediate.executor.rollback_rehearsal import rehearse_rollback
from remediate.formats import plan_document, plan_id
from remediate.model.errors import Declined, IncompletePlan, InventoryError, StalePlan
from remediate.model.exit_codes import ExitCode
from remediate.model.identity import Address
from remediate.model.plan import Plan, TrustOnNode
from tests.executor.conftest import Desk
from tests.executor.crashing import crash, undo
from tests.executor.memory_nodes import (
    EDGE_ISSUING,
    EDGE_ROOT,
    ClusterWithNodes,
    MemoryNode,
    plan_uploads_for,
    refusing_nodes,
)
from tests.executor.tapped import CrashAt
from tests.pki import issue

ROOT, ISSUING = EDGE_ROOT.certificate.fingerprint, EDGE_ISSUING.certificate.fingerprint


@pytest.fixture
def cluster() -> ClusterWithNodes:
    return refusing_nodes()


def uploads_of(plan: Plan) -> list[TrustOnNode]:
    return [action for action in plan.actions if isinstance(action, TrustOnNode)]


def only_uploads(plan: Plan) -> Plan:
    """The same plan without its changes to peers, and without their promise."""
    forecasts = tuple(replace(forecast, after=forecast.before) for forecast in plan.endpoints)
    smaller = replace(plan, actions=tuple(uploads_of(plan)), endpoints=forecasts)
    return replace(smaller, id=plan_id(plan_document(smaller)))


def apply(desk: Desk, cluster: ClusterWithNodes, plan: Plan, **options: Any) -> RunResult:
    return desk.apply(cluster, plan, cucm_trust=True, **options)


def test_each_store_gets_what_it_lacks_and_no_other(desk: Desk, cluster: ClusterWithNodes) -> None:
    before = cluster.stores()

    result = apply(desk, cluster, plan_uploads_for(cluster))

    assert cluster.stores()[0] == {store: [*trusted, ROOT, ISSUING] for store, trusted in before[0].items()}
    assert cluster.stores()[1] == before[1]
    assert result.exit_code == ExitCode.NOT_IN_EFFECT


def test_services_to_restart_are_named_and_none_restarts(desk: Desk, cluster: ClusterWithNodes) -> None:
    result = apply(desk, cluster, plan_uploads_for(cluster))

    steps = [text for text in result.open_step_texts if "restart Cisco" in text]
    assert [("Cisco Tomcat" in text, "Cisco CallManager" in text) for text in steps] == [(True, False), (False, True)]
    assert result.state == "applied"
    assert {write.action.split()[0] for write in cluster.writes if write.peer == cluster.node(1).address} == {"upload"}


def test_without_the_flag_nothing_is_written(desk: Desk, cluster: ClusterWithNodes) -> None:
    with pytest.raises(Declined, match="--cucm-trust"):
        desk.apply(cluster, plan_uploads_for(cluster))

    assert (cluster.writes, cluster.sent_count) == ([], 0)


def test_a_dry_run_without_the_flag_ends_as_the_apply_would(desk: Desk, cluster: ClusterWithNodes) -> None:
    with pytest.raises(Declined, match="--cucm-trust"):
        desk.apply(cluster, plan_uploads_for(cluster), dry_run=True)


def test_a_dry_run_writes_nothing_and_names_each_upload(desk: Desk, cluster: ClusterWithNodes) -> None:
    plan = plan_uploads_for(cluster)

    result = apply(desk, cluster, plan, dry_run=True)

    assert cluster.sent_count == 0
    assert sum("upload" in message for message in desk.messages("would-change")) == len(uploads_of(plan))
    assert result.exit_code == ExitCode.DONE


def test_an_inventory_without_the_account_is_refused(desk: Desk, cluster: ClusterWithNodes) -> None:
    plan = plan_uploads_for(cluster)
    cluster.platform = None

    with pytest.raises(InventoryError, match="platform_credentials"):
        apply(desk, cluster, plan)


def test_a_certificate_that_nothing_vouches_for_needs_approval(desk: Desk, cluster: ClusterWithNodes) -> None:
    plan = plan_uploads_for(cluster)
    assert {action.certificate: action.approval for action in uploads_of(plan)} == {ROOT: "vouched", ISSUING: "granted"}

    with pytest.raises(Declined) as declined:
        apply(desk, cluster, plan, approved=[])

    assert ISSUING in str(declined.value)
    assert ROOT not in str(declined.value)
    assert cluster.sent_count == 0


def test_an_upload_that_is_there_already_is_not_sent(desk: Desk, cluster: ClusterWithNodes) -> None:
    plan = only_uploads(plan_uploads_for(cluster))
    for store in cluster.node(1).stores.values():
        store += [EDGE_ROOT.certificate, EDGE_ISSUING.certificate]

    result = apply(desk, cluster, plan, approved=[ISSUING])

    assert cluster.sent_count == 0
    assert result.state == "applied"


def test_a_plan_is_stale_once_the_store_accepts_the_peers(desk: Desk, cluster: ClusterWithNodes) -> None:
    plan = plan_uploads_for(cluster)
    cluster.node(1).stores["tomcat"].append(EDGE_ROOT.certificate)

    with pytest.raises(StalePlan, match="accepts the certificate"):
        apply(desk, cluster, plan)


def test_a_peer_with_a_new_certificate_makes_the_plan_stale(desk: Desk, cluster: ClusterWithNodes) -> None:
    plan = plan_uploads_for(cluster)
    renewed = issue("renewed", issue("another edge root", ca=True))
    cluster.own = dict.fromkeys(cluster.own, (renewed.certificate,))

    with pytest.raises(StalePlan):
        apply(desk, cluster, plan)


def test_a_node_that_is_gone_makes_the_plan_stale(desk: Desk, cluster: ClusterWithNodes) -> None:
    plan = plan_uploads_for(cluster)
    del cluster.nodes[0]

    with pytest.raises(StalePlan, match="no longer a node of this cluster"):
        apply(desk, cluster, plan)


def test_a_store_that_cannot_be_read_now_is_incomplete(desk: Desk, cluster: ClusterWithNodes) -> None:
    plan = plan_uploads_for(cluster)
    cluster.node(1).up = False

    with pytest.raises(IncompletePlan, match="cannot be read now"):
        apply(desk, cluster, plan)

    assert cluster.sent_count == 0


def test_a_refused_upload_rolls_everything_back(desk: Desk, cluster: ClusterWithNodes) -> None:
    start, stores = cluster.state(), cluster.stores()
    plan = plan_uploads_for(cluster)
    before_the_last_upload = len([action for action in plan.changes if not isinstance(action, TrustOnNode)]) + 1
    cluster.faults = {before_the_last_upload + 4: "refuse"}

    result = apply(desk, cluster, plan)

    assert (cluster.state(), cluster.stores()) == (start, stores)
    assert result.exit_code == ExitCode.ROLLED_BACK


def test_a_lost_answer_is_settled_by_reading(desk: Desk, cluster: ClusterWithNodes) -> None:
    plan = only_uploads(plan_uploads_for(cluster))
    cluster.faults = {1: "drop-answer"}

    result = apply(desk, cluster, plan, approved=[ISSUING])

    assert result.exit_code == ExitCode.NOT_IN_EFFECT
    assert len(set(cluster.writes)) == len(cluster.writes) == len(uploads_of(plan))


def test_a_rollback_takes_back_what_the_run_uploaded(desk: Desk, cluster: ClusterWithNodes) -> None:
    start, stores = cluster.state(), cluster.stores()
    apply(desk, cluster, plan_uploads_for(cluster))

    result = desk.rollback(cluster)

    assert (cluster.state(), cluster.stores()) == (start, stores)
    assert result.exit_code == ExitCode.NOT_IN_EFFECT
    assert sum("no longer has what the run uploaded" in text for text in result.open_step_texts) == 2
    assert desk.rollback(cluster).exit_code == ExitCode.DONE


def test_a_node_that_deletes_nothing_leaves_a_step_open(desk: Desk, cluster: ClusterWithNodes) -> None:
    apply(desk, cluster, plan_uploads_for(cluster))
    cluster.node(1).removal = False

    result = desk.rollback(cluster)

    assert result.exit_code == ExitCode.PERSON_NEEDED
    assert sum("Certificate Management and delete" in text for text in result.open_step_texts) == 4


def test_a_certificate_that_another_node_had_stays_there(desk: Desk, cluster: ClusterWithNodes) -> None:
    # Given a second node that has what the first lacks, and Unified CM, which deletes on every node of a cluster at once
    subscriber = MemoryNode(Address("sub.example.test"))
    for store in subscriber.stores.values():
        store += [EDGE_ROOT.certificate, EDGE_ISSUING.certificate]
    cluster.nodes.append(subscriber)
    apply(desk, cluster, plan_uploads_for(cluster))
    uploaded = cluster.stores()

    environment = cluster.environment(lock_directory=desk.home / "locks")
    rehearsed = rehearse_rollback("last", cluster.access, state_dir=desk.state_dir, environment=environment)
    result = desk.rollback(cluster)

    # Then the uploads stay, and a person decides
    assert cluster.stores() == uploaded
    for ended in (rehearsed, result):
        assert ended.exit_code == ExitCode.PERSON_NEEDED
        assert sum("of sub.example.test, too, where the run did not upload it" in text for text in ended.open_step_texts) == 4


def test_what_a_node_took_over_is_not_said_to_be_older(desk: Desk, cluster: ClusterWithNodes) -> None:
    # Given a second node that could not be read for the plan, and took the uploads over
    subscriber = MemoryNode(Address("sub.example.test"), up=False)
    cluster.nodes.append(subscriber)
    cluster.share_stores = True
    plan = plan_uploads_for(cluster)
    subscriber.up = True
    apply(desk, cluster, plan)

    result = desk.rollback(cluster)

    assert not any("before the run" in text for text in result.open_step_texts)
    assert any("of sub.example.test, too, where the run did not upload it" in text for text in result.open_step_texts)


def test_nodes_that_took_an_upload_over_are_to_restart(desk: Desk, cluster: ClusterWithNodes) -> None:
    cluster.nodes.append(MemoryNode(Address("sub.example.test")))
    cluster.share_stores = True

    result = apply(desk, cluster, plan_uploads_for(cluster))

    assert {write.peer for write in cluster.writes if write.action.startswith("upload")} == {"cucm.example.test"}
    both = "cucm.example.test, sub.example.test already has"
    assert (
        sum(f"{store}-trust of {both}" in text for store in ("tomcat", "CallManager") for text in result.open_step_texts) == 2
    )


def test_what_a_later_run_needs_stays(desk: Desk, cluster: ClusterWithNodes) -> None:
    plan = plan_uploads_for(cluster)
    first = apply(desk, cluster, only_uploads(plan)).run_id
    later = apply(desk, cluster, plan)
    uploaded = cluster.stores()

    result = desk.rollback(cluster, first)

    assert later.run_id != first
    assert cluster.stores() == uploaded
    assert any(f"the later run {later.run_id} needs it" in text for text in desk.messages("warning")), result


def test_a_node_without_uploads_leaves_them_to_a_person(desk: Desk, cluster: ClusterWithNodes) -> None:
    cluster.node(1).takes_uploads = False

    result = apply(desk, cluster, plan_uploads_for(cluster))

    assert result.exit_code == ExitCode.PERSON_NEEDED
    assert sum("and upload" in text for text in result.open_step_texts) == 4


def points_of(desk: Desk, plan: Plan) -> int:
    cluster = refusing_nodes(1)
    cluster.tap = counter = CrashAt()
    assert apply(desk, cluster, plan).exit_code == ExitCode.NOT_IN_EFFECT
    return len(counter.points)


def test_the_same_apply_completes_a_run_killed_anywhere(new_desk: Callable[[], Desk]) -> None:
    plan = plan_uploads_for(refusing_nodes(1))
    target = refusing_nodes(1)
    apply(new_desk(), target, plan)
    for point in range(1, points_of(new_desk(), plan) + 1):
        desk, cluster = new_desk(), refusing_nodes(1)
        crash(lambda: apply(desk, cluster, plan), cluster, point)  # noqa: B023 - called before the loop goes on

        result = apply(desk, cluster, plan)

        assert result.exit_code in {ExitCode.NOT_IN_EFFECT, ExitCode.DONE}, (point, result)
        assert (cluster.state(), cluster.stores()) == (target.state(), target.stores()), point
        assert len(set(cluster.writes)) == len(cluster.writes), f"crash at point {point}: a write was repeated"


def test_a_rollback_restores_the_start_of_a_run_killed_anywhere(new_desk: Callable[[], Desk]) -> None:
    plan, start = plan_uploads_for(refusing_nodes(1)), refusing_nodes(1)
    for point in range(1, points_of(new_desk(), plan) + 1):
        desk, cluster = new_desk(), refusing_nodes(1)
        crash(lambda: apply(desk, cluster, plan), cluster, point)  # noqa: B023 - called before the loop goes on

        undo(desk, cluster)

        assert (cluster.state(), cluster.stores()) == (start.state(), start.stores()), point
