"""Work in several processes: every item has one outcome, and no process outlives the work."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from remediate.machine.processes import ProcessEnded, Work, work_in_processes
from remediate.model.errors import ObservationError, RemediateError
from remediate.model.secret import Secret

PAIR = threading.Barrier(2)


class Stubborn(Exception):
    """An exception that cannot be pickled."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()


def double(item: int, note: Callable[[str], None]) -> int:
    """Say what comes, and return it twice."""
    note(f"doubling {item}")
    return 2 * item


def die_on_zero(item: int, _note: object) -> int:
    """End this process for the item 0."""
    if item == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def meet(_item: int, _note: object) -> int:
    """Wait until another thread of this process does the same."""
    return PAIR.wait(60)


def refuse(item: int, _note: object) -> None:
    """Raise an error that quotes a password."""
    password = Secret("correct horse").reveal()
    match item:
        case 0:
            raise Stubborn
        case 1:
            raise ObservationError(f"it said {password}.")
        case _:
            raise ValueError(password)


def run(work: Work[int, object, str], items: list[int]) -> tuple[dict[int, object], list[str]]:
    """Return the outcome of each item by its number, and the notes."""
    outcomes: dict[int, object] = {}
    notes: list[str] = []
    work_in_processes(work, items, outcomes.__setitem__, notes.append)
    return outcomes, notes


def test_each_item_has_its_result_and_notes() -> None:
    outcomes, notes = run(Work(double, processes=2), [5, 6, 7])

    assert outcomes == {0: 10, 1: 12, 2: 14}
    assert sorted(notes) == ["doubling 5", "doubling 6", "doubling 7"]
    assert multiprocessing.active_children() == []


def test_a_killed_process_costs_its_item_alone() -> None:
    outcomes, _ = run(Work(die_on_zero, processes=1), [1, 0, 1, 1])

    assert outcomes.pop(1) == ProcessEnded(-signal.SIGKILL)
    # Then another process did the rest
    assert [outcomes[number] == outcomes[0] for number in (2, 3)] == [False, False]
    assert outcomes[2] == outcomes[3]


def test_a_process_works_on_as_many_items_as_it_may() -> None:
    outcomes, _ = run(Work(meet, processes=1, at_once=2), [0, 0])

    assert sorted(outcomes.values(), key=str) == [0, 1]


@pytest.mark.parametrize(
    ("item", "kind", "text"), [(1, ObservationError, "it said"), (0, RuntimeError, "Stubborn"), (2, RuntimeError, "ValueError")]
)
def test_an_error_is_raised_with_its_traceback(item: int, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text) as raised:
        run(Work(refuse, processes=2), [item])

    [note] = raised.value.__notes__
    assert "in refuse" in note
    assert "correct horse" not in f"{raised.value}{note}"
    assert multiprocessing.active_children() == []


def test_no_process_imports_from_the_working_directory(tmp_path: Path) -> None:
    # Given a folder with a file that is called like a module of Python
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "pickle.py").write_text("open('../imported', 'w')")
    program = tmp_path / "program.py"
    program.write_text(
        "import operator\n"
        "from remediate.machine.processes import Work, work_in_processes\n"
        "if __name__ == '__main__':\n"
        "    work_in_processes(Work(operator.is_not, processes=1), [1], print, print)\n"
    )

    ended = subprocess.run(
        [sys.executable, program], cwd=tmp_path / "here", capture_output=True, text=True, check=False, timeout=60
    )

    assert (ended.stdout, ended.stderr, (tmp_path / "imported").exists()) == ("0 True\n", "", False)


def test_programs_get_the_environment_of_the_parent() -> None:
    outcomes: dict[int, object] = {}

    work_in_processes(Work(look_up, processes=1), ["PYTHONSAFEPATH"], outcomes.__setitem__, print)

    assert outcomes == {0: os.environ.get("PYTHONSAFEPATH")}


def look_up(name: str, _note: object) -> str | None:
    """Return a variable of this process."""
    return os.environ.get(name)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="sees processes in /proc")
def test_a_process_ends_where_its_parent_is_gone(tmp_path: Path) -> None:
    # Given a parent whose child waits without end
    program = (
        "from tests.machine.test_processes import Work, report, work_in_processes\n"
        f"work_in_processes(Work(report, processes=1), [{str(tmp_path / 'child')!r}], print, print)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program]) as parent:
        deadline = time.monotonic() + 60
        while not (tmp_path / "child").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        child = int((tmp_path / "child").read_text())

        parent.kill()

    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(child)


def report(path: str, _note: object) -> None:
    """Write the number of this process to a file, and wait without end."""
    temporary = Path(f"{path}.new")
    temporary.write_text(str(os.getpid()))
    temporary.rename(path)
    threading.Event().wait()


def is_running(number: int) -> bool:
    """Return whether a process is there and not only its exit code (proc_pid_stat(5))."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_limit_on_processes_is_one_sentence() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = os.open(os.devnull, os.O_RDONLY)
    resource.setrlimit(resource.RLIMIT_NOFILE, (held + 1, hard))
    try:
        with pytest.raises(RemediateError, match=r"Another process cannot be started: Too many open files\.") as error:
            work_in_processes(Work(double, 2), [1, 2], lambda _number, _outcome: None, lambda _note: None)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        os.close(held)
    assert "ulimit" in error.value.next_step
    assert not multiprocessing.active_children()
