"""What a dry run would do, peer by peer."""

from __future__ import annotations

import io

from remediate.cli.rehearsal import RehearsalCollector
from remediate.model.events import Event
from remediate.report.terminal import make_console


def show(*events: Event) -> tuple[str, list[Event]]:
    """Return what is printed of `events`, and those that came through."""
    through: list[Event] = []
    collector, stream = RehearsalCollector(through.append), io.StringIO()
    for event in events:
        collector(event)
    collector.show(make_console(stream, color=False))
    return stream.getvalue(), through


def test_peers_with_equal_changes_are_listed_together() -> None:
    events = [Event("would-change", f"Trust Root on expc{number}.", fields={"peer": f"expc{number}"}) for number in (1, 2)]
    whole = Event("would-change", "Refresh discovery.")

    text, through = show(whole, *events, events[0])

    assert text.count("Trust Root.") == 1
    assert text.index("expc1, expc2:") < text.index("The run as a whole:") < text.index("Refresh discovery.")
    assert through == [whole, *events, events[0]]


def test_without_a_change_nothing_is_printed() -> None:
    assert show(Event("peer-read", "It was read."))[0] == ""
