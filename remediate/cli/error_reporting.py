"""Errors for a person: one sentence and the next step on stderr, and the exit code."""

from __future__ import annotations

import errno
import os
import traceback
from typing import TYPE_CHECKING

import click

from remediate.model.errors import RemediateError
from remediate.model.exit_codes import ExitCode
from remediate.model.masking import mask

if TYPE_CHECKING:
    from remediate.cli.session import Session


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP, handled as carefully as Ctrl-C."""


def report_failure(error: BaseException, session: Session, *, writing: bool) -> ExitCode:
    """Write the error to stderr (and, under ``--json``, as a document to stdout) and return its exit code.

    Args:
        error: What ended the command.
        session: The command line.
        writing: The verb writes to peers. After an unexpected error it must not end with ERROR, which means that nothing was changed.
    """
    message, next_step, code = _describe(error, writing=writing)
    message, next_step = mask(message), mask(next_step)
    session.say(f"remediate: {message}")
    if next_step:
        session.say(f"  {next_step}")
    if session.verbose > 1 or os.environ.get("REMEDIATE_DEBUG"):
        click.echo(mask("".join(traceback.format_exception(error))), err=True)
    if session.json:
        session.write_json({"error": {"message": message, "next_step": next_step, "exit_code": code}})
    return code


def _describe(error: BaseException, *, writing: bool) -> tuple[str, str, ExitCode]:
    if isinstance(error, click.Abort) and isinstance(error.__cause__, KeyboardInterrupt):
        # click replaces KeyboardInterrupt, and so Terminated, by its own exception.
        return _describe(error.__cause__, writing=writing)
    match error:
        case RemediateError():
            return str(error), error.next_step, error.exit_code
        case click.exceptions.NoArgsIsHelpError():
            return "no command given", error.ctx.get_help() if error.ctx else "", ExitCode.USAGE
        case click.UsageError():
            path = error.ctx.command_path if error.ctx else "remediate"
            return " ".join(error.format_message().split()), f"See `{path} --help`.", ExitCode.USAGE
        case click.ClickException():
            return error.format_message(), "", ExitCode.USAGE
        case KeyboardInterrupt() | click.Abort():
            next_step = (
                "Reading commands change nothing. The journal (`remediate runs`) has what an apply or a rollback did; "
                "`remediate workaround status` shows the workaround."
            )
            code = ExitCode.TERMINATED if isinstance(error, Terminated) else ExitCode.INTERRUPTED
            return "the command was interrupted", next_step, code
        case OSError(errno=errno.ENOSPC) if not writing:
            # Output that is no result: --help, --version. Results, events and journals report their own errors.
            return f"the output could not be written: {error.strerror}", "", ExitCode.ERROR
        case MemoryError():
            return _describe_out_of_memory(writing=writing)
        case _:
            return _describe_bug(error)


def _describe_out_of_memory(*, writing: bool) -> tuple[str, str, ExitCode]:
    message = "not enough memory; this is not a bug in remediate"
    if not writing:
        return (
            message,
            "Nothing was changed. Give the process more memory (`ulimit -v`), or read less at once.",
            ExitCode.ERROR,
        )
    # An apply or a rollback has closed its run in the journal before this point.
    next_step = (
        "Give the process more memory (`ulimit -v`). To see what was done: `remediate runs`, `remediate workaround status`."
    )
    return message, next_step, ExitCode.PERSON_NEEDED


def _describe_bug(error: BaseException) -> tuple[str, str, ExitCode]:
    # Only the type: the text of an unexpected exception may hold a secret.
    message = f"stopped by an unexpected error ({type(error).__name__}); this is a bug in remediate"
    next_step = "Run it again with REMEDIATE_DEBUG=1 and report the traceback with the command line and the version."
    return message, next_step, ExitCode.BUG
