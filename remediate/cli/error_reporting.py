"""Every way in which a command can end badly: one sentence and the next step on stderr, and the exit code."""

from __future__ import annotations

import errno
import os
import traceback
from typing import TYPE_CHECKING

import click

from remediate.model.errors import RemediateError
from remediate.model.masking import mask

if TYPE_CHECKING:
    from remediate.cli.session import Session

USAGE, BUG, UNKNOWN, INTERRUPTED, TERMINATED = 64, 70, 8, 130, 143


class Terminated(KeyboardInterrupt):
    """SIGTERM: whatever is careful at Ctrl-C is as careful here."""


def report_failure(error: BaseException, session: Session, *, writing: bool) -> int:
    """Say what went wrong on stderr (and, under ``--json``, as a document on stdout). Return the exit code.

    Args:
        writing: of a verb that writes to boxes: exit code 1 says that nothing was changed, which nobody knows after a surprise.
    """
    message, next_step, code = _words_for(error, writing=writing)
    message, next_step = mask(message), mask(next_step)
    session.say(f"remediate: {message}")
    if next_step:
        session.say(f"  {next_step}")
    if session.verbose > 1 or os.environ.get("REMEDIATE_DEBUG"):
        click.echo(mask("".join(traceback.format_exception(error))), err=True)
    if session.json:
        session.write_json({"error": {"message": message, "next_step": next_step, "exit_code": code}})
    return code


def _words_for(error: BaseException, *, writing: bool) -> tuple[str, str, int]:
    if isinstance(error, click.Abort) and isinstance(error.__cause__, KeyboardInterrupt):
        # click turns Ctrl-C into its own exception, and SIGTERM with it.
        return _words_for(error.__cause__, writing=writing)
    match error:
        case RemediateError():
            return str(error), error.next_step, error.exit_code
        case click.exceptions.NoArgsIsHelpError():
            return "no command given", error.ctx.get_help() if error.ctx else "", USAGE
        case click.UsageError():
            path = error.ctx.command_path if error.ctx else "remediate"
            return " ".join(error.format_message().split()), f"See `{path} --help`.", USAGE
        case click.ClickException():
            return error.format_message(), "", USAGE
        case KeyboardInterrupt() | click.Abort():
            next_step = (
                "Reading commands change nothing. What an apply or a rollback had done is in the journal (`remediate runs`); how the "
                "workaround stands, `remediate workaround status` shows."
            )
            return "interrupted", next_step, TERMINATED if isinstance(error, Terminated) else INTERRUPTED
        case OSError(errno=errno.ENOSPC) if not writing:
            # What is written beside a result: --help, --version. Results, events and journals have sentences of their own.
            return f"the output could not be written: {error.strerror}", "", 1
        case MemoryError():
            return _out_of_memory(writing=writing)
        case _:
            return _bug(error)


def _out_of_memory(*, writing: bool) -> tuple[str, str, int]:
    message = "there is not enough memory for this; it is no bug in remediate"
    if not writing:
        return message, "Nothing was changed. Give the process more memory (`ulimit -v`), or it less to read at once.", 1
    # An apply or a rollback that had a run in the journal has closed it before this is reached.
    next_step = "Give the process more memory (`ulimit -v`). What was done: `remediate runs`, `remediate workaround status`."
    return message, next_step, UNKNOWN


def _bug(error: BaseException) -> tuple[str, str, int]:
    # Only the type: the text of an exception nobody planned for may hold anything.
    message = f"stopped by an error that nobody planned for ({type(error).__name__}); this is a bug in remediate"
    next_step = "Run it again with REMEDIATE_DEBUG=1 and report the traceback with the command line and the version."
    return message, next_step, BUG
