"""The last screen of a run: what a person still has to do, how long it took, where its report is, how it is undone or confirmed."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from rich.console import Console
from rich.text import Text

from remediate.language.messages import translate
from remediate.model.text import escape
from remediate.report.lines import FinalText, colon, print_indented
from remediate.report.moments import format_duration, format_moment

_MAX_STEP = 2_000
_BOX = 76
_BELOW = 2
"""Where what is too long to stand beside its label begins."""
_MIN_COMMON = 24
"""Steps that begin and end alike for at least so many characters together have that once."""


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
        print_steps(console, texts)


def _without_peer(step: str, peer: str) -> str:
    """Return a step without the peer that it begins with, in the language in use: ``On 10.0.0.1, open``."""
    beginning, comma, instruction = step.partition(f" {peer}, ")
    return instruction if peer and comma and " " not in beginning else step


def print_steps(console: Console, texts: Sequence[str]) -> None:
    """Print steps in the language in use; what several in a row begin and end with is printed once."""
    group: list[str] = []
    for text in texts:
        if group and not _have_much_in_common([*group, text]):
            _print_group(console, group)
            group = []
        group.append(text)
    _print_group(console, group)


def _have_much_in_common(texts: Sequence[str]) -> bool:
    beginning, end = _common_parts(texts)
    return bool(beginning) and len(beginning) + len(end) >= _MIN_COMMON


def _common_parts(texts: Sequence[str]) -> tuple[str, str]:
    beginning = _common_beginning(texts)
    return beginning, _common_end([text.removeprefix(beginning) for text in texts])


def _print_group(console: Console, texts: Sequence[str]) -> None:
    if not _have_much_in_common(texts):
        for text in texts:
            _print_step(console, text, 2)
        return
    beginning, end = _common_parts(texts)
    heading = f"{beginning}…{end.removesuffix('.')}" if end else beginning.rstrip()
    print_indented(console, FinalText(f"{escape(heading, _MAX_STEP)}{colon()}", "yellow"), 2)
    for text in texts:
        _print_step(console, text.removeprefix(beginning).removesuffix(end), 4)


def _print_step(console: Console, text: str, columns: int) -> None:
    """Print a step between words, so that a fingerprint stays whole; one with a command is not wrapped, to be copied."""
    step = FinalText(escape(text, _MAX_STEP), "yellow")
    if "`" in text:
        console.print(FinalText.assemble(" " * columns, ("! ", "yellow"), step), soft_wrap=True)
    else:
        print_indented(console, step, columns, first="! ")


def _common_beginning(texts: Sequence[str]) -> str:
    """Return the words with which all of `texts` begin, with the blank after them; empty where there is only one."""
    return "".join(f"{word} " for word in _common_words([text.split(" ")[:-1] for text in texts]))


def _common_end(texts: Sequence[str]) -> str:
    """Return the words with which all of `texts` end, with the blank before them; empty where there is only one."""
    words = _common_words([text.split(" ")[:0:-1] for text in texts])
    return "".join(f" {word}" for word in reversed(words))


def _common_words(texts: Sequence[Sequence[str]]) -> list[str]:
    """Return the words with which all lists of words begin; none where there is only one list."""
    together = zip(*texts, strict=False) if len(texts) > 1 else ()
    return [words[0] for words in takewhile(lambda words: len(set(words)) == 1, together)]


def print_ending(console: Console, ending: Ending, now: datetime) -> None:
    """Print the last lines of a run; a command is never wrapped, to be copied, and alone on its line where it is too long."""
    entries = [
        ("Duration", format_duration(ending.seconds) if ending.seconds is not None else ""),
        ("Report", ending.report),
        ("Undo", ending.undo),
    ]
    labels = {label: f"{translate(label)}{colon()}" for label, _ in entries}
    width = max(10, *(len(label) + 1 for label in labels.values()))
    for label, value in entries:
        if value:
            _print_value(console, labels[label], escape(value, _MAX_STEP), width)
    if ending.confirm_by is not None:
        minutes, seconds = divmod(max(0, int((ending.confirm_by - now).total_seconds())), 60)
        deadline = format_moment(ending.confirm_by)
        print_box(console, [translate(f"CONFIRM before {deadline}, in {minutes} min {seconds} s, or the run is rolled back.")])
        console.print(Text(f"  {escape(ending.confirm, _MAX_STEP)}", "bold"), soft_wrap=True)


def _print_value(console: Console, label: str, value: str, width: int) -> None:
    if console.is_terminal and width + len(value) > console.width:
        console.print(Text(label, "bold"), soft_wrap=True)
        label, width = "", _BELOW
    console.print(Text.assemble((label.ljust(width), "bold"), value), soft_wrap=True)


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
