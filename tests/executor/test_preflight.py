"""The limit of a trusted CA list, checked before the first write."""

from __future__ import annotations

import pytest

from remediate.executor.preflight import ListFull
from remediate.model.exit_codes import ExitCode
from remediate.model.expressway import MAX_TRUSTED_CA
from tests.executor.clusters import plan_for, story
from tests.executor.conftest import Desk
from tests.executor.memory import MemoryCluster
from tests.pki import issue


def fill(cluster: MemoryCluster, size: int) -> MemoryCluster:
    """Give the list of the only peer `size` certificates."""
    listed = cluster.box(1).trusted
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
    assert len(cluster.box(1).trusted) == MAX_TRUSTED_CA
