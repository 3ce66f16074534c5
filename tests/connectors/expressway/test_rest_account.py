"""An account for REST apart from the shell's, and reading over REST alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from remediate import make_plan
from remediate.cli.doctor_checks import check_cluster
from remediate.connectors.collect import collect
from remediate.connectors.expressway.cluster import open_peers
from remediate.inventory import load
from remediate.lab import Lab
from remediate.model.access import ClusterAccess
from remediate.model.errors import AccessError, LoginRefused
from remediate.model.exit_codes import ExitCode
from remediate.model.secret import Login, Secret
from tests.connectors.support import QUICK


@pytest.fixture(scope="module")
def _started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("lab"), "rest-account", judge=False) as lab:
        yield lab


@pytest.fixture
def lab(_started: Lab) -> Lab:
    _started.requests.clear()
    return _started


@pytest.fixture
def cluster(lab: Lab) -> ClusterAccess:
    return load(lab.inventory)[0]


@dataclass(frozen=True)
class WrongPassword:
    """A source of a password that no peer takes."""

    def describe(self) -> str:
        return "the test"

    def read(self) -> Secret:
        return Secret("not the password")


def without_shell(cluster: ClusterAccess) -> ClusterAccess:
    """Return the cluster with one account alone: that of REST."""
    return replace(cluster, login=cluster.rest_login, rest=None)


def shell_logins(lab: Lab) -> list[bool]:
    return [request.authorised for request in lab.requests if request.method == "login"]


def test_rest_and_shell_take_their_own_accounts(lab: Lab, cluster: ClusterAccess) -> None:
    with open_peers(cluster, QUICK, writable=True) as opened:
        assert [peer.shell_problem for peer in opened.peers] == ["", "", ""]

    assert all(request.authorised for request in lab.requests)
    assert shell_logins(lab) == [True, True, True]


def test_an_account_that_no_shell_takes_is_not_tried_there(lab: Lab, cluster: ClusterAccess) -> None:
    snapshot = collect(without_shell(cluster), limits=QUICK)

    assert shell_logins(lab) == []
    assert {peer.version for peer in snapshot.peers} == {lab.scenario.version}
    assert [peer.ciphers for peer in snapshot.peers] == [{}, {}, {}]
    [gap] = [gap for gap in snapshot.undiscovered if gap.service == "shell"]
    assert gap.names == tuple(peer.address for peer in lab.peers)
    assert "the shell accepts only admin and root, not api" in gap.message


def test_a_plan_over_rest_alone_takes_no_family_for_granted(cluster: ClusterAccess) -> None:
    plan = make_plan(collect(without_shell(cluster), limits=QUICK))

    assert plan.complete
    assert [action.kind for action in plan.changes] == ["trust-certificate"]
    assert all(forecast.after.ok for forecast in plan.endpoints)
    assert any("both certificates of a node must verify" in note for note in plan.notes)
    assert any("Read over REST only" in note for note in plan.notes)


def test_a_shell_that_refuses_its_own_account_is_tried_once(lab: Lab, cluster: ClusterAccess) -> None:
    refused = replace(cluster, login=Login("admin", WrongPassword()))

    with open_peers(refused, QUICK, writable=False) as opened:
        problems = {peer.shell_problem for peer in opened.peers}

    assert problems == {f"that of {lab.peers[0].address} refuses the login of admin"}
    assert shell_logins(lab) == [False]


def test_the_status_is_read_over_rest_alone(lab: Lab, cluster: ClusterAccess) -> None:
    condition = lab.peers[0].condition
    condition.raise_alarm("25026")
    try:
        with open_peers(without_shell(cluster), QUICK, writable=False) as opened:
            first, second, _ = [peer.health() for peer in opened.peers]
    finally:
        condition.lower_alarm("25026")

    assert [health.alarm_numbers and sorted(health.alarm_numbers) for health in (first, second)] == [["25026"], frozenset()]
    assert (first.unread, second.maintenance, second.own_address) == ({}, False, lab.peers[1].address)
    assert shell_logins(lab) == []


def test_writing_needs_the_shell(cluster: ClusterAccess) -> None:
    with pytest.raises(LoginRefused):
        open_peers(replace(cluster, login=Login("admin", WrongPassword())), QUICK, writable=True)
    with pytest.raises(AccessError, match="the shell accepts only admin and root, not api") as refused:
        open_peers(without_shell(cluster), QUICK, writable=True)
    assert "expressway.rest" in refused.value.next_step


def test_doctor_explains_a_missing_shell(cluster: ClusterAccess, tmp_path: Path) -> None:
    findings = check_cluster(without_shell(cluster), QUICK, tmp_path).findings

    problems = [finding for finding in findings if "the shell accepts only admin and root" in finding.text]
    assert [finding.code for finding in problems] == [ExitCode.ERROR] * 3
    assert "`expressway.rest`" in problems[0].next_step


def test_doctor_names_the_source_of_each_password(cluster: ClusterAccess, tmp_path: Path) -> None:
    subjects = [finding.subject for finding in check_cluster(cluster, QUICK, tmp_path).findings]

    assert "REST password of api" in subjects
    assert "Expressway password of admin" in subjects
