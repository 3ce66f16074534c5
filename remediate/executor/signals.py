"""Ctrl-C, SIGTERM, and SIGHUP of a terminal that is gone: the first lets the step finish and then stops, the second stops at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from remediate.executor.steps import Step
from remediate.machine.system import ENDING_SIGNALS
from remediate.model.errors import Interrupted

_UNBROKEN = frozenset({Step.WRITE, Step.READ_BACK, Step.CLOSE})
"""Steps that an interrupt never prevents: between an intent and its read-back nothing stops but a second signal."""


class StopRequest:
    """Whether a person asked the run to stop.

    Attributes:
        closing: what is left is the line in the journal that says how it ended: no signal keeps that back any more.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self.closing = False

    @property
    def exit_code(self) -> int:
        """The contract's: 130 for Ctrl-C, 143 for SIGTERM and SIGHUP."""
        return 143 if self.signal in ENDING_SIGNALS else 130

    def check_before(self, step: Step) -> None:
        """Raise Interrupted when asked to stop and `step` is one to stop before."""
        if step not in _UNBROKEN:
            self.check()

    def check(self) -> None:
        """Raise Interrupted when asked to stop."""
        if self.signal is not None:
            raise Interrupted("The run was interrupted and stopped after the step it was in.")


class ImmediateStop(KeyboardInterrupt):
    """The second signal. What the journal says as *intended* is then for the next run to find out."""


@contextmanager
def handle_signals(warn: Callable[[str], None]) -> Iterator[StopRequest]:
    """Listen for signals while the block runs; outside the main thread (many clusters at once) the caller's own handler rules."""
    stop = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def heard(number: int, _frame: FrameType | None) -> None:
        if stop.closing:
            return
        if stop.signal is not None:
            raise ImmediateStop
        stop.signal = number
        warn("Interrupted: this step is being finished. Once more stops at once, and leaves the last write to be looked up.")

    before = {number: signal.signal(number, heard) for number in (signal.SIGINT, *ENDING_SIGNALS)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
