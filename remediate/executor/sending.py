"""Steps 6 and 7 for one change: write once, read back, and decide from what was read, never from what was answered.

A lost answer is read for a while. At most one second attempt follows, and only when the box can be read, does not show the change, and
refused nothing. (A first request that is still on its way for longer than that would then be done twice; appending a certificate that
is there already changes nothing we know of.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from remediate.executor.operations.change import Change, Reading, Standing
from remediate.executor.ports import PeerPort
from remediate.model.errors import AccessError, ObservationError, OutcomeUnknown, RemediateError, WriteRefused
from remediate.model.limits import Limits


class ChangeFailed(RemediateError):
    """A write that the box refused, or answered and did not do, or that changed something else."""

    exit_code = 8
    default_next_step = "Read what the box answered, mend that, and run `remediate apply` again: it goes on where it stopped."


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a write.

    Attributes:
        after: what was read back.
        problem: what the box, or the way to it, said instead of yes.
    """

    after: Reading
    problem: RemediateError | None

    @property
    def lost(self) -> bool:
        """The answer never came."""
        return isinstance(self.problem, OutcomeUnknown | ObservationError)


def send(
    box: PeerPort, change: Change, read_back: Callable[[], None], *, limits: Limits, pause: Callable[[float], None]
) -> Sent:
    """Write `change` and read it back; `read_back` is called in between.

    Raises:
        OutcomeUnknown: the answer was lost and the box cannot be read either, or what was done cannot be read.
        NotOffered: the box has no such operation; nothing was sent.
    """
    problem = _write(box, change)
    read_back()
    sent = Sent(_settled(box, change, problem, limits, pause), problem)
    if sent.lost and sent.after.standing is Standing.TO_DO and change.told_by_box:
        problem = _write(box, change)
        sent = Sent(_settled(box, change, problem, limits, pause), problem)
    return sent


def _write(box: PeerPort, change: Change) -> RemediateError | None:
    try:
        change.write(box)
    except (WriteRefused, OutcomeUnknown, ObservationError, AccessError) as problem:
        return problem
    return None


def _settled(
    box: PeerPort, change: Change, problem: RemediateError | None, limits: Limits, pause: Callable[[float], None]
) -> Reading:
    """Read back; after a lost answer, look again a few times: the box may still be at it."""
    after = _read(box, change)
    looks = limits.read_attempts if isinstance(problem, OutcomeUnknown | ObservationError) else 0
    for _ in range(looks):
        if after.standing is not Standing.TO_DO or not change.told_by_box:
            break
        pause(limits.read_pause_s)
        after = _read(box, change)
    return after


def _read(box: PeerPort, change: Change) -> Reading:
    try:
        return change.read_back(box)
    except (ObservationError, AccessError) as error:
        raise OutcomeUnknown(
            f"Sent, and not known whether it was done: {change.summary}. Reading it back failed: {error}"
        ) from error
