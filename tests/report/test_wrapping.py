"""Lines of a sentence on a terminal."""

from __future__ import annotations

import os
import pty
import termios

import pytest

from remediate.report.terminal import make_console
from remediate.report.wrapping import break_offsets, wrap_line


def test_a_further_line_stands_a_little_below_the_first() -> None:
    assert wrap_line("  plan.json cannot be read: it is too long.", 30) == "  plan.json cannot be read:\n    it is too long."
    assert wrap_line("  short", 30) == "  short"
    assert wrap_line("", 30) == ""


@pytest.mark.parametrize(("columns", "expected"), [(40, 40), (0, 80)])
def test_a_dumb_terminal_is_as_wide_as_it_is(columns: int, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))

    with os.fdopen(theirs, "w") as stream:
        assert make_console(stream, color=True).width == expected
    os.close(ours)


def test_a_command_is_never_broken() -> None:
    lines = wrap_line("Next: `remediate plan -i inventory.yml -o plan.json`, then approve it.", 30).split("\n")

    assert lines == ["Next:", "  `remediate plan -i inventory.yml -o plan.json`,", "  then approve it."]


def test_a_peer_stays_beside_its_number() -> None:
    text = "Peers 1 = expressway-c1, 2 = expressway-c2"
    assert break_offsets(text, 28) == [text.index("2 =")]
