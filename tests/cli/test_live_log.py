"""`diagnose --for` on the lab: it asks, records, stops whatever happens, and says the same as of files."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from remediate.executor.left_logging import find_left_logging
from remediate.lab import Lab
from remediate.lab.faults import LoggingFault, Substitute
from remediate.model.limits import Limits
from tests.cli.conftest import Remediate, answer_on_terminal


@pytest.fixture
def limits() -> Limits:
    """How long the command lines wait here."""
    return Limits(diagnostic_log_poll_s=0.05, diagnostic_log_ready_s=0.5, write_seen_s=0.3, read_attempts=1)


@pytest.fixture
def logging_lab(lab: Lab) -> Iterator[Lab]:
    """Yield the lab, whose logging is off before and after."""
    lab.requests.clear()
    lab.diagnostics.forget()
    yield lab
    lab.faults.clear()
    lab.diagnostics.forget()


def test_a_recording_finds_what_clients_get_meanwhile(remediate: Remediate, logging_lab: Lab, tmp_path: Path) -> None:
    def ask() -> None:
        while not logging_lab.diagnostics.is_running:
            time.sleep(0.02)
        for peer in range(3):
            logging_lab.ask(peer, "imp.steven.lab", 8443)

    client = threading.Thread(target=ask)
    client.start()
    ended = remediate("diagnose", "-i", logging_lab.inventory, "--for", "1s", "--yes", "--json")
    client.join()
    assert ended.code == 0, ended.err
    (finding,) = [finding for finding in ended.document["findings"] if finding["address"] == "imp.steven.lab"]
    assert (finding["standing"], finding["cause"]) == ("refused", "self-signed-untrusted")
    assert {line["peer"] for line in finding["logged"]} == {"expc1", "expc2", "expc3"}
    assert {request.path for request in logging_lab.requests if request.write} == {"/api/provisioning/common/diagnosticlogging"}
    assert not logging_lab.diagnostics.is_running
    assert find_left_logging(tmp_path / "state") == ()


def test_without_a_terminal_and_yes_nothing_is_started(remediate: Remediate, logging_lab: Lab) -> None:
    ended = remediate("diagnose", "-i", logging_lab.inventory, "--for", "1s")
    assert ended.code == 7
    assert "--yes" in ended.err
    assert not list(logging_lab.requests)


def test_any_answer_but_yes_starts_nothing(logging_lab: Lab) -> None:
    ended = answer_on_terminal("y", "diagnose", "-i", logging_lab.inventory, "--for", "2m", "--tcpdump")
    assert ended.code == 7
    assert "Start diagnostic logging on edge-lab (3 peers in the inventory) for 2 minutes?" in ended.err
    assert "contain all packets" in ended.err
    assert not list(logging_lab.requests)


def test_the_log_of_someone_else_is_left_running(remediate: Remediate, logging_lab: Lab) -> None:
    logging_lab.diagnostics.request(logging_lab.peers[0], {"Mode": "start"})
    ended = remediate("diagnose", "-i", logging_lab.inventory, "--for", "1s", "--yes")
    assert ended.code == 5
    assert "Nothing was started" in ended.err
    assert logging_lab.diagnostics.is_running
    assert not any(request.write for request in logging_lab.requests)


def test_where_it_is_not_offered_the_page_is_named(remediate: Remediate, logging_lab: Lab) -> None:
    logging_lab.faults.logging = LoggingFault.NOT_OFFERED
    ended = remediate("diagnose", "-i", logging_lab.inventory, "--for", "1s", "--yes")
    assert ended.code == 1
    assert "Maintenance > Diagnostics > Diagnostic logging" in ended.err


def test_doctor_says_whether_a_log_can_be_recorded(remediate: Remediate, logging_lab: Lab) -> None:
    offered = " ".join(remediate("doctor", "-i", logging_lab.inventory).out.split())
    assert "recording a diagnostic log over REST" in offered
    logging_lab.faults.logging = LoggingFault.NOT_OFFERED
    by_hand = " ".join(remediate("doctor", "-i", logging_lab.inventory).out.split())
    assert "recording a diagnostic log (Maintenance > Diagnostics" in by_hand


def test_a_log_that_is_never_ready_is_reported_and_was_stopped(remediate: Remediate, logging_lab: Lab) -> None:
    logging_lab.faults.logging = LoggingFault.NEVER_READY
    ended = remediate("diagnose", "-i", logging_lab.inventory, "--for", "1s", "--yes")
    assert ended.code == 4
    assert "did not finish collecting" in " ".join(ended.out.split())
    assert not logging_lab.diagnostics.is_running


def test_a_stop_that_is_not_done_needs_a_person(remediate: Remediate, logging_lab: Lab, tmp_path: Path) -> None:
    logging_lab.faults.logging = LoggingFault.STOP_LOST
    ended = remediate("diagnose", "-i", logging_lab.inventory, "--for", "1s", "--yes")
    assert ended.code == 8
    assert "press Stop logging" in " ".join(ended.err.split())
    # and the next one ends it, and says so
    logging_lab.faults.logging = None
    again = remediate("diagnose", "-i", logging_lab.inventory, "--for", "1s", "--yes")
    assert again.code == 0
    assert "may still be running; it is stopped now" in " ".join(again.err.split())
    assert find_left_logging(tmp_path / "state") == ()


@contextmanager
def recording(logging_lab: Lab, state_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a recording of a minute as a process of its own, and yield it once logging is on."""
    arguments = ["diagnose", "-i", str(logging_lab.inventory), "--for", "60s", "--yes"]
    environment = {**os.environ, "REMEDIATE_STATE_DIR": str(state_dir)}
    process = subprocess.Popen(
        [sys.executable, "-m", "remediate", *arguments], env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        while not logging_lab.diagnostics.is_running:
            assert process.poll() is None
            time.sleep(0.05)
        time.sleep(0.2)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_the_logging_first(logging_lab: Lab, tmp_path: Path, number: signal.Signals, code: int) -> None:
    with recording(logging_lab, tmp_path) as process:
        process.send_signal(number)
        assert process.wait(20) == code
    assert not logging_lab.diagnostics.is_running
    assert find_left_logging(tmp_path) == ()


def test_what_a_killed_recording_left_is_reported(remediate: Remediate, logging_lab: Lab, tmp_path: Path) -> None:
    state_dir = tmp_path / "state"
    with recording(logging_lab, state_dir) as process:
        process.kill()
        process.wait()
    assert logging_lab.diagnostics.is_running
    (tmp_path / "empty.log").write_text("nothing\n")
    reminded = remediate("diagnose", tmp_path / "empty.log")
    assert "diagnostic logging, started from here on" in " ".join(reminded.err.split())
    ended = remediate("diagnose", "-i", logging_lab.inventory, "--for", "1s", "--yes")
    assert ended.code == 0
    assert not logging_lab.diagnostics.is_running


@pytest.mark.parametrize("arguments", [[], ["log.txt", "--for", "1m"], ["--for", "1m"], ["log.txt", "--for", "5h"]])
def test_a_command_line_that_means_nothing_is_refused(remediate: Remediate, arguments: list[str]) -> None:
    assert remediate("diagnose", *arguments).code == 64


@pytest.fixture(scope="module")
def _rest_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("rest"), "rest-account", judge=False) as lab:
        yield lab


