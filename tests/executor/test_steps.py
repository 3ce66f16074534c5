"""The steps of a run: which may follow which, and what is reported of them."""

from __future__ import annotations

import pytest

from remediate.executor.result import RunResult
from remediate.executor.steps import MAY_FOLLOW, RunEvents, Step, StepSequence
from remediate.model.errors import RemediateError
from remediate.model.events import Event
from remediate.model.exit_codes import ExitCode

RESULT = RunResult("", "applied", ExitCode.DONE, (), has_written=False, message="Nothing was to do.")


def test_a_run_ends_from_every_step_and_continues_as_numbered() -> None:
    entered: list[Step] = []
    sequence = StepSequence(lambda _step: None, entered.append)

    for step in (Step.LOCK, Step.RE_READ, Step.COMPARE, Step.VERIFY, Step.CLOSE):
        sequence.enter(step)

    assert entered[-1] is sequence.current is Step.CLOSE
    with pytest.raises(RuntimeError, match="must not follow"):
        sequence.enter(Step.CLOSE)


def test_no_write_follows_without_its_intent() -> None:
    assert [step for step, following in MAY_FOLLOW.items() if Step.WRITE in following] == [Step.INTENT]
    assert [step for step, following in MAY_FOLLOW.items() if Step.READ_BACK in following] == [Step.WRITE]
    with pytest.raises(RuntimeError, match=r"step 6 \(write\) must not follow"):
        StepSequence(lambda _step: None, lambda _step: None).enter(Step.WRITE)


def test_a_step_that_is_stopped_before_is_not_entered() -> None:
    def stop(_step: Step) -> None:
        raise KeyboardInterrupt

    sequence = StepSequence(stop, lambda _step: None)
    with pytest.raises(KeyboardInterrupt):
        sequence.enter(Step.LOCK)
    assert sequence.current is None


def test_events_have_the_run_as_soon_as_there_is_one() -> None:
    reported: list[Event] = []
    events = RunEvents(reported.append, "edge")

    events.emit_step(Step.LOCK)
    events.run = "261123-100000-4f2a"
    events.emit_step(Step.INTENT)

    assert [event.fields.get("run") for event in reported] == [None, "261123-100000-4f2a"]
    assert [event.message for event in reported] == ["1 lock the cluster", "5 journal the intent and its inverse"]


def test_a_sink_that_fails_gets_no_more_events_and_is_reported() -> None:
    reported: list[Event] = []

    def sink(event: Event) -> None:
        reported.append(event)
        raise OSError(28, "No space left on device")

    events = RunEvents(sink, "edge")
    events.emit("warning", "One.")
    events.emit("warning", "Two.")

    assert [event.message for event in reported] == ["One."]
    assert events.trouble.startswith("Progress is no longer reported")
    assert RunEvents(reported.append, "edge").trouble == ""


def test_an_error_of_ours_in_a_sink_ends_the_run() -> None:
    def sink(_event: Event) -> None:
        raise RemediateError("The events cannot be written.")

    with pytest.raises(RemediateError):
        RunEvents(sink, "edge").emit("warning", "One.")
