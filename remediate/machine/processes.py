"""Work in several processes, each with some pieces of it at a time: the threads of one process compute one after another.

Processes are started anew (`spawn`), talk over socket pairs, and never get Ctrl-C: the process that started them ends them. They end
by themselves where it is gone. They import nothing from the folder that they are started in.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from remediate.machine.core_dumps import forbid_core_dumps
from remediate.model.errors import RemediateError
from remediate.model.masking import mask

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

Item = TypeVar("Item")
Result = TypeVar("Result")
Note = TypeVar("Note")

_SAFE_PATH = "PYTHONSAFEPATH"


@dataclass(frozen=True, slots=True)
class ProcessEnded:
    """The process that worked on an item ended before it was done.

    Attributes:
        status: Its exit status; the negative number of the signal that killed it.
    """

    status: int | None


@dataclass(frozen=True, slots=True)
class Work(Generic[Item, Result, Note]):
    """Work on items, which is sent to each process once.

    Attributes:
        do: Returns the result of an item; what it calls its second argument with is passed on. Has to be picklable, as items,
            results and notes are.
        processes: How many processes there are.
        at_once: On how many items each works at a time.
    """

    do: Callable[[Item, Callable[[Note], None]], Result]
    processes: int
    at_once: int = 1


def count_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def work_in_processes(
    work: Work[Item, Result, Note],
    items: Sequence[Item],
    take: Callable[[int, Result | ProcessEnded], None],
    note: Callable[[Note], None],
) -> None:
    """Do `work` on every item, and give each result to `take`, with the number of its item, as soon as it is there.

    An item whose process was killed is not tried again; the items that no process had begun go to a new process.

    Raises:
        RemediateError: A process could not be started.
        Exception: What `work` raised. In either case all processes have been ended.
    """
    with _open_workers(work, len(items)) as workers:
        waiting = deque(enumerate(items))
        workers.hand_out(waiting)
        while workers.are_busy:
            for worker in workers.wait():
                message = worker.receive()
                if message is None:
                    ended = workers.bury(worker)
                    for number in sorted(worker.numbers):
                        take(number, ended)
                    workers.start(min(1, len(waiting)))
                elif message.kind == "note":
                    note(message.value)
                elif message.kind == "failure":
                    raise message.value
                else:
                    worker.numbers.discard(message.number)
                    take(message.number, message.value)
            workers.hand_out(waiting)


@dataclass(frozen=True, slots=True)
class _Message:
    """A message of a child: a note, a result, or an exception that nothing caught."""

    kind: str
    number: int
    value: Any


@dataclass(eq=False, slots=True)
class _Worker:
    """A process, this end of its connection, and the numbers of the items that it works on."""

    process: BaseProcess
    connection: Connection
    numbers: set[int] = field(default_factory=set)

    def send(self, number: int, item: object) -> None:
        """Send an item. A process that is gone is noticed when it is listened to."""
        self.numbers.add(number)
        with suppress(OSError):
            self.connection.send((number, item))

    def receive(self) -> _Message | None:
        """Return the next message; None where the process is gone."""
        try:
            message: _Message = self.connection.recv()
        except (EOFError, OSError):
            return None
        return message


class _Workers:
    def __init__(self, work: Work[Any, Any, Any]) -> None:
        self._work = work
        self._workers: list[_Worker] = []

    @property
    def are_busy(self) -> bool:
        """Whether any item is worked on."""
        return any(worker.numbers for worker in self._workers)

    def start(self, number: int) -> None:
        """Start so many processes. Raises RemediateError where the system allows no more."""
        for _ in range(number):
            try:
                self._start_one()
            except OSError as error:
                raise RemediateError(
                    f"Another process cannot be started: {error.strerror}.",
                    next_step="Raise this user's limits (ulimit -n, ulimit -u), or choose fewer with -c. Nothing was changed.",
                ) from error

    def _start_one(self) -> None:
        from multiprocessing import get_context

        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._work, os.environ.get(_SAFE_PATH)), daemon=True)
        with _working_directory_left_out():
            _start_tracker()
            with _interrupts_held_back():
                process.start()
                theirs.close()
                self._workers.append(_Worker(process, ours))

    def hand_out(self, waiting: deque[tuple[int, Any]]) -> None:
        """Send items until every process has enough of them."""
        while waiting:
            idlest = min(self._workers, key=lambda worker: len(worker.numbers))
            if len(idlest.numbers) >= self._work.at_once:
                return
            idlest.send(*waiting.popleft())

    def wait(self) -> list[_Worker]:
        """Wait until a process has sent something or is gone, and return those."""
        from multiprocessing.connection import wait

        ready = wait([worker.connection for worker in self._workers])
        return [worker for worker in self._workers if worker.connection in ready]

    def bury(self, worker: _Worker) -> ProcessEnded:
        """Forget a process that is gone, and return how it ended."""
        self._workers.remove(worker)
        worker.connection.close()
        worker.process.join()
        return ProcessEnded(worker.process.exitcode)

    def dismiss(self) -> None:
        """Let every process end by itself, and wait for that."""
        for worker in self._workers:
            with suppress(OSError):
                worker.connection.send(None)
        for worker in self._workers:
            worker.process.join()
            worker.connection.close()

    def kill(self) -> None:
        """End every process at once."""
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join()
            worker.connection.close()


@contextmanager
def _open_workers(work: Work[Any, Any, Any], items: int) -> Iterator[_Workers]:
    workers = _Workers(work)
    try:
        workers.start(min(work.processes, items))
        yield workers
    except BaseException:
        workers.kill()
        raise
    workers.dismiss()


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Hold Ctrl-C back until the end: a process that starts meanwhile never gets it, and this one then does, where it came."""
    if not hasattr(signal, "pthread_sigmask") or threading.current_thread() is not threading.main_thread():
        yield
        return
    interrupts: list[int] = []
    # The mask is inherited by the new process; the handler is for an interrupt that another thread of this process gets.
    handler = signal.signal(signal.SIGINT, lambda number, _frame: interrupts.append(number))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        signal.signal(signal.SIGINT, handler)
        if interrupts:
            signal.raise_signal(signal.SIGINT)


