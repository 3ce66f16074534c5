"""What is checked before the first write: room in a list, and that all that relies on a list was seen before a removal."""

from __future__ import annotations

import pytest

from remediate.executor.preflight import ListFull
from remediate.model.errors import IncompletePlan
from remediate.model.exit_codes import ExitCode
from remediate.model.expressway import MAX_TRUSTED_CA
from remediate.model.identity import Address
from remediate.model.snapshot import Endpoint
from tests.executor.clusters import plan_for, removing_over_rest, renewed, story
from tests.executor.conftest import Desk
from tests.executor.memory import MemoryCluster
from tests.pki import issue


def fill(cluster: MemoryCluster, size: int) -> MemoryCluster:
    """Give the list of the only peer `size` certificates."""
    listed = cluster.device(1).trusted
    listed += [issue(f"root {number}", ca=True, key_name="one key for all").certificate for number in range(size - len(listed))]
    return cluster


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_list_without_room_is_refused_before_the_first_write(desk: Desk, dry_run: bool) -> None:
    cluster = fill(story(1), MAX_TRUSTED_CA)
    plan = plan_for(cluster)

    with pytest.raises(ListFull, match=r"holds 1000 certificates. With the 1 new one it would hold 1001") as refused:
        desk.apply(cluster, plan, dry_run=dry_run)

    assert refused.value.exit_code is ExitCode.ERROR
    assert "remediate certificates" in refused.value.next_step
    assert cluster.sent_count == 0
    assert dry_run or desk.journal().runs() == ()


def test_a_list_with_just_enough_room_is_written(desk: Desk) -> None:
    cluster = fill(story(1), MAX_TRUSTED_CA - 1)

    assert desk.apply(cluster, plan_for(cluster)).exit_code == 0
    assert len(cluster.device(1).trusted) == MAX_TRUSTED_CA


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_removal_waits_until_all_that_relies_on_lists_is_seen(desk: Desk, dry_run: bool) -> None:
    cluster = renewed()
    plan = removing_over_rest(plan_for(cluster, allow_removal=True))
    chat = Endpoint(Address("imp.example.test"), 7400, "imp", {}, error="unreachable: timed out", service="XCP")
    cluster.guarded_endpoints = (*cluster.guarded_endpoints, chat)

    with pytest.raises(IncompletePlan, match=r"removes a certificate.*imp.example.test:7400 \(XCP\)") as refused:
        desk.apply(cluster, plan, dry_run=dry_run)

    assert refused.value.exit_code is ExitCode.INCOMPLETE
    assert cluster.sent_count == 0
