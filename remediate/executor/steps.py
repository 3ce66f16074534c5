"""The numbered steps of a run, the order in which they may follow each other, and the events that a run emits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from remediate.executor.boundary import place_of
from remediate.model.errors import RemediateError
from remediate.model.events import Event, Sink


class Step(IntEnum):
    """The steps, as `remediate.executor.apply` numbers them."""

    LOCK = 1
    RE_READ = 2
    COMPARE = 3
    BACK_UP = 4
    INTENT = 5
    WRITE = 6
    READ_BACK = 7
    NEXT_PEER = 8
    CIPHERS = 9
    RESTART = 10
    REFRESH = 11
    VERIFY = 12
    CLOSE = 13

    @property
    def words(self) -> str:
        """The step in words."""
        return _WORDS[self]


_WORDS: Mapping[Step, str] = {
    Step.LOCK: "lock the cluster",
    Step.RE_READ: "re-read every peer",
    Step.COMPARE: "compare with what the plan was made from",
    Step.BACK_UP: "back up",
    Step.INTENT: "journal the intent and its inverse",
    Step.WRITE: "write",
    Step.READ_BACK: "read back",
    Step.NEXT_PEER: "next peer",
    Step.CIPHERS: "ciphers on the primary, then wait for replication",
    Step.RESTART: "restart if needed",
    Step.REFRESH: "refresh discovery",
    Step.VERIFY: "verify every endpoint against every peer",
    Step.CLOSE: "close",
}

# CLOSE may follow every step: a run can stop anywhere, and the journal then records it.
MAY_FOLLOW: Mapping[Step | None, frozenset[Step]] = {
    None: frozenset({Step.LOCK}),
    Step.LOCK: frozenset({Step.RE_READ}),
    Step.RE_READ: frozenset({Step.COMPARE}),
    # A plan without anything to do goes to VERIFY. Every peer is compared once more right before its first write.
    Step.COMPARE: frozenset({Step.BACK_UP, Step.VERIFY, Step.INTENT, Step.NEXT_PEER}),
    Step.BACK_UP: frozenset({Step.COMPARE}),
    Step.INTENT: frozenset({Step.WRITE}),
    Step.WRITE: frozenset({Step.READ_BACK}),
    Step.READ_BACK: frozenset({Step.INTENT, Step.NEXT_PEER, Step.RESTART, Step.REFRESH, Step.VERIFY}),
    Step.NEXT_PEER: frozenset({Step.COMPARE, Step.CIPHERS}),
    Step.CIPHERS: frozenset({Step.INTENT, Step.RESTART}),
    Step.RESTART: frozenset({Step.INTENT, Step.REFRESH}),
    Step.REFRESH: frozenset({Step.INTENT, Step.VERIFY}),
    Step.VERIFY: frozenset(),
    Step.CLOSE: frozenset(),
}


class StepSequence:
    """The position of a run in its steps.

    Args:
        before_each: Called before a step is entered; raises to stop there.
        after_each: Called with the step that was entered: events, the lock's heartbeat.
    """

    def __init__(self, before_each: Callable[[Step], None], after_each: Callable[[Step], None]) -> None:
        self.current: Step | None = None
        self._before_each = before_each
        self._after_each = after_each

    def enter(self, step: Step) -> None:
        """Enter `step`.

        Raises:
            RuntimeError: `MAY_FOLLOW` does not allow it, which is a bug.
        """
        is_closing = step is Step.CLOSE and self.current not in {None, Step.CLOSE}
        if not is_closing and step not in MAY_FOLLOW[self.current]:
            raise RuntimeError(f"step {step.value} ({step.words}) must not follow step {self.current}")
        self._before_each(step)
        self.current = step
        self._after_each(step)


@dataclass(slots=True)
class RunEvents:
    """The events of a run on one cluster, with the run's id as soon as there is one.

    Attributes:
        trouble: Why no more events are sent; empty: all were. The journal and the result hold the same facts.
    """

    sink: Sink
    cluster: str
    run: str = ""
    trouble: str = ""

    def emit(self, kind: str, message: str, /, **fields: str | int | bool | None) -> None:
        """Emit one event."""
        common: dict[str, str | int | bool | None] = {"run": self.run} if self.run else {}
        self.forward(Event(kind, message, self.cluster, common | fields))

    def emit_step(self, step: Step) -> None:
        """Emit the beginning of a step."""
        self.emit("step", f"{step.value} {step.words}", step=step.value)

    def forward(self, event: Event) -> None:
        """Pass one event to the sink; a sink that failed gets no more."""
        if self.trouble:
            return
        try:
            self.sink(event)
        except RemediateError:
            raise
        except Exception as error:  # noqa: BLE001 - a run does not end half-way because its events cannot be shown
            self.trouble = f"Progress is no longer reported: {place_of(error)}."
