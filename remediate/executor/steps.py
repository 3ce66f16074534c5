"""The numbered steps of a run, and which may follow which. An order that is not in the table cannot be walked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum


class Step(IntEnum):
    """The steps as `remediate.executor.apply` numbers them."""

    LOCK = 1
    RE_READ = 2
    COMPARE = 3
    BACK_UP = 4
    INTENT = 5
    WRITE = 6
    READ_BACK = 7
    NEXT_PEER = 8
    CIPHERS = 9
    REFRESH = 10
    RESTART = 11
    VERIFY = 12
    CLOSE = 13

    @property
    def words(self) -> str:
        """What the step does, for a person."""
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
    Step.REFRESH: "refresh discovery",
    Step.RESTART: "restart if needed",
    Step.VERIFY: "verify every endpoint against every peer",
    Step.CLOSE: "close",
}

# Every step may be followed by CLOSE: a run can stop anywhere, and closing is what says so in the journal.
MAY_FOLLOW: Mapping[Step | None, frozenset[Step]] = {
    None: frozenset({Step.LOCK}),
    Step.LOCK: frozenset({Step.RE_READ}),
    Step.RE_READ: frozenset({Step.COMPARE}),
    # Nothing to do goes straight to verification. Later, every peer is compared once more right before its first write.
    Step.COMPARE: frozenset({Step.BACK_UP, Step.VERIFY, Step.INTENT, Step.NEXT_PEER}),
    Step.BACK_UP: frozenset({Step.COMPARE}),
    Step.INTENT: frozenset({Step.WRITE}),
    Step.WRITE: frozenset({Step.READ_BACK}),
    Step.READ_BACK: frozenset({Step.INTENT, Step.NEXT_PEER, Step.REFRESH, Step.RESTART, Step.VERIFY}),
    Step.NEXT_PEER: frozenset({Step.COMPARE, Step.CIPHERS}),
    Step.CIPHERS: frozenset({Step.INTENT, Step.REFRESH}),
    Step.REFRESH: frozenset({Step.INTENT, Step.RESTART}),
    Step.RESTART: frozenset({Step.INTENT, Step.VERIFY}),
    Step.VERIFY: frozenset(),
    Step.CLOSE: frozenset(),
}


class Walk:
    """Where a run is. `enter` refuses an order that the table does not allow: that would be our bug, so a RuntimeError.

    Args:
        before_each: called before a step is entered: the place to stop when a person asked for it.
        after_each: called with the step that was entered: events, the lock's heartbeat.
    """

    def __init__(self, before_each: Callable[[Step], None], after_each: Callable[[Step], None]) -> None:
        self.at: Step | None = None
        self._before_each = before_each
        self._after_each = after_each

    def enter(self, step: Step) -> None:
        """Go on to `step`."""
        closing = step is Step.CLOSE and self.at not in {None, Step.CLOSE}
        if not closing and step not in MAY_FOLLOW[self.at]:
            raise RuntimeError(f"step {step.value} ({step.words}) must not follow step {self.at}")
        self._before_each(step)
        self.at = step
        self._after_each(step)
