"""Signals that stop a run (Ctrl-C, SIGTERM, SIGHUP): the first lets the step finish and then stops, the second stops at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from remediate.executor.result import RunResult
from remediate.executor.steps import RunEvents, Step
from remediate.machine.system import ENDING_SIGNALS
from remediate.model.errors import Interrupted
from remediate.model.exit_codes import ExitCode

_UNBROKEN = frozenset({Step.WRITE, Step.READ_BACK, Step.CLOSE})
"""Steps before which a run does not stop: between an intent and its read-back only a second signal stops it."""


class StopRequest:
    """The request to stop a run, if there was one.

    Attributes:
        signal: The signal that made it; None: there was none.
        closing: The run is being closed in the journal, and signals are ignored.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self.closing = False

    @property
    def exit_code(self) -> ExitCode:
        """The contract's exit code: 130 for Ctrl-C, 143 for SIGTERM and SIGHUP."""
        return ExitCode.TERMINATED if self.signal in ENDING_SIGNALS else ExitCode.INTERRUPTED

    def check_before(self, step: Step) -> None:
        """Raise Interrupted where the run was asked to stop and may stop before `step`."""
        if step not in _UNBROKEN:
            self.check()

    def check(self) -> None:
        """Raise Interrupted where the run was asked to stop."""
        if self.signal is not None:
            raise Interrupted("The run was interrupted and stopped after the step it was in.")


def report_interrupted(events: RunEvents, stop: StopRequest, message: str) -> RunResult:
    """Emit, and return as the result, that a run was stopped before it wrote anything."""
    events.emit("run-state", message, state="interrupted", exit_code=stop.exit_code)
    return RunResult("", "interrupted", stop.exit_code, (), has_written=False, message=message)


class ImmediateStop(KeyboardInterrupt):
    """The second signal. The next run has to find out what became of a step that is left as *intended*."""


@contextmanager
def handle_signals(warn: Callable[[str], None]) -> Iterator[StopRequest]:
    """Handle signals while the block runs.

    Outside the main thread (many clusters at once) nothing is handled here, and the caller's own handler counts.
    """
    stop = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def handle(number: int, _frame: FrameType | None) -> None:
        if stop.closing:
            return
        if stop.signal is not None:
            raise ImmediateStop
        stop.signal = number
        warn("Interrupted: finishing this step. A second interrupt stops at once; the last write must then be checked.")

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, *ENDING_SIGNALS)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
