"""The workaround: on every peer, read back, and no claim about a peer that was not read (promise 6)."""

from __future__ import annotations

from remediate.executor.workaround import status, switch, worst_of
from tests.executor.clusters import story


def test_on_is_verification_off_on_every_peer_the_primary_first() -> None:
    cluster = story()
    flags = switch(cluster.access, on=True, world=cluster.world())
    assert [(one.verification, one.problem, one.changed) for one in flags] == [(False, None, True)] * 3
    assert cluster.writes[0].peer == cluster.box(1).address
    assert [one.verification for one in status(cluster.access, world=cluster.world())] == [False] * 3


def test_on_twice_is_on_once_and_off_is_the_way_back() -> None:
    cluster = story()
    switch(cluster.access, on=True, world=cluster.world())
    again = switch(cluster.access, on=True, world=cluster.world())
    assert (worst_of(again), len(cluster.writes)) == (0, 3)
    assert worst_of(switch(cluster.access, on=False, world=cluster.world())) == 0
    assert cluster.state() == story().state()


def test_a_peer_that_is_down_is_no_success() -> None:
    cluster = story()
    cluster.box(2).up = False
    assert worst_of(switch(cluster.access, on=True, world=cluster.world())) == 8
    assert worst_of(status(cluster.access, world=cluster.world())) == 4


def test_a_version_that_does_not_offer_it_says_so() -> None:
    cluster = story()
    cluster.box(2).verify = None
    flags = switch(cluster.access, on=True, world=cluster.world())
    assert worst_of(flags) == 8
    assert "does not offer" in str(flags[1].problem)
    assert worst_of(status(cluster.access, world=cluster.world())) == 0


def test_a_lost_answer_is_read_back_and_an_ignored_write_is_no_success() -> None:
    cluster = story()
    cluster.faults = {1: "drop-answer", 2: "drop-request"}
    assert worst_of(switch(cluster.access, on=True, world=cluster.world())) == 0
    cluster.faults = {cluster.sent + 2: "ignore"}
    flags = switch(cluster.access, on=False, world=cluster.world())
    assert (worst_of(flags), flags[1].verification) == (8, False)


def test_a_flag_that_is_set_and_then_overwritten_is_no_success() -> None:
    # Given a primary whose replication overwrites the flag of another peer
    cluster = story()

    def overwrite(point: str) -> None:
        if point == "after verify False on expc3.example.test":
            cluster.box(2).verify = True

    cluster.tap = overwrite
    flags = switch(cluster.access, on=True, world=cluster.world())
    assert (flags[1].verification, flags[1].exit_code) == (True, 8)
