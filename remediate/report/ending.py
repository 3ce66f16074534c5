"""The last screen of a run: what a person still has to do, how long it took, where its report is, how it is undone or confirmed."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console
from rich.text import Text

from remediate.language.messages import translate
from remediate.model.text import escape
from remediate.report.lines import FinalText, colon, print_indented
from remediate.report.moments import format_duration, format_moment

_MAX_STEP = 2_000
_BOX = 76
_MIN_PREFIX = 24
"""Steps that begin alike for at least so many characters have their beginning once."""


@dataclass(frozen=True, slots=True)
class Ending:
    """The facts of the last lines of a command; what is empty or None is left out.

    Attributes:
        seconds: How long the command took.
        report: The file with the report of the run.
        undo: The command that undoes the run.
        confirm: The command that confirms it.
        confirm_by: Until when.
    """

    seconds: float | None = None
    report: str = ""
    undo: str = ""
    confirm: str = ""
    confirm_by: datetime | None = None


def print_manual_steps(console: Console, steps: Mapping[str, Sequence[str]]) -> None:
    """Print what a person has to do, by peer; "" has what no single peer has. Peers with the same steps are listed together."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for peer, texts in steps.items():
        own = tuple(dict.fromkeys(_without_peer(translate(text), peer) for text in texts))
        alike.setdefault(own, []).append(peer)
    for texts, peers in alike.items():
        names = [escape(peer) for peer in peers if peer]
        heading = f"By hand on {', '.join(names)}:" if names else "By hand:"
        print_indented(console, Text(heading, "bold yellow"), 0)
        _print_steps(console, texts)


def _without_peer(step: str, peer: str) -> str:
    """Return a step without the peer that it begins with, in the language in use: ``On 10.0.0.1, open``."""
    beginning, comma, instruction = step.partition(f" {peer}, ")
    return instruction if peer and comma and " " not in beginning else step


def _print_steps(console: Console, texts: Sequence[str]) -> None:
    prefix = _common_beginning(texts)
    if len(prefix) < _MIN_PREFIX:
        for text in texts:
            _print_step(console, text, 2)
        return
    print_indented(console, FinalText(f"{escape(prefix.strip(), _MAX_STEP)}{colon()}", "yellow"), 2)
    for text in texts:
        _print_step(console, text.removeprefix(prefix), 4)


def _print_step(console: Console, text: str, columns: int) -> None:
    """Print a step between words, so that a fingerprint stays whole; one with a command is not wrapped, to be copied."""
    step = FinalText(escape(text, _MAX_STEP), "yellow")
    if "`" in text:
        console.print(FinalText.assemble(" " * columns, ("! ", "yellow"), step), soft_wrap=True)
    else:
        print_indented(console, step, columns, first="! ")


def _common_beginning(texts: Sequence[str]) -> str:
    """Return the words with which all of `texts` begin, with the blank after them; empty where there is only one."""
    words: list[str] = []
    for together in zip(*(text.split(" ") for text in texts), strict=False):
        if len(texts) < 2 or len(set(together)) > 1:
            break
        words.append(f"{together[0]} ")
    return "".join(words)


def print_ending(console: Console, ending: Ending, now: datetime) -> None:
    """Print the last lines of a run; a command is never wrapped, to be copied."""
    entries = [
        ("Duration", format_duration(ending.seconds) if ending.seconds is not None else ""),
        ("Report", ending.report),
        ("Undo", ending.undo),
    ]
    labels = {label: f"{translate(label)}{colon()}" for label, _ in entries}
    width = max(10, *(len(label) + 1 for label in labels.values()))
    for label, value in entries:
        if value:
            line = Text(labels[label].ljust(width), "bold")
            line.append(escape(value, _MAX_STEP), "not bold")
            console.print(line, soft_wrap=True)
    if ending.confirm_by is not None:
        minutes, seconds = divmod(max(0, int((ending.confirm_by - now).total_seconds())), 60)
        deadline = format_moment(ending.confirm_by)
        print_box(console, [translate(f"CONFIRM before {deadline}, in {minutes} min {seconds} s, or the run is rolled back.")])
        console.print(Text(f"  {escape(ending.confirm, _MAX_STEP)}", "bold"), soft_wrap=True)


def print_box(console: Console, lines: Iterable[str]) -> None:
    """Print `lines` in a box as wide as the terminal lets it; in a pipe, without one."""
    if not console.is_terminal:
        for line in lines:
            console.print(Text(escape(line, _MAX_STEP)), soft_wrap=True)
        return
    width = max(min(console.width, _BOX) - 4, 20)
    rows = [row for line in lines for row in textwrap.wrap(escape(line, _MAX_STEP), width)]
    inner = max(map(len, rows), default=0)
    console.print(Text(f"┌{'─' * (inner + 2)}┐", "bold yellow"), soft_wrap=True)
    for row in rows:
        console.print(Text(f"│ {row.ljust(inner)} │", "bold yellow"), soft_wrap=True)
    console.print(Text(f"└{'─' * (inner + 2)}┘", "bold yellow"), soft_wrap=True)
