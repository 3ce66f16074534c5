"""Entry point: the verbs, and the exit code for each way in which a command can end.

Verbs are loaded when they are called, and load what they need when they run: `remediate --help` waits for click only.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from types import FrameType
from typing import NoReturn

import click

from remediate.cli.error_reporting import Terminated, report_failure
from remediate.cli.help import translate_help
from remediate.cli.session import Session
from remediate.language.choice import LANGUAGE_VARIABLE, choose_language
from remediate.language.messages import translate, use_language
from remediate.machine.core_dumps import forbid_core_dumps
from remediate.machine.system import ENDING_SIGNALS
from remediate.model.errors import UsageError
from remediate.model.exit_codes import ExitCode
from remediate.model.limits import Limits
from remediate.report.plain_symbols import takes_utf8, write_plain
from remediate.version import __version__

VERBS = {
    "init": "Write a first inventory, starting from one peer.",
    "collect": "Read peers, lists and endpoints into a snapshot.",
    "plan": "Choose the smallest safe change and explain it.",
    "show": "Show a plan as text, JSON, a page or a change ticket.",
    "approve": "Approve a plan's certificates, one by one, on a terminal.",
    "apply": "Apply a plan to every peer, and verify.",
    "restart": "Restart peers one at a time, guarded and drained.",
    "confirm": "Confirm an apply: its timer ends, its changes stay.",
    "verify": "Show which endpoints pass on each peer now.",
    "certificates": "List every certificate: location, expiry, what uses it.",
    "rollback": "Undo one run from its journal.",
    "workaround": "Turn certificate verification off or on, on every peer.",
    "diagnose": "Read logs and captures: what failed, why, what to do.",
    "explain": "Explain one verdict, offline.",
    "runs": "List runs, and show what one did.",
    "doctor": "Check logins, pins, secrets and what each peer offers.",
    "lab": "Start, check and stop the embedded lab.",
    "demo": "Run the whole workflow once, on the lab.",
    "completion": "Print the completion script of a shell.",
}
HELP = """Fix Mobile and Remote Access after an Expressway upgrade to X14.2.

Read the cluster, check it as OpenSSL would, choose the smallest safe change, prove it, apply it peer by peer.

\b
EXAMPLES
  remediate demo                                      the whole workflow on a lab of its own
  remediate plan -i inventory.yml -o plan.json        check, plan, change nothing
  remediate apply plan.json -i inventory.yml          ask, apply, verify
  remediate verify -i inventory.yml                   does every endpoint pass on every peer?

\b
EXIT CODES
  0    done, or nothing to do
  1    error, nothing was changed
  2    changes pending
  3    failed and rolled back
  4    something was not observed
  5    locked by another run
  6    the plan is stale
  7    declined, or an approval is missing
  8    manual action needed
  9    applied, confirmation pending
  10   something no trust or cipher change fixes
  11   applied, not known to be in effect
  64   wrong usage
  70   a bug in remediate
  130  interrupted (143: terminated)

Every option can be set by the environment variable shown in its help; the command line takes precedence.
"""

JSON_VARIABLE = "REMEDIATE_JSON"
WRITERS = frozenset({"apply", "restart", "rollback", "workaround", "confirm"})


class Verbs(click.Group):
    """Group of the verbs, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of the work."""
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load the verb `cmd_name`."""
        del ctx
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(f"remediate.cli.verbs.{cmd_name}").command
        return translate_help(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of verbs without loading any."""
        del ctx
        with formatter.section(translate("Commands")):
            formatter.write_dl([(verb, translate(summary)) for verb, summary in VERBS.items()])


@click.group(cls=Verbs, help=HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="%(prog)s %(version)s")
def command() -> None:
    """Group the verbs."""


def run(arguments: Sequence[str], limits: Limits = Limits()) -> ExitCode:
    """Run one command line and return its exit code; every message has been written to stderr by then."""
    session = Session(json=_is_json_wanted(arguments), limits=limits)
    writing = bool(arguments) and arguments[0] in WRITERS
    try:
        _choose_language()
        answer = translate_help(command).main(list(arguments), prog_name="remediate", standalone_mode=False, obj=session)
        code = ExitCode(answer) if isinstance(answer, int) else ExitCode.DONE
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last line of defence: each kind becomes its exit code
        code = report_failure(error, session, writing=writing)
    session.close(code)
    if session.output_lost and not writing and code is ExitCode.DONE:
        # A lost result is an error, but not after a run that changed something: ERROR means that nothing was changed.
        return ExitCode.ERROR
    return code


def _is_json_wanted(arguments: Sequence[str]) -> bool:
    """Return whether the result is JSON, before click has read the options: an error of theirs is a document, too."""
    variable = os.environ.get(JSON_VARIABLE, "")
    try:
        return "--json" in arguments or bool(click.BOOL.convert(variable or "false", None, None))
    except click.BadParameter:
        return False


def _choose_language() -> None:
    try:
        use_language(choose_language(os.environ))
    except ValueError as error:
        raise UsageError(str(error), next_step=f"Unset {LANGUAGE_VARIABLE}, or set it to one of them.") from error


def main() -> NoReturn:
    """Run the command line of this process and exit."""
    forbid_core_dumps()
    for signal_number in ENDING_SIGNALS:
        # A dropped terminal connection is the most common interruption in a change window.
        signal.signal(signal_number, _terminate)
    for stream in filter(None, (sys.stdout, sys.stderr)):
        # A name that is no text gets an escape, not a traceback.
        stream.reconfigure(errors="backslashreplace")
        if not takes_utf8(stream.encoding, os.environ):
            write_plain(stream)
    _, *arguments = sys.argv
    code = run(arguments)
    _discard_unwritten_output()
    sys.exit(code)


def _discard_unwritten_output() -> None:
    """Let go of what a full disk did not take: Python since 3.13 would try again at the end, and exit with 120."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _terminate(signum: int, frame: FrameType | None) -> NoReturn:
    del signum, frame
    raise Terminated
