"""Progress, on a terminal and elsewhere."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from rich.console import Console

from remediate.language.messages import use_language
from remediate.model.events import Event
from remediate.report.progress import Progress
from remediate.report.terminal import make_console


def test_off_a_terminal_each_event_but_a_good_probe_has_a_dated_line() -> None:
    stream = io.StringIO()

    noon = datetime(2026, 11, 29, 12, tzinfo=UTC)
    with Progress(make_console(stream, color=True), now=lambda: noon) as progress:
        progress(Event("endpoint-probed", "cucm:8443: presents rsa."))
        progress(Event("endpoint-probed", "imp:8443: not observed.", fields={"error": "unreachable"}))
        progress(Event("peer-read", "read \x1b[2J[bold]expc1" + "x" * 100, "edge-paris"))
        progress(Event("warning", "slow"))

    lines = stream.getvalue().splitlines()
    assert lines[0] == "2026-11-29T12:00:00Z imp:8443: not observed."
    assert lines[1].startswith("2026-11-29T12:00:00Z edge-paris: read \\u{1b}[2J[bold]expc1xxx")
    assert lines[2:] == ["2026-11-29T12:00:00Z slow"]


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


def test_on_a_terminal_a_warning_is_broken_between_words() -> None:
    stream = io.StringIO()

    with Progress(Console(file=stream, force_terminal=True, width=40, color_system=None)) as progress:
        progress(Event("warning", "expressway-c1.communications.example.fr could not be read.", "edge-paris"))

    assert "expressway-c1.communications.example.fr\n" in stream.getvalue()


def test_a_dumb_terminal_breaks_every_line_between_words() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=40, height=25, color_system=None, _environ={"TERM": "dumb"})

    with Progress(console) as progress:
        progress(Event("peer-read", "expc1.example.test: read, with 6 certificates.", "edge"))

    assert stream.getvalue() == "edge: expc1.example.test: read, with 6\ncertificates.\n"


def test_the_moving_line_is_french() -> None:
    use_language("fr")
    stream = io.StringIO()

    with Progress(Console(file=stream, force_terminal=True, width=120, color_system=None)) as progress:
        progress(Event("step", "In effect on every peer.", "edge-paris"))

    assert "edge-paris : En vigueur sur chaque homologue." in stream.getvalue()
