"""`remediate restart` on the lab: what it shows, what it asks, what it restarts, and what it leaves in service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from remediate.executor.identity import identify_operator
from remediate.executor.journal.restarts import record_maintenance
from remediate.executor.journal.store import Journal
from remediate.lab import Lab
from remediate.lab.condition import MRA_ZONE
from remediate.lab.pace import LAB_LIMITS
from remediate.lab.state import MAINTENANCE_LEAF
from remediate.model.canonical import utc_now
from remediate.model.identity import Address
from remediate.model.limits import Limits
from tests.cli.conftest import Remediate, answer_on_terminal

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def restarted_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("restarts"), judge=False) as running:
        running.faults.restart_s = 0.2
        yield running


@pytest.fixture
def limits() -> Limits:
    """Clients need no time to register again."""
    return replace(LAB_LIMITS, restart_settle_s=0.0)


@pytest.fixture
def lab(restarted_lab: Lab) -> Iterator[Lab]:
    """A lab whose peers are as they were started."""
    conditions = [peer.condition.copy() for peer in restarted_lab.peers]
    counts = [peer.restarts for peer in restarted_lab.peers]
    yield restarted_lab
    restarted_lab.cluster.settle()
    for peer, condition, number in zip(restarted_lab.peers, conditions, counts, strict=True):
        peer.condition, peer.restarts = condition, number


def where(lab: Lab) -> list[str]:
    return ["-q", "-i", str(lab.inventory)]


def counts(lab: Lab) -> list[int]:
    return [peer.restarts for peer in lab.peers]


def writes_to(lab: Lab) -> int:
    return sum(request.write for request in lab.requests)


def test_a_dry_run_shows_guards_and_calls_and_writes_nothing(remediate: Remediate, lab: Lab) -> None:
    lab.peers[1].condition.ordinary_calls = 4
    writes = writes_to(lab)

    text = remediate("restart", *where(lab), "--all", "--dry-run")
    document = remediate("restart", *where(lab), "--all", "--dry-run", "--json").document

    assert text.code == 0
    [cluster] = document["clusters"]
    assert [peer["peer"] for peer in cluster["peers"]] == [peer.address for peer in lab.peers]
    assert [peer["calls"] for peer in cluster["peers"]] == [0, 4, 0]
    assert {guard["state"] for peer in cluster["peers"] for guard in peer["guards"]} == {"holds"}
    for words in ("2. ", "4 calls", "7 guards hold: peers-up,", "Maintenance mode drops MRA calls of CE endpoints at once"):
        assert words in text.out
    assert (writes_to(lab), counts(lab)) == (writes, [0, 0, 0])


def test_a_dry_run_ends_with_8_where_a_guard_fails(remediate: Remediate, lab: Lab) -> None:
    lab.peers[1].condition.raise_alarm("25026")

    ended = remediate("restart", *where(lab), "--all", "--dry-run")

    assert ended.code == 8
    assert "restart-required: alarm 25026" in ended.out.replace("\n", " ")


def test_where_nothing_waits_it_reports_that_and_asks_nothing(remediate: Remediate, lab: Lab) -> None:
    ended = remediate("restart", *where(lab), "--yes")

    assert (ended.code, counts(lab)) == (0, [0, 0, 0])
    assert "No peer needs a restart" in ended.out


def test_without_a_terminal_it_stops_before_anything(remediate: Remediate, lab: Lab) -> None:
    request_count = len(lab.requests)

    ended = remediate("restart", *where(lab), "--all")

    assert (ended.code, "--yes" in ended.err, len(lab.requests)) == (7, True, request_count)


def test_a_variable_confirms_no_restart(remediate: Remediate, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMEDIATE_YES", "1")

    assert remediate("restart", *where(lab), "--all").code == 64


@pytest.mark.parametrize("answer", ["y", "no", ""])
def test_any_other_answer_restarts_nothing(lab: Lab, answer: str) -> None:
    lab.peers[0].condition.ordinary_calls = 2

    ended = answer_on_terminal(answer, "restart", *where(lab), "--all")

    assert (ended.code, counts(lab)) == (7, [0, 0, 0])
    assert "Restart 3 peers of edge-lab, with 2 calls now? Type yes to go on:" in ended.err


def test_a_named_peer_restarts_and_is_in_effect(remediate: Remediate, lab: Lab) -> None:
    peer = lab.peers[1].address

    ended = remediate("restart", *where(lab), "--peer", peer, "--yes", "--json", "--ticket", "CHG1")

    [cluster] = ended.document["clusters"]
    assert (ended.code, cluster["state"], counts(lab)) == (0, "applied", [0, 1, 0])
    assert (cluster["plan"], list(cluster["in_effect"])) == (None, [peer])
    [run] = remediate("runs", "--json").document
    assert (run["kind"], run["exit_code"], run["plan"], run["ticket"]) == ("restart", 0, None, "CHG1")
    assert "restart peer" in remediate("runs", "show", "last", "-v").out
    assert remediate("runs", "export", "last").document["plan"] is None


def test_calls_that_do_not_end_keep_the_peer_in_service(remediate: Remediate, lab: Lab) -> None:
    condition = lab.peers[0].condition
    condition.ordinary_calls = 3

    ended = remediate("restart", *where(lab), "--all", "--yes", "--drain-for", "1s")

    assert (ended.code, counts(lab), condition.maintenance, condition.ordinary_calls) == (8, [0, 0, 0], False, 3)
    assert "it still carries 3 calls" in ended.out.replace("\n", " ")


def test_calls_are_waited_for(remediate: Remediate, lab: Lab) -> None:
    condition = lab.peers[0].condition
    condition.ordinary_calls, condition.drain_s = 3, 0.5

    ended = remediate("restart", *where(lab), "--peer", lab.peers[0].address, "--yes")

    assert (ended.code, counts(lab), condition.cut_calls) == (0, [1, 0, 0], 0)


def test_all_peers_drain_and_restart_one_at_a_time(remediate: Remediate, lab: Lab) -> None:
    for peer in lab.peers:
        peer.condition.ordinary_calls, peer.condition.drain_s = 2, 0.3
    begin = len(lab.requests)

    ended = remediate("restart", *where(lab), "--all", "--yes", "--calls", "drain")

    assert (ended.code, counts(lab)) == (0, [1, 1, 1])
    assert [peer.condition.cut_calls for peer in lab.peers] == [0, 0, 0]
    commanded = [request.peer for request in list(lab.requests)[begin:] if request.write]
    assert list(dict.fromkeys(commanded)) == [peer.address for peer in lab.peers]
    assert not any(peer.condition.maintenance for peer in lab.peers)
    assert f"peer 1 = {lab.peers[0].address} (expc1.steven.lab)" in ended.out


@pytest.mark.parametrize("limits", [replace(LAB_LIMITS, restart_s=3.0)], ids=["short"])
def test_a_peer_without_its_zone_stops_the_others(remediate: Remediate, lab: Lab) -> None:
    lab.peers[0].condition.stays_down = {MRA_ZONE}

    ended = remediate("restart", *where(lab), "--all", "--yes", "--calls", "end")

    assert (ended.code, counts(lab)) == (8, [1, 0, 0])
    assert f"zone {MRA_ZONE} not active" in ended.out.replace("\n", " ")


def test_a_peer_whose_address_left_the_list_is_not_restarted(remediate: Remediate, tmp_path: Path) -> None:
    with Lab(tmp_path, judge=False) as fresh:
        fresh.faults.lose_own_address(2)
        rehearsed = remediate("restart", *where(fresh), "--all", "--dry-run", "--json")

    assert rehearsed.code == 8
    [cluster] = rehearsed.document["clusters"]
    states = {
        (peer["peer"], guard["state"])
        for peer in cluster["peers"]
        for guard in peer["guards"]
        if guard["guard"] == "own-address"
    }
    expected = {(peer.address, "fails" if peer is fresh.peers[1] else "holds") for peer in fresh.peers}
    assert states == expected | {("192.0.2.99", "not-looked-at")}


@pytest.mark.parametrize("guard", ["own-address", "upgrade", "nothing"])
def test_some_guards_cannot_be_assumed(remediate: Remediate, lab: Lab, guard: str) -> None:
    assert remediate("restart", *where(lab), "--all", "--yes", "--assume", guard).code == 64


def test_a_peer_that_is_not_there_is_wrong_usage(remediate: Remediate, lab: Lab) -> None:
    ended = remediate("restart", *where(lab), "--peer", "expc9.example.test", "--yes")

    assert (ended.code, counts(lab)) == (64, [0, 0, 0])


def test_reading_commands_name_maintenance_mode_that_was_left_on(remediate: Remediate, lab: Lab, tmp_path: Path) -> None:
    peer = Address(lab.peers[0].address)
    with Journal(tmp_path / "state", writable=True) as journal:
        run = journal.begin_without_plan("restart", "edge-lab", (peer,), operator=identify_operator())
        record_maintenance(journal, run, "edge-lab", peer, identify_operator(), utc_now(), None)
    lab.cluster.set_leaf(lab.peers[0], MAINTENANCE_LEAF, "On")

    verified = remediate("verify", *where(lab))

    checked = remediate("doctor", *where(lab), "--json").document
    # Then they name it, and the command that ends it, and leave it on
    assert f"Maintenance mode of {peer}, turned on by run {run}" in verified.err
    assert "remediate restart -i INVENTORY -c edge-lab" in verified.err
    [cluster] = checked["clusters"]
    [left_on] = [finding for finding in cluster["findings"] if finding["subject"] == "maintenance mode"]
    assert f"Maintenance mode of {peer}, turned on by run {run}" in left_on["said"]
    assert "`remediate restart -i INVENTORY -c edge-lab`" in left_on["next_step"]
    assert lab.peers[0].condition.maintenance
    # When a command that writes follows, Then it ends it first
    ended = remediate("restart", *where(lab), "--yes", "--json")
    assert (ended.code, lab.peers[0].condition.maintenance) == (0, False)
    assert any("it is turned off now" in note for note in json.loads(ended.out)["notes"])


def test_the_command_line_chooses_the_peers_over_variables(
    remediate: Remediate, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chosen(*arguments: str) -> list[str]:
        (cluster,) = remediate("restart", "--dry-run", "--json", *where(lab), *arguments).document["clusters"]
        return [peer["peer"] for peer in cluster["peers"]]

    addresses = [str(peer.address) for peer in lab.peers]
    monkeypatch.setenv("REMEDIATE_PEER", f"{addresses[0]} {addresses[1]}")
    assert chosen() == addresses[:2]
    assert chosen("--all") == addresses
    monkeypatch.setenv("REMEDIATE_ALL", "1")
    assert chosen("--peer", addresses[2]) == addresses[2:]
    assert remediate("restart", "--dry-run", *where(lab)).code == 64
    assert remediate("restart", "--dry-run", *where(lab), "--all", "--peer", addresses[0]).code == 64