def _start_tracker() -> None:
    """Start the process that `spawn` starts before the first child: doing so lets Ctrl-C through, held back or not."""
    if hasattr(signal, "pthread_sigmask"):
        from multiprocessing.resource_tracker import ensure_running

        ensure_running()


@contextmanager
def _working_directory_left_out() -> Iterator[None]:
    """Start Python so that a file of the working directory never takes the place of a module: `spawn` runs it with ``-c``."""
    earlier = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        _restore_safe_path(earlier)


def _restore_safe_path(earlier: str | None) -> None:
    if earlier is None:
        os.environ.pop(_SAFE_PATH, None)
    else:
        os.environ[_SAFE_PATH] = earlier


def _serve(connection: Connection, work: Work[Any, Any, Any], safe_path: str | None) -> None:
    """Work on what comes over `connection` until nothing more does; programs get the environment of the parent."""
    from concurrent.futures import ThreadPoolExecutor

    _restore_safe_path(safe_path)
    forbid_core_dumps()
    signal.signal(signal.SIGINT, lambda _number, _frame: None)
    if hasattr(signal, "pthread_sigmask"):
        # A program that this process runs, such as a password command, gets Ctrl-C again.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    lock = threading.Lock()

    def send(message: _Message) -> None:
        with lock:
            connection.send(message)

    def do(number: int, item: object) -> None:
        try:
            send(_Message("result", number, work.do(item, lambda value: send(_Message("note", number, value)))))
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised where the work was ordered
            send(_Message("failure", number, _make_picklable(error)))

    with ThreadPoolExecutor(work.at_once, thread_name_prefix="item") as pool:
        while True:
            try:
                message = connection.recv()
            except (EOFError, OSError):
                # The process that ordered the work is gone; what is under way is of no use.
                os._exit(1)
            if message is None:
                return
            pool.submit(do, *message)


def _make_picklable(error: BaseException) -> BaseException:
    """Return `error` with its traceback as a note, or another with its name that can be sent and holds no secret.

    The process that receives it may not know the secret, and so could not mask it.
    """
    note = mask("".join(traceback.format_exception(error)))
    text = "".join(traceback.format_exception_only(error))
    if mask(text) != text or not _is_picklable(error):
        error = RuntimeError(type(error).__name__)
    error.add_note(note)
    return error


def _is_picklable(error: BaseException) -> bool:
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - what was pickled here
    except Exception:  # noqa: BLE001 - any class may refuse in its own manner
        return False
    return True
