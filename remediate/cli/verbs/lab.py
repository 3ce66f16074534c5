"""``remediate lab``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from remediate.cli.options import PATH, common, option
from remediate.cli.session import Session
from remediate.machine.system import HAS_FILE_LOCKS
from remediate.model.errors import RemediateError
from remediate.model.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediate.lab import JudgeAnswer

DIRECTORY = option("--directory", type=PATH, metavar="DIR", help="The lab's folder; `lab` in the state directory if left out.")


@click.group()
def command() -> None:
    """Start, check and stop the embedded lab: three Expressway-C peers and five UC nodes on loopback, on real protocols.

    \b
    EXAMPLES
      remediate lab up
      remediate lab mra
      remediate lab down

    \b
    EXIT CODES
      0   done
      1   the lab does not start, or is not there
    """


@command.command()
@option(
    "--scenario",
    default="story",
    show_default=True,
    metavar="NAME",
    help="The fault to simulate; an unknown name lists them all.",
)
@option(
    "--like", type=PATH, metavar="FILE", help="Let the peers answer as those of a recording, `remediate doctor --record FILE`."
)
@DIRECTORY
@common
@click.pass_obj
def up(session: Session, scenario: str, like: Path | None, directory: Path | None) -> ExitCode:
    """Start a lab in the background and show where its inventory is.

    \b
    EXAMPLES
      remediate lab up
      remediate lab up --scenario same-cn
      remediate lab up --like recording.json

    \b
    EXIT CODES
      0   it runs
      1   it does not start, runs already, or there is no such scenario or recording
    """
    from remediate.cli.files import read_document
    from remediate.formats.recording import read_recording

    process = _load_process()
    folder = _folder(session, directory)
    if like:
        read_document(like, read_recording)  # refused here, where its fault can be named
    process.up(folder, scenario, like)
    return _print_status(session, folder)


@command.command()
@DIRECTORY
@common
@click.pass_obj
def status(session: Session, directory: Path | None) -> ExitCode:
    """Show whether a lab runs, and where its inventory is.

    \b
    EXAMPLES
      remediate lab status
      remediate lab status --json

    \b
    EXIT CODES
      0   said
      1   a lab runs and does not answer
    """
    return _print_status(session, _folder(session, directory))


@command.command()
@DIRECTORY
@common
@click.pass_obj
def down(session: Session, directory: Path | None) -> ExitCode:
    """Stop the lab.

    \b
    EXAMPLES
      remediate lab down

    \b
    EXIT CODES
      0   it is stopped, or was not running
      1   it does not stop
    """
    folder = _folder(session, directory)
    stopped = _load_process().down(folder)
    if session.json:
        session.write_json({"directory": str(folder), "stopped": stopped})
    else:
        session.out().print(f"The lab in {folder} is stopped." if stopped else f"No lab runs in {folder}.", soft_wrap=True)
    return ExitCode.DONE


@command.command(short_help="Send client requests through each peer.")
@DIRECTORY
@common
@click.pass_obj
def mra(session: Session, directory: Path | None) -> ExitCode:
    """Send client requests through each peer to each endpoint, and show 200 or 502 with the log line.

    \b
    EXAMPLES
      remediate lab mra
      remediate lab mra --json

    \b
    EXIT CODES
      0   tested, whatever the results
      1   no lab runs
    """
    answers = _load_process().connect(_folder(session, directory)).ask_all()
    if session.json:
        session.write_json([_to_row(key, answer) for key, answer in answers.items()])
    else:
        _show(session, answers)
    return ExitCode.DONE


def lab_missing_error(error: ImportError) -> RemediateError:
    """Return the error for a missing package of the lab."""
    return RemediateError(
        f"The lab needs the Python package {error.name}, which is not installed.",
        next_step="Install the extra: pip install 'expressway-remediate[lab]'.",
    )


def refuse_without_linux() -> None:
    """Raise RemediateError where the lab cannot run whatever is installed."""
    if not HAS_FILE_LOCKS:
        raise RemediateError(
            "The lab needs Linux: its systems have addresses of their own on the loopback interface.",
            next_step="Run this command on Linux or WSL.",
        )


def _load_process() -> Any:
    refuse_without_linux()
    try:
        from remediate.lab import process
    except ImportError as error:
        raise lab_missing_error(error) from error
    return process


def _folder(session: Session, directory: Path | None) -> Path:
    return (directory or session.state_dir / "lab").absolute()


def _print_status(session: Session, folder: Path) -> ExitCode:
    running = _load_process().status(folder)
    if session.json:
        details = {"scenario": running.scenario, "inventory": str(running.inventory), "judge": running.judge} if running else {}
        session.write_json({"directory": str(folder), "running": running is not None, **details})
        return ExitCode.DONE
    console = session.out()
    if running is None:
        console.print(f"No lab runs in {folder}.", soft_wrap=True)
        return ExitCode.DONE
    console.print(f"The lab runs: {running.summary}", soft_wrap=True)
    console.print(f"  inventory  {running.inventory}", soft_wrap=True)
    console.print(f"  consoles   {running.approvals}", soft_wrap=True)
    session.hint(f"Next: `remediate plan -i {running.inventory} --approve-file {running.approvals}`.")
    return ExitCode.DONE


def _to_row(key: tuple[str, str, int], answer: JudgeAnswer) -> dict[str, Any]:
    peer, address, port = key
    return {
        "peer": peer,
        "address": address,
        "port": port,
        "status": answer.status,
        "log": answer.log_line,
        "judge": answer.judge,
    }


def _show(session: Session, answers: Mapping[tuple[str, str, int], JudgeAnswer]) -> None:
    from rich.text import Text

    from remediate.model.identity import host_and_port
    from remediate.model.text import escape

    console = session.out()
    for (peer, address, port), answer in answers.items():
        good = answer.status == 200
        line = Text(f"{'✓' if good else '✗'} {answer.status} ", "green" if good else "red")
        line.append(f"{escape(peer)} → {escape(host_and_port(address, port))}", "default")
        console.print(line, soft_wrap=True)
        if answer.log_line:
            console.print(Text(f"      {escape(answer.log_line)}", "dim"), soft_wrap=True)
