"""`doctor` on the way of a client: one sign-in over each, within the budget, and what it says of each refusal."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from remediate.cli.check_result import CheckResult, merge_alike
from remediate.cli.client_checks import check_clients
from remediate.inventory import load
from remediate.lab import Lab
from remediate.model.access import ClusterAccess, MraAccess
from remediate.model.limits import Limits
from tests.connectors.support import with_password

LIMITS = Limits(connect_s=2, read_s=2)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("lab"), judge=False) as lab:
        yield lab


@pytest.fixture
def lab(running: Lab) -> Lab:
    """Return the lab, whose edges remember nothing of earlier tests."""
    running.forget_clients()
    running.requests.clear()
    return running


@pytest.fixture
def cluster(lab: Lab) -> ClusterAccess:
    """Return its cluster, as the inventory has it."""
    return load(lab.inventory)[0]


def check(cluster: ClusterAccess, state_dir: Path) -> tuple[CheckResult, ...]:
    """Return the results, the reminder of the exemption left out."""
    *results, reminder = check_clients(cluster, LIMITS, state_dir)
    assert "Automated detection > Exemptions" in reminder.next_step
    return tuple(results)


def with_way(cluster: ClusterAccess, mra: MraAccess | None) -> ClusterAccess:
    """Return the cluster with one peer, and this way through it."""
    return replace(cluster, peers=(replace(cluster.peers[0], mra=mra),))


def way_of(cluster: ClusterAccess) -> MraAccess:
    """Return the way through the first peer."""
    assert cluster.peers[0].mra is not None
    return cluster.peers[0].mra


def test_it_signs_in_once_over_each_way(lab: Lab, cluster: ClusterAccess, tmp_path: Path) -> None:
    results = check(cluster, tmp_path)
    assert [result.subject for result in results] == [f"client through {peer.address}" for peer in lab.peers]
    assert {result.code for result in results} == {0}
    assert f"probe signed in over {lab.edges[0].url}" in results[0].text
    assert [len(edge.front.sign_ins) for edge in lab.edges] == [1, 1, 1]
    assert {request.path for request in lab.requests if request.transport == "mra"} == {"steven.lab/get_edge_config"}


def test_over_the_budget_it_is_a_warning(cluster: ClusterAccess, lab: Lab, tmp_path: Path) -> None:
    results = [check(with_way(cluster, way_of(cluster)), tmp_path)[0] for _ in range(3)]
    assert [(result.code, bool(result.next_step)) for result in results] == [(0, False), (0, False), (0, True)]
    assert "not asked" in results[2].text
    assert len(lab.edges[0].front.sign_ins) == 2


def test_without_a_way_it_says_what_cannot_be_seen(cluster: ClusterAccess, tmp_path: Path) -> None:
    (result,) = check_clients(with_way(cluster, None), LIMITS, tmp_path)
    assert "cannot test whether new trust is in effect" in result.text
    assert (result.code, result.next_step[:9]) == (0, "Add `mra`")


def test_what_no_peer_has_is_said_once_on_a_screen(cluster: ClusterAccess, tmp_path: Path) -> None:
    without = replace(cluster, peers=tuple(replace(peer, mra=None) for peer in cluster.peers))
    (result,) = merge_alike(tuple(check_clients(without, LIMITS, tmp_path)))
    assert result.subject == "all 3 peers"


def test_without_credentials_it_asks_for_them(cluster: ClusterAccess, lab: Lab, tmp_path: Path) -> None:
    (result,) = check(with_way(cluster, replace(way_of(cluster), login=None)), tmp_path)
    assert (result.code, result.next_step) == (0, "Add `credentials` and `domain` to `mra` in the inventory.")
    assert lab.edges[0].front.sign_ins == []


REFUSALS = {
    "password": (1, "Correct the account in `mra.credentials`"),
    "domain": (1, "Correct `mra.domain`"),
    "rate": (4, "Wait five minutes"),
    "tunnel": (4, "Check that the Expressway-E is up"),
}


@pytest.mark.parametrize(("case", "expected"), REFUSALS.items(), ids=REFUSALS)
def test_each_refusal_has_its_fix(
    cluster: ClusterAccess, lab: Lab, tmp_path: Path, case: str, expected: tuple[int, str]
) -> None:
    # Given a way that is refused for this reason
    access = way_of(cluster)
    condition = lab.peers[0].condition
    if case == "password":
        access = with_password(access, "wrong")
    if case == "domain":
        access = replace(access, domain="example.test")
    if case == "rate":
        lab.edges[0].front.spec = replace(lab.scenario.edge, sign_ins=0)
    if case == "tunnel":
        condition.tunnels = dict.fromkeys(condition.tunnels, False)
    # When doctor looks, Then it says so, with the code and the fix
    try:
        (result,) = check(with_way(cluster, access), tmp_path)
    finally:
        lab.edges[0].front.spec = lab.scenario.edge
        condition.tunnels = dict.fromkeys(condition.tunnels, True)
    assert (result.code, result.next_step.startswith(expected[1])) == (expected[0], True)


def test_processes_at_one_time_share_one_budget(lab: Lab, tmp_path: Path) -> None:
    # Given three processes with one state directory, at one time
    command = [sys.executable, "-m", "remediate", "doctor", "--json", "-i", str(lab.inventory), "--state-dir", str(tmp_path)]
    processes = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(3)]
    for process in processes:
        process.wait(60)
    # When all have ended, Then the lab's own log has two sign-ins over each way, and no refusal
    sign_ins = [request for request in lab.requests if request.path.endswith("get_edge_config")]
    assert sorted(request.peer for request in sign_ins) == sorted([peer.address for peer in lab.peers] * 2)
    assert all(request.authorised for request in sign_ins)


def test_a_shared_way_says_what_cannot_be_known(tmp_path: Path) -> None:
    # Given one Expressway-E for the cluster
    with Lab(tmp_path / "lab", "one-edge", judge=False) as lab:
        cluster = load(lab.inventory)[0]
        # When doctor looks, Then one sign-in is enough, and each peer's result names the others
        results = check(cluster, tmp_path / "state")
        assert len(lab.edges[0].front.sign_ins) == 1
    for result, peer in zip(results, cluster.peers, strict=True):
        first, second = [alternate.address for alternate in cluster.peers if alternate is not peer]
        assert f"leads through {first} and {second} too" in result.text
