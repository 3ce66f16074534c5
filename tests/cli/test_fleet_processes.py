"""A fleet is looked at by several processes as by one: the same requests, results and sentences, and one login first."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from remediate.cli.fleet import ClusterResult, combine_exit_codes
from remediate.cli.fleet_processes import choose_processes, look_at_clusters
from remediate.cli.observe import observe
from remediate.cli.session import Session
from remediate.inventory import load
from remediate.inventory.credentials import CachedSource, FileSource, PromptSource
from remediate.lab import Lab
from remediate.lab.pace import LAB_LIMITS
from remediate.model.access import ClusterAccess
from remediate.model.errors import ObservationError
from remediate.model.events import Event, Sink
from remediate.model.exit_codes import ExitCode
from remediate.model.secret import Login, Secret
from remediate.model.snapshot import Snapshot

pytestmark = pytest.mark.lab

NAMES = ("lyon", "milan", "paris")
LOOK = partial(observe, limits=LAB_LIMITS)


@pytest.fixture
def fleet(lab: Lab) -> tuple[ClusterAccess, ...]:
    """Return three clusters of an inventory, all of which are the lab's."""
    [cluster] = load(lab.inventory)
    return tuple(replace(cluster, name=name, login=copy_login(cluster)) for name in NAMES)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """Return a command line of a fleet."""
    return Session(chosen_state_dir=tmp_path / "state", quiet=True, limits=LAB_LIMITS)


def copy_login(cluster: ClusterAccess) -> Login:
    """Return the login of `cluster` with a source of its own."""
    assert isinstance(cluster.login.password, CachedSource)
    return Login(cluster.login.username, CachedSource(cluster.login.password.source))


def give(_cluster: ClusterAccess, value: object) -> tuple[object, ExitCode]:
    """Take what was seen as the result."""
    return value, ExitCode.DONE


def count_requests(lab: Lab, since: int) -> Counter[tuple[object, ...]]:
    """Return how many requests of each kind came since then."""
    return Counter(
        (request.peer, request.transport, request.method, request.path, request.authorised)
        for request in list(lab.requests)[since:]
    )


def test_processes_send_the_requests_of_one(lab: Lab, fleet: tuple[ClusterAccess, ...], session: Session) -> None:
    # Given the requests and the results of a look in this process
    start = len(lab.requests)
    alone = look_at_clusters(session, fleet, LOOK, give, Events(), processes=1)
    of_one, start = count_requests(lab, start), len(lab.requests)

    # When two processes look
    events = Events()
    results = look_at_clusters(session, fleet, LOOK, give, events, processes=2)

    # Then the same was sent, each peer was logged in to once a cluster, and the events of each came here
    assert count_requests(lab, start) == of_one
    logins = {kind[0]: number for kind, number in of_one.items() if kind[2] == "login"}
    assert logins == {peer.address: len(fleet) for peer in lab.peers}
    assert [result.cluster for result in results] == list(NAMES)
    assert list(map(describe, results)) == list(map(describe, alone))
    assert {event.cluster for event in events.received} == set(NAMES)


def describe(result: ClusterResult[object]) -> tuple[object, ...]:
    """Return what does not depend on the moment of a look."""
    assert isinstance(result.value, Snapshot)
    peers = [replace(peer, health=None) for peer in result.value.peers]
    return result.exit_code, peers, result.value.endpoints, result.value.certificates