@pytest.fixture
def rest_only(_rest_lab: Lab) -> Iterator[tuple[Lab, Path]]:
    """Yield a lab, and an inventory with its account for REST alone."""
    inventory = _rest_lab.directory / "rest-only.yml"
    text = re.sub(r"\n      rest: .*", "", _rest_lab.inventory.read_text())
    text = text.replace("username: admin", "username: api").replace("secrets/expressway", "secrets/rest")
    inventory.write_text(text)
    _rest_lab.requests.clear()
    yield _rest_lab, inventory
    _rest_lab.faults.clear()


def test_an_account_for_rest_alone_records_a_log(remediate: Remediate, rest_only: tuple[Lab, Path]) -> None:
    lab, inventory = rest_only
    ended = remediate("diagnose", "-i", inventory, "--for", "1s", "--yes", "--json")
    assert ended.code == 0, ended.err
    assert {request.path for request in lab.requests if request.write} == {"/api/provisioning/common/diagnosticlogging"}
    assert not lab.diagnostics.is_running


def test_where_rest_gives_no_alarms_no_log_is_started(remediate: Remediate, rest_only: tuple[Lab, Path]) -> None:
    lab, inventory = rest_only
    lab.faults.substitute(lab.peers[1].address, Substitute(404, b"No such location"), containing="/getxml")
    ended = remediate("diagnose", "-i", inventory, "--for", "1s", "--yes")
    assert (ended.code, [request for request in lab.requests if request.write]) == (4, [])
    assert f"The alarms of {lab.peers[1].address} could not be read" in ended.err
    assert "Maintenance > Diagnostics > Diagnostic logging" in ended.err
