"""Restarts as a change runs into them, on a lab with the real traffic server: what clients get, and what the lab's own log proves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from remediate.connectors.collect import collect
from remediate.inventory import load
from remediate.lab import Lab
from remediate.lab.condition import Condition
from remediate.lab.pace import LAB_LIMITS
from remediate.lab.requestlog import Request
from remediate.lab.scenario import Removal
from remediate.lab.state import SimulatedPeer
from remediate.model.certificate import Certificate
from remediate.model.limits import Limits
from remediate.planner import make_plan
from tests.cli.conftest import Ended, Remediate

pytestmark = pytest.mark.lab

LIMITS = replace(LAB_LIMITS, effect_s=0.3, sign_in_again_s=0.6, shell_quiet_s=0.05)
SHORT = replace(LIMITS, restart_s=2.0)
TUNNEL = "expe1.steven.lab"
GUARDED = ("--restart", "if-needed", "--calls", "drain")


@dataclass(frozen=True)
class PeerAtFirst:
    """A peer of the lab as it was started, to restore it from."""

    peer: SimulatedPeer
    trusted: tuple[Certificate, ...]
    leaves: dict[str, str]
    condition: Condition

    @classmethod
    def of(cls, peer: SimulatedPeer) -> PeerAtFirst:
        return cls(peer, tuple(peer.trusted), dict(peer.leaves), peer.condition.copy())

    def restore(self) -> None:
        self.peer.trusted[:] = self.trusted
        self.peer.loaded = self.trusted
        self.peer.leaves.update(self.leaves)
        self.peer.condition = self.condition.copy()
        self.peer.restarts = 0


@dataclass(frozen=True)
class Story:
    """A lab whose peers go on with their old lists until they restart, and the plan that heals it."""

    lab: Lab
    plan: Path
    peers: tuple[PeerAtFirst, ...]

    @property
    def where(self) -> tuple[str | Path, ...]:
        return "-i", self.lab.inventory, "-q"

    @property
    def restarts(self) -> list[int]:
        return [peer.restarts for peer in self.lab.peers]

    @property
    def in_maintenance(self) -> list[bool]:
        return [peer.condition.maintenance for peer in self.lab.peers]

    @property
    def cut_calls(self) -> list[int]:
        """How many calls each restart cut, in their order."""
        return [outage.cut_calls for outage in self.lab.requests.outages]

    @property
    def sign_ins(self) -> list[int]:
        return [len(edge.front.sign_ins) for edge in self.lab.edges]

    @property
    def commands(self) -> list[str]:
        """What was written to the peers, each with the number of its peer."""
        numbers = {peer.address: peer.number for peer in self.lab.peers}
        return [f"{numbers[request.peer]} {_words(request)}" for request in self.lab.requests.writes]

    def served(self) -> dict[tuple[str, str, int], int]:
        """The status that a client gets for each endpoint through each peer."""
        return {pair: answer.status for pair, answer in self.lab.ask_as_client().items()}

    def begin_again(self) -> None:
        self.lab.cluster.settle()
        for peer in self.peers:
            peer.restore()
        self.lab.forget_clients()
        self.lab.requests.clear()
        self.lab.requests.outages.clear()


def _words(request: Request) -> str:
    return re.sub(r"^xCommand |^xConfiguration SystemUnit ", "", request.path)


@pytest.fixture(scope="module")
def shared_story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    home = tmp_path_factory.mktemp("stories")
    with Lab(home / "lab", judge=None) as lab:
        lab.faults.restart_s, lab.faults.connect_s = 0.2, 0.1
        for peer in lab.peers:
            lab.faults.describe(peer.address, removal=Removal.FINGERPRINT)
        cluster = load(lab.inventory)[0]
        plan = home / "plan.json"
        plan.write_text(make_plan(collect(cluster, limits=LIMITS), cluster.policy).to_json())
        yield Story(lab, plan, tuple(map(PeerAtFirst.of, lab.peers)))


@pytest.fixture
def story(shared_story: Story) -> Story:
    shared_story.begin_again()
    return shared_story


@pytest.fixture
def limits() -> Limits:
    """The pace of a story."""
    return LIMITS


def apply(remediate: Remediate, story: Story, *options: str | Path, inventory: Path | None = None) -> Ended:
    where = ("-i", inventory or story.lab.inventory, "-q", "--approve-file", story.lab.approvals)
    return remediate("apply", story.plan, *where, "--yes", "--json", *options)


def effects(document: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(effect["state"], effect["by"]) for effect in document["in_effect"].values()]


def carry_calls(peer: SimulatedPeer, *, ordinary: int, ce: int = 0, drain_s: float | None) -> None:
    peer.condition.ordinary_calls, peer.condition.ce_calls, peer.condition.drain_s = ordinary, ce, drain_s


def test_a_guarded_apply_drains_restarts_and_heals(remediate: Remediate, story: Story) -> None:
    # Given peers that need the restart and carry calls
    before = story.served()
    for peer in story.lab.peers:
        carry_calls(peer, ordinary=2, ce=1, drain_s=0.3)
    # When the plan is applied
    ended = apply(remediate, story, *GUARDED)
    # Then it is in effect everywhere, seen by clients, who get what was promised
    assert (ended.code, effects(ended.document)) == (10, [("yes", "client")] * 3)
    served = story.served()
    promised = {
        (endpoint["peer"], endpoint["address"], endpoint["port"]): 200 if endpoint["ok"] else 502
        for endpoint in ended.document["endpoints"]
    }
    assert {pair: served[pair] for pair in promised} == promised
    assert list(before.values()).count(502) > list(served.values()).count(502)
    # And never two were away, no call was cut but those that maintenance mode drops, and the sign-ins keep to the budget
    assert (story.restarts, story.lab.requests.most_away_at_once, story.in_maintenance) == ([1, 1, 1], 1, [False] * 3)
    assert story.cut_calls == [0, 0, 0]
    assert [peer.condition.dropped_calls for peer in story.lab.peers] == [1, 1, 1]
    assert max(story.sign_ins) <= LIMITS.max_sign_ins
    # And no reading command writes
    story.lab.requests.clear()
    where = "-i", story.lab.inventory
    assert remediate("verify", *where).code == 10
    assert remediate("restart", "--all", "--dry-run", *where).code == 0
    rehearsed = remediate("rollback", "last", "--dry-run", "--restart", "rolling", *where)
    assert (rehearsed.code, rehearsed.err.count(": 7 guards hold: ")) == (0, 3)
    assert len(story.lab.requests) > 0
    assert story.commands == []


def test_calls_that_do_not_end_leave_the_peer_as_it_was(remediate: Remediate, story: Story) -> None:
    before = story.served()
    carry_calls(story.lab.peers[0], ordinary=2, drain_s=None)

    ended = apply(remediate, story, *GUARDED, "--drain-for", "1s")

    assert (ended.code, story.restarts, story.in_maintenance) == (8, [0, 0, 0], [False] * 3)
    assert [command for command in story.commands if "Maintenance" in command] == [
        "1 Maintenance Mode: On",
        "1 Maintenance Mode: Off",
    ]
    assert story.lab.peers[0].condition.calls == 2
    assert effects(ended.document)[0] == ("no", "client")
    served = story.served()
    assert {served[pair] for pair, status in before.items() if status == 200} == {200}


@pytest.mark.parametrize("limits", [SHORT], ids=["short"])
def test_a_peer_back_without_its_tunnel_keeps_the_others(remediate: Remediate, story: Story) -> None:
    story.lab.peers[0].condition.stays_down = {TUNNEL}

    ended = apply(remediate, story, *GUARDED)

    assert (ended.code, story.restarts, story.lab.requests.most_away_at_once) == (8, [1, 0, 0], 1)
    assert any(f"tunnel {TUNNEL} not active" in step for step in ended.document["open_steps"])
    # And no later command restarts another, until it is back
    again = remediate("restart", *story.where, "--all", "--yes", "--calls", "drain")
    assert (again.code, story.restarts) == (8, [1, 0, 0])
    assert "No other peer is restarted until it is" in again.out.replace("\n", " ")


def test_a_rollback_restarts_back_to_what_clients_had(remediate: Remediate, story: Story) -> None:
    before = story.served()
    lists = [peer.trusted for peer in story.peers]
    assert apply(remediate, story, "--restart", "rolling", "--calls", "drain").code == 10
    for peer in story.lab.peers:
        carry_calls(peer, ordinary=1, drain_s=0.2)

    ended = remediate("rollback", "last", *story.where, "--yes", "--json", "--restart", "rolling", "--calls", "drain")

    assert (ended.code, ended.document["state"]) == (0, "rolled-back")
    assert {state for state, _ in effects(ended.document)} == {"yes"}
    assert [tuple(peer.trusted) for peer in story.lab.peers] == lists
    assert story.served() == before
    assert (story.restarts, story.lab.requests.most_away_at_once) == ([2, 2, 2], 1)
    assert story.cut_calls == [0] * 6
    assert max(story.sign_ins) <= LIMITS.max_sign_ins


def test_without_mra_the_start_after_a_restart_settles_it(remediate: Remediate, story: Story) -> None:
    # Given an inventory that names no way of a client
    inventory = story.lab.directory / "without-mra.yml"
    inventory.write_text(re.sub(r" +mra: .*\n.*credentials.*\n", "", story.lab.inventory.read_text()))
    # When the plan is applied, Then it is written, not known to be in effect, and nothing restarts
    ended = apply(remediate, story, *GUARDED, inventory=inventory)
    assert (ended.code, effects(ended.document), story.restarts) == (11, [("not-known", "start")] * 3, [0, 0, 0])
    assert remediate("verify", "-q", "-i", inventory).code == 11
    # When the peers restart, Then their start settles it, and the journal and verify say so
    [cluster] = remediate("restart", "-q", "-i", inventory, "--yes", "--calls", "drain", "--json").document["clusters"]
    assert (cluster["exit_code"], effects(cluster)) == (0, [("yes", "start")] * 3)
    assert (story.restarts, story.lab.requests.most_away_at_once) == ([1, 1, 1], 1)
    newest = remediate("runs", "--json").document[0]
    assert (newest["kind"], newest["exit_code"], effects(newest)) == ("restart", 0, [("yes", "start")] * 3)
    assert remediate("verify", "-q", "-i", inventory).code == 10
    assert story.sign_ins == [0, 0, 0]


def test_a_staged_upgrade_keeps_everything_from_being_written(remediate: Remediate, story: Story) -> None:
    before = story.served()
    story.lab.peers[1].condition.upgrade = "UPGD_FILE_DOWNLOADED"

    ended = apply(remediate, story, "--restart", "rolling", "--calls", "end")

    assert (ended.code, story.commands, story.restarts, story.served()) == (8, [], [0, 0, 0], before)
    assert "an upgrade is staged" in ended.err
