"""``python -m remediate.lab DIRECTORY``: a lab in a process of its own, until it is stopped. `remediate lab up` starts it."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from remediate.formats.recording import read_recording
from remediate.lab.control import Control, remove_state
from remediate.lab.errors import LabError
from remediate.lab.lab import Lab
from remediate.lab.process import hold_lock
from remediate.model.exit_codes import ExitCode

_RESTART_S = 8.0
"""Much less than a real peer takes, and long enough to be noticed by a check every few seconds."""


def main(arguments: list[str]) -> ExitCode:
    """Serve a lab until SIGTERM, SIGINT or a stop request, and return the exit code."""
    options = _parse(arguments)
    directory: Path = options.directory
    directory.mkdir(parents=True, exist_ok=True)
    stop_requested = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop_requested.set())
    try:
        like = read_recording(options.like.read_bytes()) if options.like else None
        with hold_lock(directory), Lab(directory, options.scenario, like=like) as lab:
            lab.faults.restart_s = _RESTART_S
            Control(lab, stop_requested.set).start()
            _report_ready(options.ready_fd, lab)
            stop_requested.wait()
            remove_state(directory)
    except LabError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return ExitCode.DONE


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m remediate.lab", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--scenario", default="story")
    parser.add_argument("--like", type=Path, help="a recording, in whose forms the peers answer")
    parser.add_argument("--ready-fd", type=int, help="where to write a line once the lab is ready; default: stdout")
    return parser.parse_args(arguments)


def _report_ready(descriptor: int | None, lab: Lab) -> None:
    if descriptor is None:
        sys.stdout.write(f"ready: {lab.inventory}\n")
        sys.stdout.flush()
    else:
        os.write(descriptor, b"ready\n")
        os.close(descriptor)


if __name__ == "__main__":
    _, *command_line = sys.argv
    sys.exit(main(command_line))
