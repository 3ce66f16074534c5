"""What a command costs, all its processes together; it is started by a process that has no other children."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path

BETWEEN_LOOKS_S = 0.25


@dataclass(frozen=True, slots=True)
class Spent:
    """What a command spent.

    Attributes:
        megabytes: The peak of its largest process.
        busiest_s: The CPU seconds of its busiest process. With a core for each process, the command takes hardly longer: this says how
            the work is spread also where the walls of a busy machine say nothing.
    """

    wall_s: float
    cpu_s: float
    megabytes: float
    busiest_s: float


def describe(every: Spent, alone: Spent, fewer: Spent, load: float) -> str:
    """Describe what a command spent on all cores, on one, and with a quarter of the work."""
    return (
        f"{every.wall_s:.1f} s wall, {every.cpu_s:.1f} s CPU, {every.busiest_s:.1f} s of it in the busiest process; "
        f"on one core {alone.wall_s:.1f} s wall, {alone.cpu_s:.1f} s CPU; ratio of walls {alone.wall_s / every.wall_s:.1f} "
        f"(load {load:.0f} before), of CPU to the busiest {every.cpu_s / every.busiest_s:.1f}; "
        f"{every.megabytes:.0f} MB a process, {fewer.megabytes:.0f} MB for a quarter of them"
    )


def measure(command: Sequence[str], cores: set[int] | None = None, exit_code: int = 0) -> Spent:
    """Run a command, on some cores or on all, and return what it spent.

    Raises where it ends with another exit code, or says anything on stderr.
    """
    # As it is installed: with its byte code, which the first run writes.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.measured", str(exit_code), *command],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
        preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None,
    )
    assert result.stderr == ""
    return Spent(*map(float, result.stdout.split()))


def _run(command: Sequence[str], exit_code: int) -> Spent:
    started = time.monotonic()
    busiest_s = 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        while process.poll() is None:
            busiest_s = max([busiest_s, *_list_cpu_seconds(process.pid)])
            with suppress(subprocess.TimeoutExpired):
                process.wait(BETWEEN_LOOKS_S)
    assert process.returncode == exit_code
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = spent.ru_utime + spent.ru_stime
    return Spent(time.monotonic() - started, cpu_s, spent.ru_maxrss / 1024, max(busiest_s, 1 / os.sysconf("SC_CLK_TCK")))


def _list_cpu_seconds(group: int) -> list[float]:
    """Return what each process of a group has spent so far (proc_pid_stat(5): group, utime, stime)."""
    seconds = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[2]) == group:
                seconds.append((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))
    return seconds


if __name__ == "__main__":
    print(*astuple(_run(sys.argv[2:], int(sys.argv[1]))))
