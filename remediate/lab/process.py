"""Lab in a process of its own: start, find, query and stop it. A lab is identified by its directory."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remediate.lab.errors import LabError
from remediate.lab.requestlog import Request
from remediate.lab.scenarios import scenario_named
from remediate.lab.verdict import JudgeAnswer, JudgeName

STATE_FILE = "lab.json"
TOKEN_HEADER = "X-Lab-Token"
_LOCK_FILE = "lab.lock"
_LOG_FILE = "lab.log"
_STOP_S = 20.0
_ANSWER_S = 120.0


@dataclass(frozen=True, slots=True)
class LabStatus:
    """A running lab.

    Attributes:
        approvals: File with the self-signed certificates' fingerprints, as read on the nodes' own consoles.
        judge: ``traffic_server`` or ``openssl``.
    """

    scenario: str
    summary: str
    inventory: Path
    approvals: Path
    peers: tuple[str, ...]
    judge: JudgeName


def up(directory: Path, scenario: str = "story", like: Path | None = None) -> RemoteLab:
    """Start a lab in a process that outlives this one; returns when it is ready.

    With `like`, a file with a recording, its peers answer in the recorded forms.

    Raises:
        LabError: There is no such scenario, a lab runs in this directory already, or it did not start (the message quotes its log).
    """
    scenario_named(scenario)
    log = _log_in(directory)
    if is_running(directory):
        raise LabError(f"A lab is running in {directory} already.", next_step="Use it, or stop it with `remediate lab down`.")
    reading, writing = os.pipe()
    command = [sys.executable, "-P", "-m", "remediate.lab", str(directory), "--scenario", scenario, "--ready-fd", str(writing)]
    command += ["--like", str(like.resolve())] if like else []
    with log.open("wb") as log_file:
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log_file, stderr=log_file, pass_fds=[writing], start_new_session=True
        )
    os.close(writing)
    with os.fdopen(reading, "rb") as ready:
        # The pipe closes without a line if the process ends before it is ready.
        if not ready.readline():
            raise LabError(f"The lab did not start: {_last_log_line(directory)}")
    return connect(directory)


def _log_in(directory: Path) -> Path:
    log = directory / _LOG_FILE
    try:
        directory.mkdir(parents=True, exist_ok=True)
        log.touch()
    except OSError as error:
        raise LabError(
            f"The lab cannot use the folder {directory}: {error.strerror}.", next_step="Give another with --directory."
        ) from error
    return log


def down(directory: Path) -> bool:
    """Stop the lab in this directory, wait until it is gone, and return whether there was one.

    Raises:
        LabError: The lab does not stop.
    """
    if not is_running(directory):
        return False
    connect(directory).stop()
    deadline = time.monotonic() + _STOP_S
    while is_running(directory):
        if time.monotonic() > deadline:
            raise LabError(f"The lab in {directory} does not stop.", next_step=f"See {directory / _LOG_FILE}.")
        time.sleep(0.02)
    return True


def status(directory: Path) -> LabStatus | None:
    """Return the status of the lab in this directory; None if none runs."""
    return connect(directory).status() if is_running(directory) else None


def connect(directory: Path) -> RemoteLab:
    """Return the running lab in this directory. Raises LabError if there is none."""
    # The file alone proves nothing: a lab that was killed leaves it behind.
    if not is_running(directory):
        raise LabError(f"No lab is running in {directory}.", next_step="Start one with `remediate lab up`.")
    state = json.loads((directory / STATE_FILE).read_text())
    return RemoteLab(directory, state["address"], state["port"], state["token"])


class RemoteLab:
    """A lab in another process."""

    def __init__(self, directory: Path, address: str, port: int, token: str) -> None:
        self.directory = directory
        self._address = (address, port)
        self._token = token

    @property
    def inventory(self) -> Path:
        """Path of its inventory."""
        return self.directory / "inventory.yml"

    def status(self) -> LabStatus:
        """Return the lab's status."""
        fields = self._call("GET", "/status")
        fields["inventory"], fields["approvals"] = Path(fields["inventory"]), Path(fields["approvals"])
        return LabStatus(**{**fields, "peers": tuple(fields["peers"])})

    def ask(self, peer: int, address: str, port: int) -> JudgeAnswer:
        """Ask for one endpoint through one peer, as `Lab.ask`."""
        return JudgeAnswer(**self._call("POST", "/ask", {"peer": peer, "address": address, "port": port}))

    def ask_all(self) -> dict[tuple[str, str, int], JudgeAnswer]:
        """Ask for every endpoint through every peer, as `Lab.ask_as_client`."""
        rows = self._call("POST", "/ask-all")
        return {(row["peer"], row["address"], row["port"]): JudgeAnswer(**row["answer"]) for row in rows}

    def requests(self) -> tuple[Request, ...]:
        """Return the requests to its peers so far, in order."""
        return tuple(Request(**row) for row in self._call("GET", "/requests"))

    def stop(self) -> None:
        """Request the lab to stop; `down` also waits until it has."""
        self._call("POST", "/stop")

    def _call(self, method: str, path: str, body: dict[str, object] | None = None) -> Any:
        connection = http.client.HTTPConnection(*self._address, timeout=_ANSWER_S)
        headers = {TOKEN_HEADER: self._token, "Content-Type": "application/json"}
        try:
            connection.request(method, path, json.dumps(body or {}), headers)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise LabError(f"The lab in {self.directory} does not answer: {error}.") from error
        finally:
            connection.close()
        if answer.status != 200:
            raise LabError(f"The lab in {self.directory} answered {path} with {answer.status}.")
        return json.loads(text)


def is_running(directory: Path) -> bool:
    """Return whether a process holds the lock of this directory, which the kernel releases however that process ends."""
    lock = directory / _LOCK_FILE
    if not lock.exists():
        return False
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextlib.contextmanager
def hold_lock(directory: Path) -> Iterator[None]:
    """Hold the lock of this directory. Raises LabError if another process does."""
    with (directory / _LOCK_FILE).open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LabError(f"A lab is running in {directory} already.") from error
        yield


def _last_log_line(directory: Path) -> str:
    lines = (directory / _LOG_FILE).read_text(errors="replace").splitlines()
    return lines[-1] if lines else "it said nothing."
