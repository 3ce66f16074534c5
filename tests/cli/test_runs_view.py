"""The steps that are left for a person, as they are shown."""

from __future__ import annotations

from remediate.cli.runs_view import group_by_peer
from remediate.executor.result import ManualStep
from remediate.model.identity import Address


def test_open_steps_are_shown_under_their_peer() -> None:
    first, tenth = Address("expc1"), Address("expc10")
    steps = (
        ManualStep("Wait for the cluster."),
        ManualStep("Open the page.", tenth),
        ManualStep("Delete CN=x.", first),
        ManualStep("Delete CN=y.", tenth),
    )

    groups = group_by_peer(steps)

    assert list(groups.items()) == [(tenth, [steps[1], steps[3]]), (first, [steps[2]]), (None, [steps[0]])]


def test_without_open_steps_nothing_is_shown() -> None:
    assert group_by_peer(()) == {}
