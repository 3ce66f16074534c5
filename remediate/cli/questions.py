"""Question before a write: what would be done is shown on stderr, and only `yes` in full goes on."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from remediate.language.messages import translate
from remediate.model.errors import Declined, UsageError
from remediate.report.wrapping import terminal_columns, wrap_line

if TYPE_CHECKING:
    from remediate.cli.session import Session

YES_VARIABLE = "REMEDIATE_YES"


def refuse_yes_variable() -> None:
    """Raise UsageError where REMEDIATE_YES is set: an answer from a profile or a job template would confirm every write."""
    if YES_VARIABLE in os.environ:
        raise UsageError(
            f"{YES_VARIABLE} is set, and --yes has no variable: each write is confirmed on its own command line.",
            next_step=f"Nothing was done. Unset {YES_VARIABLE}, and pass --yes to the one command that should not ask.",
        )


def refuse_without_terminal(session: Session, *, yes: bool) -> None:
    """Raise Declined where `yes` was not given and no question can be asked; to be called before anything is done."""
    if not yes and not session.may_ask:
        raise Declined(
            "There is no terminal to ask on, and --yes was not given.",
            next_step="Nothing was done. Review what the command would do, then pass --yes.",
        )


def ask(session: Session, lines: Iterable[str], question: str) -> None:
    """Show `lines` and ask for `yes` in full.

    Args:
        session: The command line.
        lines: What would be done.
        question: The cluster and the counts, as a question.

    Raises:
        Declined: The answer is anything else, or the terminal gave none.
    """
    for line in lines:
        _show(session, line)
    sentences = [question, "Type yes to go on: "]
    console = session.err()
    if console.is_terminal and sum(map(len, sentences)) > console.width:
        _show(session, sentences.pop(0))
    try:
        answer = read_answer(*sentences)
    except EOFError:
        answer = ""
    if answer.strip() != "yes":
        raise Declined("Declined: nothing was changed.", next_step="Run the command again and answer `yes` to go on.")


def _show(session: Session, text: str) -> None:
    """Show lines on stderr, wrapped between words; one with a command is not wrapped, to be copied."""
    from rich.text import Text

    from remediate.model.masking import mask
    from remediate.model.text import escape
    from remediate.report.lines import print_indented

    if "`" in text or not text:
        session.say(text)
        return
    for line in mask(text).splitlines():
        stripped = line.lstrip(" ")
        mark = "- " if stripped.startswith("- ") else ""
        words = Text(escape(stripped.removeprefix(mark), 4000))
        print_indented(session.err(), words, len(line) - len(stripped), first=mark)


def read_answer(*sentences: str) -> str:
    """Ask on stderr and return the answer; stdout is kept for data. Raises EOFError."""
    question = " ".join(map(translate, sentences))
    columns = terminal_columns(sys.stderr)
    click.echo(f"{wrap_line(question, columns)} " if columns else question, err=True, nl=False)
    line = sys.stdin.readline()
    if not line:
        click.echo(err=True)
        raise EOFError
    return line
