"""Question before a write: what would be done is shown on stderr, and only `yes` in full goes on."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from remediate.language.messages import translate
from remediate.model.errors import Declined, UsageError

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
        session.say(line)
    try:
        answer = read_answer(f"{question} Type yes to go on: ")
    except EOFError:
        answer = ""
    if answer.strip() != "yes":
        raise Declined("Declined: nothing was changed.", next_step="Run the command again and answer `yes` to go on.")


def read_answer(question: str) -> str:
    """Ask on stderr and return the answer; stdout is kept for data. Raises EOFError."""
    click.echo(translate(question), err=True, nl=False)
    line = sys.stdin.readline()
    if not line:
        click.echo(err=True)
        raise EOFError
    return line
