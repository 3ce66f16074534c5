"""``python -m remediate.lab DIRECTORY``: a lab in a process of its own, until it is told to stop. `remediate lab up` starts it."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from remediate.lab.control import Control, remove_state
from remediate.lab.errors import LabError
from remediate.lab.lab import Lab
from remediate.lab.process import hold_lock

_RESTART_S = 8.0
"""Far less than a real peer takes, and long enough to be seen by who looks every few seconds."""


def main(arguments: list[str]) -> int:
    """Serve a lab until SIGTERM, SIGINT or its control says stop. Returns the exit code."""
    options = _parse(arguments)
    directory: Path = options.directory
    directory.mkdir(parents=True, exist_ok=True)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: ended.set())
    try:
        with hold_lock(directory), Lab(directory, options.scenario) as lab:
            lab.faults.restart_s = _RESTART_S
            Control(lab, ended.set).start()
            _say_ready(options.ready_fd, lab)
            ended.wait()
            remove_state(directory)
    except LabError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m remediate.lab", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--scenario", default="story")
    parser.add_argument("--ready-fd", type=int, help="where to write a line once the lab is ready; default: stdout")
    return parser.parse_args(arguments)


def _say_ready(descriptor: int | None, lab: Lab) -> None:
    if descriptor is None:
        sys.stdout.write(f"ready: {lab.inventory}\n")
        sys.stdout.flush()
    else:
        os.write(descriptor, b"ready\n")
        os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
