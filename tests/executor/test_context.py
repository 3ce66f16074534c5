"""The state of a run: what it leaves to a person, and whether that makes it partial."""

from __future__ import annotations

from remediate.executor.context import RunState
from remediate.executor.result import ManualStep
from remediate.executor.steps import RunEvents
from remediate.model.events import Event


def test_a_manual_step_is_kept_and_emitted() -> None:
    reported: list[Event] = []
    state, events = RunState(), RunEvents(reported.append, "edge")

    state.add_open_step(events, ManualStep("Remove it."))
    state.add_effect_step(events, ManualStep("Restart it."))

    assert ([step.text for step in state.open_steps], [step.text for step in state.effect_steps]) == (
        ["Remove it."],
        ["Restart it."],
    )
    assert [(event.type, event.message, event.fields["open"]) for event in reported] == [
        ("manual-step", "Remove it.", True),
        ("manual-step", "Restart it.", True),
    ]


def test_two_runs_share_no_state() -> None:
    first, second = RunState(), RunState()
    first.open_steps.append(ManualStep("Remove it."))
    assert second.open_steps == []
