"""The rehearsal of a switch of the workaround: what would refuse it and which peers it would switch, without a write."""

from __future__ import annotations

from dataclasses import replace

import pytest

from remediate.executor.identity import identify_operator
from remediate.executor.lock import hold_cluster
from remediate.executor.workaround import ClientsWouldBreak, PeerVerification, set_workaround
from remediate.executor.workaround_rehearsal import rehearse_workaround
from remediate.model.errors import LockHeld
from tests.executor.clusters import CORPORATE, IMP, story
from tests.executor.conftest import Desk
from tests.executor.memory import MemoryCluster
from tests.pki import NOW


def rehearse(desk: Desk, cluster: MemoryCluster, *, on: bool, force: bool = False) -> tuple[PeerVerification, ...]:
    environment = cluster.environment(lock_directory=desk.home / "locks")
    return rehearse_workaround(
        cluster.access, on=on, state_dir=desk.state_dir, force=force, sink=desk.events.append, environment=environment
    )


def turn(desk: Desk, cluster: MemoryCluster, *, on: bool) -> None:
    environment = cluster.environment(lock_directory=desk.home / "locks")
    set_workaround(cluster.access, on=on, state_dir=desk.state_dir, sink=desk.events.append, environment=environment)


def test_a_dry_run_names_each_peer_that_would_be_switched(desk: Desk) -> None:
    cluster = story()

    flags = rehearse(desk, cluster, on=True)

    assert [(flag.verification, flag.has_written, flag.exit_code) for flag in flags] == [(True, False, 0)] * 3
    assert (len(desk.messages("would-change")), cluster.sent_count, desk.state_dir.exists()) == (3, 0, False)


def test_a_dry_run_names_no_peer_that_is_as_requested(desk: Desk) -> None:
    rehearse(desk, story(), on=False, force=True)

    assert desk.messages("would-change") == []


def test_a_dry_run_of_off_is_refused_where_clients_would_break(desk: Desk) -> None:
    cluster = story()
    turn(desk, cluster, on=True)

    with pytest.raises(ClientsWouldBreak):
        rehearse(desk, cluster, on=False)
    rehearse(desk, cluster, on=False, force=True)

    assert len(desk.messages("would-change")) == 3


def test_a_dry_run_of_off_passes_where_every_endpoint_verifies(desk: Desk) -> None:
    cluster = story()
    cluster.endpoints = tuple(replace(endpoint, presented={"rsa": endpoint.presented["rsa"]}) for endpoint in cluster.endpoints)
    for device in cluster.devices:
        device.trusted = [CORPORATE.certificate, IMP.certificate]
    turn(desk, cluster, on=True)

    rehearse(desk, cluster, on=False)

    assert len(desk.messages("would-change")) == 3


def test_a_lock_of_another_run_refuses_a_dry_run(desk: Desk) -> None:
    cluster, operator, shared = story(), identify_operator(), desk.home / "locks"

    with (
        hold_cluster(cluster.access, desk.state_dir, shared, operator=operator, ticket=None, now=lambda: NOW),
        pytest.raises(LockHeld),
    ):
        rehearse(desk, cluster, on=True)


def test_a_peer_that_is_down_ends_a_dry_run_with_8(desk: Desk) -> None:
    cluster = story()
    cluster.device(2).up = False

    flags = rehearse(desk, cluster, on=True)

    assert sorted(flag.exit_code for flag in flags) == [0, 0, 8]
