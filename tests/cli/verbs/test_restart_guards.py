"""Each guard of a restart on the lab: where it fails or cannot be looked at, no peer restarts, and the command says which."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from remediate.lab import Lab
from remediate.lab.pace import LAB_LIMITS
from remediate.lab.state import MAINTENANCE_LEAF
from remediate.model.limits import Limits
from remediate.model.restart import Guard
from tests.cli.conftest import Remediate

pytestmark = pytest.mark.lab

Order = Callable[[Lab], None]

FAILURES: dict[Guard, Order] = {
    Guard.PEERS_UP: lambda lab: lab.faults.down(lab.peers[2].address),
    Guard.ALARMS: lambda lab: lab.peers[1].condition.raise_alarm("20004", "Cluster communication failure"),
    Guard.REPLICATION: lambda lab: lab.peers[1].condition.raise_alarm("20009", "Cluster replication error"),
    Guard.UPGRADE: lambda lab: setattr(lab.peers[1].condition, "upgrade", "UPGD_STARTED"),
    Guard.OWN_ADDRESS: lambda lab: lab.cluster.set_leaf_everywhere("Alternates Peer 1 Address", ""),
    Guard.RESTART_REQUIRED: lambda lab: lab.peers[0].condition.raise_alarm("25026"),
    Guard.MAINTENANCE: lambda lab: lab.cluster.set_leaf(lab.peers[1], MAINTENANCE_LEAF, "On"),
}


@pytest.fixture(scope="module")
def guarded_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("guards"), judge=False) as running:
        running.faults.restart_s = 0.2
        yield running


@pytest.fixture
def limits() -> Limits:
    return replace(LAB_LIMITS, restart_settle_s=0.0)


@pytest.fixture
def lab(guarded_lab: Lab) -> Iterator[Lab]:
    """A lab whose peers are as they were started."""
    begin = [(peer.condition.copy(), dict(peer.leaves)) for peer in guarded_lab.peers]
    guarded_lab.requests.clear()
    yield guarded_lab
    guarded_lab.cluster.settle()
    for peer, (condition, leaves) in zip(guarded_lab.peers, begin, strict=True):
        guarded_lab.faults.up(peer.address)
        peer.condition, peer.leaves, peer.restarts = condition, leaves, 0
    guarded_lab.faults.clear()


def restart_primary(remediate: Remediate, lab: Lab, *more: str) -> tuple[int, list[str]]:
    """Restart the primary; return the exit code and the open steps."""
    ended = remediate("restart", "-q", "-i", lab.inventory, "--peer", lab.peers[0].address, "--yes", "--json", *more)
    [cluster] = ended.document["clusters"]
    return ended.code, cluster["open_steps"]


@pytest.mark.parametrize("guard", FAILURES)
def test_a_guard_that_fails_keeps_every_peer_in_service(remediate: Remediate, lab: Lab, guard: Guard) -> None:
    FAILURES[guard](lab)
    code, steps = restart_primary(remediate, lab, "--assume", Guard.ALARMS.value, "--assume", Guard.MAINTENANCE.value)
    assert (code, [peer.restarts for peer in lab.peers], lab.requests.writes) == (8, [0, 0, 0], ())
    assert any(f"{guard.value}: " in step for step in steps), steps


def test_a_guard_that_was_not_looked_at_is_named_and_can_be_assumed(remediate: Remediate, lab: Lab) -> None:
    # Given a version that prints the state of its peers in a form that is not known
    for peer in lab.peers:
        peer.condition.statuses["alternates"] = ["*s Alternates:", "  Peer 1:", '    Status: "Odd"', "*s/end"]
    # When the primary is to restart, Then the guard is named, and nothing is sent
    code, steps = restart_primary(remediate, lab)
    assert (code, [peer.restarts for peer in lab.peers], lab.requests.writes) == (8, [0, 0, 0], ())
    assert any("not checked: replication" in step and "--assume replication" in step for step in steps), steps


def test_all_guards_holding_the_primary_restarts(remediate: Remediate, lab: Lab) -> None:
    code, steps = restart_primary(remediate, lab)
    assert (code, steps, [peer.restarts for peer in lab.peers]) == (0, [], [1, 0, 0])
    assert lab.requests.most_away_at_once == 1
