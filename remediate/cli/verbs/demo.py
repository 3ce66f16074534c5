"""``remediate demo``: the commands that a person would type, on a lab of its own, with a judge."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from remediate.cli.options import common
from remediate.cli.session import Session
from remediate.model.exit_codes import ExitCode

if TYPE_CHECKING:
    from remediate.lab import JudgeAnswer, Lab
    from remediate.model.plan import EndpointForecast, Plan

HTTP_OK = 200
DISAGREES = ExitCode.BUG
JUDGES = {
    "traffic_server": "a real Apache Traffic Server per peer",
    "openssl": "OpenSSL instead of Apache Traffic Server",
}


@dataclass(frozen=True, slots=True)
class DemoResult:
    """Result of the demo.

    Attributes:
        before, after: The judge's answers, 200 or 502, by peer, address and port.
    """

    plan: Plan
    before: dict[tuple[str, str, int], JudgeAnswer]
    after: dict[tuple[str, str, int], JudgeAnswer]
    seconds: float

    @property
    def disagreements(self) -> tuple[EndpointForecast, ...]:
        """The forecasts that the judge contradicts, before or after."""
        return tuple(endpoint for endpoint in self.plan.endpoints if not self._predicts(endpoint))

    @property
    def agrees(self) -> bool:
        """Whether the plan forecast everything that the judge was asked, without a contradiction."""
        forecast_pairs = {(str(endpoint.peer), str(endpoint.address), endpoint.port) for endpoint in self.plan.endpoints}
        return forecast_pairs == set(self.after) and not self.disagreements

    def _predicts(self, forecast: EndpointForecast) -> bool:
        where = (forecast.peer, forecast.address, forecast.port)
        before, after = self.before.get(where), self.after.get(where)
        if before is None or after is None:
            return False
        return (before.status == HTTP_OK, after.status == HTTP_OK) == (forecast.before.ok, forecast.after.ok)


@click.command()
@common
@click.pass_obj
def command(session: Session) -> ExitCode:
    """Run the whole workflow once on a lab of its own: plan, dry run, apply; a judge sends client requests before and after.

    The judge is the traffic server that Expressway runs, one per peer, if it is installed; otherwise OpenSSL, and that is
    shown. Certificates that need approval are approved by the fingerprints read on the nodes' own consoles.

    \b
    EXAMPLES
      remediate demo
      remediate demo -q
      remediate demo --json

    \b
    EXIT CODES
      0   the judge agrees with the plan everywhere, before and after
      70  it does not: the prediction was wrong
      1   the lab does not start
      64  REMEDIATE_YES is set: the demo applies, and --yes has no variable
    """
    from remediate.cli.questions import refuse_yes_variable
    from remediate.cli.verbs.lab import lab_missing_error, refuse_without_linux

    refuse_yes_variable()
    refuse_without_linux()
    try:
        from remediate.lab import Lab
    except ImportError as error:
        raise lab_missing_error(error) from error

    started = time.monotonic()
    session.hint("Starting a lab: three Expressway-C peers and the nodes of a Unified CM cluster, on loopback.")
    with tempfile.TemporaryDirectory(prefix="remediate-demo-") as folder, Lab(Path(folder)) as lab:
        before = lab.ask_as_client()
        with _stdout_to_stderr(session):
            failed = _run_commands(session, lab)
        if failed:
            return failed
        plan = _read_plan(lab)
        demo = DemoResult(plan, before, lab.ask_as_client(), time.monotonic() - started)
    if session.json:
        session.write_json(_to_json(demo))
    else:
        _show(session, demo)
    return ExitCode.DONE if demo.agrees else DISAGREES


@contextlib.contextmanager
def _stdout_to_stderr(session: Session) -> Iterator[None]:
    """Redirect stdout to stderr under ``--json``, to keep it for the one document."""
    with contextlib.redirect_stdout(sys.stderr) if session.json else contextlib.nullcontext():
        yield


def _run_commands(session: Session, lab: Lab) -> ExitCode:
    """Run the commands, and return the exit code of the one that failed, or DONE."""
    plan, where = str(lab.directory / "plan.json"), ("-i", str(lab.inventory))
    approvals = ("--approve-file", str(lab.approvals))
    expected = {ExitCode.DONE, ExitCode.ENDPOINTS_REMAIN}
    # The lab's peers use a changed list after a restart only, as real ones do.
    restart = ("--restart", "rolling")
    commands = (
        (("plan", *where, "-o", plan), {ExitCode.DONE}),
        (("apply", plan, *where, *approvals, "--dry-run"), expected),
        (("apply", plan, *where, *approvals, *restart, "--yes", "--ticket", "DEMO-1"), expected),
    )
    for arguments, accepted in commands:
        code = _run_command(session, lab, arguments)
        if code not in accepted:
            return code or DISAGREES
    return ExitCode.DONE


def _run_command(session: Session, lab: Lab, arguments: tuple[str, ...]) -> ExitCode:
    from remediate.cli.app import run
    from remediate.lab.pace import LAB_LIMITS

    command_line = " ".join(argument.replace(f"{lab.directory}/", "") for argument in arguments)
    session.hint(f"\n$ remediate {command_line}")
    flags = [*(["-q"] if session.quiet else []), *(["--no-color"] if session.no_color else [])]
    return run([*arguments, "--state-dir", str(lab.directory / "state"), "--no-input", *flags], LAB_LIMITS)


def _read_plan(lab: Lab) -> Plan:
    from remediate.cli.files import read_text
    from remediate.model.plan import Plan

    return Plan.from_json(read_text(lab.directory / "plan.json"))


def _to_json(demo: DemoResult) -> dict[str, Any]:
    endpoints = [
        {
            "peer": peer,
            "address": address,
            "port": port,
            "before": demo.before[peer, address, port].status,
            "after": answer.status,
        }
        for (peer, address, port), answer in demo.after.items()
    ]
    judge = next(iter(demo.after.values())).judge
    return {
        "agrees": demo.agrees,
        "judge": judge,
        "seconds": round(demo.seconds, 1),
        "endpoints": endpoints,
        "plan": demo.plan.id,
    }


def _show(session: Session, demo: DemoResult) -> None:
    from dataclasses import replace

    from rich.text import Text

    from remediate.model.text import escape
    from remediate.model.verdict import Verdict
    from remediate.report.lines import print_indented
    from remediate.report.terminal import show_matrix

    def apply_answers(endpoint: EndpointForecast) -> EndpointForecast:
        def apply_answer(forecast: Verdict, answer: JudgeAnswer) -> Verdict:
            return Verdict(ok=True) if answer.status == HTTP_OK else replace(forecast, ok=False)

        where = (endpoint.peer, endpoint.address, endpoint.port)
        return replace(
            endpoint,
            before=apply_answer(endpoint.before, demo.before[where]),
            after=apply_answer(endpoint.after, demo.after[where]),
        )

    console = session.out()
    judge = next(iter(demo.after.values())).judge
    console.print()
    console.print(Text("What a client gets through each peer, before → after", "bold underline"), soft_wrap=True)
    print_indented(console, Text(f"judged by {JUDGES[judge]}", "dim"), 0)
    judged_endpoints = [
        apply_answers(endpoint)
        for endpoint in demo.plan.endpoints
        if (endpoint.peer, endpoint.address, endpoint.port) in demo.after
    ]
    show_matrix(console, judged_endpoints, system_names=demo.plan.system_names, every_row=True, tense="judged")
    console.print()
    for unresolved in demo.plan.unresolved:
        advice = " ".join((unresolved.advice, *unresolved.options[:1]))
        sentence = f"Still fails: {unresolved.endpoint}, {unresolved.cause.value}. {advice}"
        print_indented(console, Text(escape(sentence, 2000), "yellow"), 0)
    print_indented(console, _conclude(demo), 0)


def _conclude(demo: DemoResult) -> Any:
    from rich.text import Text

    if demo.agrees:
        return Text(f"✓ The judge agrees with the plan everywhere, before and after ({demo.seconds:.0f} s).", "bold green")
    pairs = (
        ", ".join(f"{disagreement.peer} → {disagreement.endpoint}" for disagreement in demo.disagreements) or "what they check"
    )
    return Text(f"✗ The judge and the plan disagree at: {pairs}", "bold red")
