"""A command that writes asks first: what it shows, what it takes for an answer, and what it does without one."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from remediate.lab import Lab
from tests.cli.conftest import Remediate, answer_on_terminal
from tests.cli.shapes import check_output

pytestmark = pytest.mark.lab


@pytest.fixture
def plan(remediate: Remediate, lab: Lab, snapshot: Path, tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    remediate("plan", "--snapshot", snapshot, "--approve-file", lab.approvals, "-o", path)
    return path


@pytest.mark.parametrize("answer", ["y", "YES", ""])
def test_apply_continues_after_yes_in_full_only(answer: str, lab: Lab, plan: Path) -> None:
    request_count = len(lab.requests)

    ended = answer_on_terminal(answer, "apply", plan, "-i", lab.inventory)

    assert (ended.code, ended.out) == (7, "")
    assert "Plan for edge-lab" in ended.err
    assert "Apply this to edge-lab: 5 certificates to trust on 3 peers, " in ended.err
    assert "Now: " in ended.err
    assert ended.err.count("(0 calls, ") == 1
    assert [request for request in list(lab.requests)[request_count:] if request.write] == []


def test_a_question_is_wrapped_between_words() -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 40))
    os.write(ours, b"steven\n")
    environment = {**os.environ, "TERM": "xterm", "REMEDIATE_LANG": "en"}
    question = "User name for AXL on Unified CM (empty: none): "
    program = f"from remediate.cli.questions import read_answer; print(read_answer({question!r}), end='')"

    ended = subprocess.run(
        [sys.executable, "-c", program],
        stdin=theirs,
        stderr=theirs,
        stdout=subprocess.PIPE,
        env=environment,
        check=True,
        timeout=60,
    )
    output = b""
    while b"none): " not in output:
        output += os.read(ours, 1000)
    os.close(ours)
    os.close(theirs)

    assert ended.stdout == b"steven\n"
    assert b"CM\r\n  (empty: none): " in output


def test_the_question_says_what_a_refresh_costs(lab: Lab, plan: Path, remediate: Remediate, tmp_path: Path) -> None:
    without = tmp_path / "without.json"
    remediate("plan", "-i", lab.inventory, "--approve-file", lab.approvals, "--no-refresh", "-q", "-o", without)

    question = answer_on_terminal("no", "apply", plan, "-i", lab.inventory).err
    question_without = answer_on_terminal("no", "apply", without, "-i", lab.inventory).err

    price = "Discovery is refreshed last, after all peers are done. Sign-in over MRA is down for 5 to 45 seconds while it runs."
    assert (price in question, price in question_without) == (True, False)
    assert ("discovery of 2 publishers to refresh" in question, "publisher" in question_without) == (True, False)


def test_the_question_says_what_a_diagnostic_log_costs(lab: Lab, plan: Path) -> None:
    ended = answer_on_terminal("no", "apply", plan, "-i", lab.inventory, "--diagnostic-log")
    assert ended.code == 7
    assert "for three minutes" in ended.err
    assert "replaces the last one" in ended.err


def test_without_a_terminal_yes_is_named(remediate: Remediate, lab: Lab, plan: Path) -> None:
    request_count = len(lab.requests)
    commands = [("apply", plan), ("workaround", "on"), ("workaround", "off")]

    ended = [remediate(*command, "-i", lab.inventory) for command in commands]

    assert [result.code for result in ended] == [7, 7, 7]
    assert all("--yes" in result.err for result in ended)
    assert len(lab.requests) == request_count


@pytest.mark.parametrize("command", ["apply", "workaround"])
def test_no_input_counts_as_no_terminal(command: str, lab: Lab, plan: Path) -> None:
    argument = plan if command == "apply" else "on"
    request_count = len(lab.requests)

    ended = answer_on_terminal("yes", command, argument, "-i", lab.inventory, "--no-input")

    assert (ended.code, "--yes" in ended.err) == (7, True)
    assert len(lab.requests) == request_count


def test_a_dry_run_of_the_workaround_asks_and_writes_nothing(lab: Lab, remediate: Remediate) -> None:
    writes = len(lab.requests.writes)

    ended = remediate("workaround", "on", "-i", lab.inventory, "--dry-run", "--json", "--no-input")

    (cluster,) = ended.document["clusters"]
    assert (ended.code, ended.document["dry_run"]) == (0, True)
    assert [(peer["verification"], peer["changed"]) for peer in cluster["peers"]] == [(True, False)] * 3
    assert ended.err.count("Would ") == 3
    assert len(lab.requests.writes) == writes


def test_a_declined_workaround_writes_nothing(lab: Lab) -> None:
    writes = len(lab.requests.writes)

    ended = answer_on_terminal("on", "workaround", "on", "-i", lab.inventory)

    assert (ended.code, ended.out) == (7, "")
    assert "Turn certificate verification off on 3 peers of edge-lab?" in ended.err
    assert all(f"edge-lab: {peer.address}: verification is on, to be turned off" in ended.err for peer in lab.peers)
    assert len(lab.requests.writes) == writes


def test_a_cluster_that_cannot_be_read_is_not_asked_about(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = lab.inventory.with_name("wrong-password.yml")
    wrong.write_text(lab.inventory.read_text().replace("{file: secrets/expressway}", "{env: WRONG}"))
    monkeypatch.setenv("WRONG", "not-the-password")
    refused = len([request for request in lab.requests if not request.authorised])

    ended = answer_on_terminal("yes", "workaround", "on", "-i", wrong)

    assert (ended.code, "Type yes" in ended.err) == (1, False)
    assert len([request for request in lab.requests if not request.authorised]) == refused + 1


def test_the_answer_yes_switches(tmp_path: Path) -> None:
    with Lab(tmp_path / "lab", scenario="healthy", judge=False) as healthy:
        on = answer_on_terminal("yes", "workaround", "on", "-i", healthy.inventory, "--json")
        off = answer_on_terminal("yes", "workaround", "off", "-i", healthy.inventory, "--json")

    assert (on.code, off.code) == (0, 0)
    assert [peer["verification"] for peer in on.document["clusters"][0]["peers"]] == [False, False, False]
    assert [peer["changed"] for peer in off.document["clusters"][0]["peers"]] == [True, True, True]
    assert "Turn certificate verification on on 3 peers of edge-lab?" in off.err


@pytest.mark.parametrize("arguments", [("restart", "--all"), ("workaround", "on")], ids=" ".join)
def test_what_stops_a_question_is_a_document(arguments: tuple[str, ...], lab: Lab) -> None:
    # Given two clusters, one of which refuses the login
    start, cluster = lab.inventory.read_text().split("clusters:\n")
    refused = cluster.replace("edge-lab", "edge-other").replace("secrets/expressway", "secrets/axl")
    inventory = lab.directory / "two.yml"
    inventory.write_text(f"{start}clusters:\n{cluster}{refused}")

    writes = len(lab.requests.writes)

    ended = answer_on_terminal("yes", *arguments, "-i", inventory, "--json", "-q")

    codes = [(cluster["cluster"], cluster["exit_code"]) for cluster in ended.document["clusters"]]
    assert codes == [("edge-lab", 0), ("edge-other", 1)]
    assert (ended.code, ended.document["exit_code"], ended.document["dry_run"]) == (1, 1, False)
    check_output([*arguments, "--json"], ended.out)
    assert "Type yes" not in ended.err
    assert len(lab.requests.writes) == writes
