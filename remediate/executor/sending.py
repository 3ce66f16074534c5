"""Steps 6 and 7 for one change: write once, read back, and decide from what was read, never from what was answered.

What the box did not refuse, and does not show, is looked for again for a while: some show a write seconds later. After a lost
answer at most one second attempt follows, and only when the box can be read, does not show the change, and refused nothing. (A
first request that is still on its way for longer than that would then be done twice; appending a certificate that is there
already changes nothing we know of.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from remediate.executor.operations.change import Change, ChangeStatus, Observed
from remediate.executor.ports import PeerPort
from remediate.model.errors import AccessError, ObservationError, OutcomeUnknown, RemediateError, WriteRefused
from remediate.model.exit_codes import ExitCode
from remediate.model.limits import Limits
from remediate.model.run import StepState


class ChangeFailed(RemediateError):
    """A write that the box refused, or that changed something else, or that others did not take over."""

    exit_code = ExitCode.PERSON_NEEDED
    default_next_step = "Read what the box answered, mend that, and run `remediate apply` again: it goes on where it stopped."


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a write.

    Attributes:
        after: what was read back.
        problem: what the box, or the way to it, said instead of yes.
    """

    after: Observed
    problem: RemediateError | None

    @property
    def lost(self) -> bool:
        """The answer never came."""
        return isinstance(self.problem, OutcomeUnknown | ObservationError)

    @property
    def refused(self) -> bool:
        """The box said no."""
        return isinstance(self.problem, WriteRefused | AccessError)

    @property
    def is_unknown(self) -> bool:
        """The box did not say no, and does not show it: it may show it later."""
        return self.after.status is ChangeStatus.TO_DO and not self.refused


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
    if sent.lost and sent.after.status is ChangeStatus.TO_DO and change.is_verifiable:
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
) -> Observed:
    """Read back. Where the box did not refuse, and does not show the change, look again for a while: it may be late."""
    refused = isinstance(problem, WriteRefused | AccessError)
    looks, pause_s = (limits.read_attempts, limits.read_pause_s) if refused else looks_for_late(limits)
    return _look(box, change, (looks, pause_s), limits, pause)


def look_for_late(
    box: PeerPort, change: Change, state: StepState, *, limits: Limits, pause: Callable[[float], None]
) -> Observed:
    """Read whether `change`, whose step is left as `state`, came to be done; one that may still show is looked for again.

    Raises:
        OutcomeUnknown: the box cannot be read.
    """
    looks = {"unknown": looks_for_late(limits), "intended": (limits.read_attempts, limits.read_pause_s)}
    return _look(box, change, looks.get(state, (0, 0.0)), limits, pause)


def _look(box: PeerPort, change: Change, again: tuple[int, float], limits: Limits, pause: Callable[[float], None]) -> Observed:
    """Read back, and `again` (how often, after how many seconds each) until the change shows."""
    looks, pause_s = again
    after: Observed | None = None
    unread: list[ObservationError] = []
    for look in range(looks + 1):
        if look:
            pause(pause_s)
        try:
            after = change.read_back(box)
        except ObservationError as error:
            unread.append(error)
            if len(unread) > limits.read_attempts or not change.is_verifiable:
                raise _not_read_back(change, error) from error
            continue
        except AccessError as error:
            raise _not_read_back(change, error) from error
        if after.status is not ChangeStatus.TO_DO or not change.is_verifiable:
            return after
    if after is None:
        raise _not_read_back(change, unread[-1]) from unread[-1]
    return after


def looks_for_late(limits: Limits) -> tuple[int, float]:
    """Return how often a box is looked at again that may show something late, and the seconds before each look."""
    return max(limits.read_attempts, int(limits.write_seen_s / limits.write_seen_poll_s)), limits.write_seen_poll_s


def _not_read_back(change: Change, error: RemediateError) -> OutcomeUnknown:
    return OutcomeUnknown(f"Sent, and not known whether it was done: {change.summary}. Reading it back failed: {error}")