class Events:
    """Sink that keeps what it receives."""

    def __init__(self) -> None:
        self.received: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Keep `event`."""
        self.received.append(event)


def test_wrong_password_is_sent_once_a_cluster(lab: Lab, fleet: tuple[ClusterAccess, ...], session: Session) -> None:
    # Given a cluster with a wrong password
    wrong = CachedSource(PromptSource("password", allowed=False))
    wrong.fill(Secret("not the password"))
    lyon, milan, paris = fleet
    start = len(lab.requests)

    results = look_at_clusters(
        session, (lyon, replace(milan, login=Login("admin", wrong)), paris), LOOK, give, Events(), processes=2
    )

    # Then one request has it, and the clusters beside are looked at
    refused = [request for request in list(lab.requests)[start:] if not request.authorised]
    assert len(refused) == 1
    assert [result.exit_code for result in results] == [ExitCode.DONE, ExitCode.ERROR, ExitCode.DONE]
    assert combine_exit_codes(results) == ExitCode.ERROR
    assert "login" in str(results[1].error)


@pytest.mark.parametrize(("clusters", "cores", "processes"), [(15, 64, 1), (16, 64, 2), (640, 4, 4), (640, 64, 16)])
def test_no_more_clusters_at_once_than_allowed(
    fleet: tuple[ClusterAccess, ...], clusters: int, cores: int, processes: int
) -> None:
    limits = replace(LAB_LIMITS, parallel_clusters=16)

    assert choose_processes(fleet[:1] * clusters, limits, cores) == processes


@pytest.mark.parametrize(("path", "processes"), [("/dev/fd/9", 1), ("/proc/self/fd/9", 1), ("/run/secrets/dev", 2)])
def test_a_password_that_is_open_here_is_read_here(fleet: tuple[ClusterAccess, ...], path: str, processes: int) -> None:
    # Given a cluster among others, whose AXL password is in a file
    account = Login("axl", CachedSource(FileSource(Path(path))))
    clusters = (*fleet[:1] * 15, replace(fleet[1], axl=account))

    assert choose_processes(clusters, LAB_LIMITS, 2) == processes


def test_typed_password_is_handed_over(lab: Lab, fleet: tuple[ClusterAccess, ...], session: Session) -> None:
    # Given a password that was typed here, where no other process could ask for it
    typed = CachedSource(PromptSource("password", allowed=False))
    typed.fill(Secret(lab.accounts.password))
    clusters = tuple(replace(cluster, login=Login("admin", typed)) for cluster in fleet)

    results = look_at_clusters(session, clusters, look_for_password, give, Events(), processes=2)

    # Then each process has it, and it is in no argument and no variable
    assert [result.value for result in results] == [(lab.accounts.password, False)] * 3


def look_for_password(cluster: ClusterAccess, _sink: Sink) -> tuple[str, bool]:
    """Return the password of `cluster`, and whether others can see it in /proc."""
    password = cluster.login.password.read().reveal()
    public = b"".join(Path(f"/proc/self/{name}").read_bytes() for name in ("cmdline", "environ"))
    return password, password.encode() in public


def die_in_milan(cluster: ClusterAccess, sink: Sink) -> Snapshot:
    """Look at a cluster, and be killed at one of them."""
    if cluster.name == "milan":
        os.kill(os.getpid(), signal.SIGKILL)
    return observe(cluster, sink, LAB_LIMITS)


def refuse(cluster: ClusterAccess, _sink: Sink) -> Snapshot:
    """Raise an error that quotes the password."""
    raise ObservationError(f"It answered {cluster.login.password.read().reveal()}.", next_step="Look.")


def test_a_killed_process_is_one_sentence(fleet: tuple[ClusterAccess, ...], session: Session) -> None:
    # Given processes that look at one cluster at a time
    session.limits = replace(session.limits, parallel_clusters=2)

    results = look_at_clusters(session, fleet, die_in_milan, give, Events(), processes=2)

    assert [result.exit_code for result in results] == [ExitCode.DONE, ExitCode.ERROR, ExitCode.DONE]
    assert "ended before it finished" in str(results[1].error)


def test_an_error_of_a_process_hides_the_password(fleet: tuple[ClusterAccess, ...], session: Session) -> None:
    results = look_at_clusters(session, fleet, refuse, give, Events(), processes=2)

    assert [str(result.error) for result in results] == ["It answered ***."] * 3
    assert {result.exit_code for result in results} == {ExitCode.INCOMPLETE}


@pytest.fixture
def inventory(lab: Lab) -> Iterator[Path]:
    """Yield an inventory with enough clusters for several processes."""
    head, _, cluster = lab.inventory.read_text().partition("  - name: edge-lab\n")
    path = lab.directory / "fleet.yml"
    path.write_text(head + "".join(f"  - name: n{number:02}\n{cluster}" for number in range(16)))
    yield path
    path.unlink()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="sees processes in /proc")
def test_ctrl_c_ends_every_process(inventory: Path, tmp_path: Path) -> None:
    # Given a fleet that is being looked at
    command = [sys.executable, "-m", "remediate", "plan", "-i", str(inventory), "--events", str(tmp_path / "events.jsonl")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    wait_for(lambda: len(list_events(tmp_path)) > 1)

    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=60)

    # Then it ends with its exit code, without a traceback, and no process remains
    assert (process.returncode, re.findall("Traceback|Error", stderr)) == (130, [])
    wait_for(lambda: not list_group(process.pid))


def test_a_fleet_gets_one_line_a_cluster(inventory: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "remediate",
        "plan",
        "-i",
        str(inventory),
        "--events",
        str(tmp_path / "events.jsonl"),
        "-q",
    ]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    lines = re.findall(r"^\W*(n\d\d) ", ended.stdout, re.MULTILINE)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert lines == [f"n{number:02}" for number in range(16)]
    assert {event["cluster"] for event in list_events(tmp_path)} == {"", *lines}


def list_events(folder: Path) -> list[dict[str, object]]:
    """Return the events that were written so far."""
    with suppress(FileNotFoundError):
        return [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines() if line.endswith("}")]
    return []


def list_group(group: int) -> list[str]:
    """Return the processes of a group that run (proc_pid_stat(5): state, parent, group)."""
    fields = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            fields.append(path.read_text().rpartition(")")[2].split())
    return [state for state, _, number, *_ in fields if int(number) == group and state != "Z"]


def wait_for(is_true: Callable[[], bool]) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + 60
    while not is_true() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert is_true()
