"""One at a time: two processes, or two state directories, cannot both write to one cluster (promise 4)."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TypedDict

import pytest

from remediate.executor.identity import Operator, identify_operator
from remediate.executor.lock import LockError, hold_cluster, hold_cluster_name, peer_lock_paths, refuse_if_held
from remediate.model.errors import LockHeld
from remediate.model.identity import Address
from remediate.model.limits import Limits
from tests.executor.clusters import known_as, plan_for, story
from tests.executor.conftest import Desk
from tests.pki import NOW


class Mine(TypedDict):
    """How this process holds a lock."""

    operator: Operator
    ticket: str | None
    now: Callable[[], datetime]


MINE = Mine(operator=identify_operator(), ticket=None, now=lambda: NOW)
ROOT = Path(__file__).parents[2]
HOLDER = """
import sys
from pathlib import Path
from remediate.executor.lock import hold_cluster
from remediate.model.canonical import utc_now
from remediate.executor.identity import Operator
from tests.executor.clusters import known_as
cluster = known_as(sys.argv[3], *sys.argv[4:])
alice = Operator("alice", "bastion", 4711)
with hold_cluster(cluster, Path(sys.argv[1]), Path(sys.argv[2]), operator=alice, ticket="CHG-7", now=utc_now):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(
    state_dir: Path, shared: Path, name: str = "edge", peers: Sequence[str] = ("expc1.example.test", "expc2.example.test")
) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock of a cluster."""
    command = [sys.executable, "-c", HOLDER, str(state_dir), str(shared), name, *peers]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_apply_is_refused_with_who_holds_the_lock(tmp_path: Path) -> None:
    # Given a run of another process
    desk, cluster = Desk(tmp_path), story()
    with another_process(desk.state_dir, tmp_path / "locks"):
        # When this process applies
        with pytest.raises(LockHeld) as held:
            desk.apply(cluster, plan_for(cluster))
        # Then it is told who, where, for which ticket and since when, and no device got a write
        for part in ("alice on bastion", "process 4711", "ticket CHG-7", "since 20", "last active 20"):
            assert part in str(held.value)
        assert cluster.sent_count == 0
        # And a dry run says the same
        with pytest.raises(LockHeld):
            desk.apply(cluster, plan_for(cluster), dry_run=True)
        with pytest.raises(LockHeld):
            refuse_if_held(known_as("edge", "expc1.example.test"), desk.state_dir, tmp_path / "locks")


def test_another_state_directory_meets_the_same_lock(tmp_path: Path) -> None:
    desk, cluster = Desk(tmp_path), story()
    with another_process(tmp_path / "elsewhere", tmp_path / "locks"), pytest.raises(LockHeld):
        desk.apply(cluster, plan_for(cluster))


def test_the_lock_dies_with_its_holder(tmp_path: Path) -> None:
    desk, cluster = Desk(tmp_path), story()
    with another_process(desk.state_dir, tmp_path / "locks") as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert desk.apply(cluster, plan_for(cluster)).exit_code == 0


def test_another_cluster_name_meets_the_locks_of_the_same_peers(tmp_path: Path) -> None:
    # Given a run on a cluster that shares one peer with this one, under another name and state directory
    state, shared = tmp_path / "s", tmp_path / "locks"
    with another_process(tmp_path / "elsewhere", shared, "paris", ["EXPC1.test", "expc9.test"]):
        with pytest.raises(LockHeld, match="alice"), hold_cluster(known_as("edge", "expc1.test"), state, shared, **MINE):
            pass
        # But a cluster of other peers is free, also where the other one has the same name
        with hold_cluster(known_as("paris", "expc3.test"), state, shared, **MINE):
            pass


@pytest.mark.parametrize("dry_run", [False, True])
def test_other_names_of_the_same_peers_meet_the_same_lock(tmp_path: Path, *, dry_run: bool) -> None:
    # Given a run whose inventory names one peer by its address, and which found the others by itself
    desk, cluster = Desk(tmp_path), story()
    state, shared = tmp_path / "elsewhere", tmp_path / "locks"
    opened = cluster.open_peers(cluster.access, Limits(), writable=True)
    with hold_cluster(known_as("paris", "192.0.2.1"), state, shared, **MINE) as lock:
        lock.acquire(peer_lock_paths(opened, shared))
        # When the cluster is applied to under the names of the others
        with pytest.raises(LockHeld):
            desk.apply(cluster, plan_for(cluster), dry_run=dry_run)
        # Then no device got a write
        assert cluster.sent_count == 0
    assert desk.apply(cluster, plan_for(cluster)).exit_code == 0
    assert not list(shared.iterdir())


def test_a_rollback_refused_by_the_lock_stays_possible(tmp_path: Path) -> None:
    # Given an applied run, and another run at work on the same devices under other names
    desk, cluster = Desk(tmp_path), story()
    desk.apply(cluster, plan_for(cluster))
    opened = cluster.open_peers(cluster.access, Limits(), writable=True)
    with hold_cluster(known_as("paris", "192.0.2.1"), tmp_path / "elsewhere", tmp_path / "locks", **MINE) as lock:
        lock.acquire(peer_lock_paths(opened, tmp_path / "locks"))
        # When it is rolled back, it is refused, and is as it was
        with pytest.raises(LockHeld):
            desk.rollback(cluster)
        assert desk.journal().run("last").state == "applied"
    # Then it can be rolled back afterwards
    assert desk.rollback(cluster).exit_code == 0


def test_a_peer_that_is_down_is_locked_by_its_address(tmp_path: Path) -> None:
    # Given a run on a cluster with a peer that could not be opened, which no inventory names
    cluster, shared = story(), tmp_path / "locks"
    cluster.device(3).up = False
    opened = cluster.open_peers(cluster.access, Limits(), writable=True)
    with hold_cluster(known_as("paris", "192.0.2.1"), tmp_path / "elsewhere", shared, **MINE) as lock:
        lock.acquire(peer_lock_paths(opened, shared))
        # When another run comes that shares with it only this peer, Then it is refused
        cluster.devices = [replace(cluster.device(1), address=Address("expc9.example.test")), cluster.device(3)]
        other_cluster = cluster.open_peers(cluster.access, Limits(), writable=True)
        with (
            hold_cluster(known_as("edge", "192.0.2.9"), tmp_path / "s", shared, **MINE) as second,
            pytest.raises(LockHeld),
        ):
            second.acquire(peer_lock_paths(other_cluster, shared))


def test_another_cluster_is_not_locked(tmp_path: Path) -> None:
    desk, cluster = Desk(tmp_path), story()
    with another_process(desk.state_dir, tmp_path / "locks", "edge-2", ["expc7.test"]):
        assert desk.apply(cluster, plan_for(cluster)).exit_code == 0


def test_a_name_cannot_lead_out_of_the_directory(tmp_path: Path) -> None:
    with hold_cluster(known_as("../../etc/passwd", "../.."), tmp_path / "s", tmp_path / "l", **MINE):
        assert len(list((tmp_path / "l").iterdir())) == 1
        assert len(list((tmp_path / "s" / "locks").iterdir())) == 1


def test_a_lock_directory_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    lock = hold_cluster(known_as("edge", "expc1.test"), tmp_path / "s", shared, **MINE)
    with pytest.raises(LockError, match="is not private to this user"), lock:
        pass


def test_a_lock_directory_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "shared").symlink_to(tmp_path / "real")
    lock = hold_cluster(known_as("edge", "expc1.test"), tmp_path / "s", tmp_path / "shared", **MINE)
    with pytest.raises(LockError), lock:
        pass


def test_what_is_held_already_is_not_taken_twice(tmp_path: Path) -> None:
    with hold_cluster(known_as("edge", "expc1.test"), tmp_path / "s", tmp_path / "l", **MINE) as lock:
        lock.acquire(tmp_path.rglob("*.lock"))
        assert len(list(tmp_path.rglob("*.lock"))) == 2
    assert not list(tmp_path.rglob("*.lock"))


def test_a_holder_without_a_name_yet_holds_the_lock(tmp_path: Path) -> None:
    # Given a run that was seen between its lock and its first word
    cluster, shared = known_as("edge", "expc1.test"), tmp_path / "l"
    shared.mkdir(mode=0o700)
    with hold_cluster(cluster, tmp_path / "s", shared, **MINE):
        (lock,) = shared.iterdir()
    with lock.open("w") as silent:
        fcntl.flock(silent, fcntl.LOCK_EX)
        # When another one comes, Then it is refused
        with pytest.raises(LockHeld, match="another run that has not identified itself yet"):
            refuse_if_held(cluster, tmp_path / "s", shared)


def test_a_state_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    lock = hold_cluster(known_as("edge", "expc1.test"), tmp_path / "file" / "state", tmp_path / "l", **MINE)
    with pytest.raises(LockError, match="cannot be made: Not a directory"), lock:
        pass


def test_a_link_in_the_place_of_a_lock_is_not_followed(tmp_path: Path) -> None:
    # Given somebody's link where the lock file is to be
    cluster, shared = known_as("edge", "expc1.test"), tmp_path / "l"
    with hold_cluster(cluster, tmp_path / "s", shared, **MINE):
        (lock,) = shared.iterdir()
    lock.symlink_to(tmp_path / "precious")
    # When the lock is taken, Then it is refused, and what the link leads to is not made
    with pytest.raises(LockError, match="cannot be opened"), hold_cluster(cluster, tmp_path / "s", shared, **MINE):
        pass
    assert not (tmp_path / "precious").exists()


def test_a_pipe_in_the_place_of_a_lock_is_refused(tmp_path: Path) -> None:
    cluster, shared = known_as("edge", "expc1.test"), tmp_path / "l"
    with hold_cluster(cluster, tmp_path / "s", shared, **MINE):
        (lock,) = shared.iterdir()
    os.mkfifo(lock)
    with pytest.raises(LockError, match="it is a named pipe"), hold_cluster(cluster, tmp_path / "s", shared, **MINE):
        pass


NAMELESS = """
import os
os.setreuid(54321, -1)
from remediate.executor.lock import shared_directory
from remediate.executor.identity import identify_operator
print(identify_operator().user, shared_directory(), sep="\\n")
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become a user that has no name")
def test_a_user_without_name_and_home_has_an_own_lock_directory(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in {"LOGNAME", "USER", "LNAME", "USERNAME"}}
    command = [sys.executable, "-c", NAMELESS]
    output = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout
    assert output.splitlines() == ["uid 54321", "/tmp/remediate-54321"]  # noqa: S108 - a name, not a file


def test_a_heartbeat_that_cannot_be_written_ends_no_run(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a disk that fills up while a run is at work: only the heartbeat's own write can be made to fail for it alone
    beats = iter(range(1_000))

    def full(*_: object) -> int:
        if next(beats) > 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        return 0

    monkeypatch.setattr("os.pwrite", full)
    # When a plan is applied, Then it is applied
    cluster = story()
    assert desk.apply(cluster, plan_for(cluster)).state == "applied"


def test_looking_at_a_lock_locks_no_one_out(desk: Desk) -> None:
    # Given the lock of a run that died, and somebody who looks at it for a moment
    with hold_cluster_name("edge", desk.state_dir, operator=identify_operator(), now=lambda: NOW):
        [path] = (desk.state_dir / "locks").iterdir()
    path.touch(0o600)
    handle = os.open(path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    threading.Timer(0.03, os.close, [handle]).start()
    # When another run begins, Then it gets the lock
    with hold_cluster_name("edge", desk.state_dir, operator=identify_operator(), now=lambda: NOW):
        assert path.exists()
