"""Progress, on a terminal and elsewhere."""

from __future__ import annotations

import io

from rich.console import Console

from remediate.model.events import Event
from remediate.report.progress import Progress
from remediate.report.terminal import make_console


def test_progress_off_a_terminal_is_one_clean_line_per_event() -> None:
    stream = io.StringIO()

    with Progress(make_console(stream, color=True)) as progress:
        progress(Event("peer-read", "read \x1b[2J[bold]expc1" + "x" * 100, "edge-paris"))
        progress(Event("warning", "slow"))

    lines = stream.getvalue().splitlines()
    assert lines[0].startswith("edge-paris: read \\u{1b}[2J[bold]expc1xxx")
    assert lines[1:] == ["slow"]


def test_on_a_terminal_what_a_person_must_read_stays() -> None:
    stream = io.StringIO()

    with Progress(Console(file=stream, force_terminal=True, width=80, color_system=None)) as progress:
        progress(Event("step", "11 restart if needed"))
        progress(Event("in-effect", "In effect."))
        progress(Event("reminder", "Send a request yourself."))

    assert "In effect.\n" in stream.getvalue()
    assert "Send a request yourself.\n" in stream.getvalue()
    assert "11 restart if needed" not in stream.getvalue().splitlines()


def test_on_a_terminal_the_guards_of_a_dry_run_stay() -> None:
    stream = io.StringIO()

    with Progress(Console(file=stream, force_terminal=True, width=80, color_system=None)) as progress:
        progress(Event("guard", "upgrade holds.", fields={"rehearsed": False}))
        progress(Event("guard", "own-address holds.", fields={"rehearsed": True}))

    assert "own-address holds.\n" in stream.getvalue()
    assert "upgrade holds." not in stream.getvalue().splitlines()
