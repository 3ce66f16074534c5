"""``remediate demo``: the same commands that a person would type, on a lab of its own, with a judge of its own."""

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

if TYPE_CHECKING:
    from remediate.lab import JudgeAnswer, Lab
    from remediate.model.plan import EndpointForecast, Plan

OK, DONE, REMAINS, DISAGREES = 200, 0, 10, 70
JUDGES = {
    "traffic_server": "a real Apache Traffic Server per peer",
    "openssl": "OpenSSL, in the place of Apache Traffic Server",
}


@dataclass(frozen=True, slots=True)
class Walk:
    """What came of the demo.

    Attributes:
        before, after: what the judge let a client have, 200 or 502, by peer, address and port.
    """

    plan: Plan
    before: dict[tuple[str, str, int], JudgeAnswer]
    after: dict[tuple[str, str, int], JudgeAnswer]
    seconds: float

    @property
    def disagreements(self) -> tuple[EndpointForecast, ...]:
        """Where the judge answered otherwise than the plan says, before or after."""
        return tuple(endpoint for endpoint in self.plan.endpoints if not self._right_about(endpoint))

    @property
    def agrees(self) -> bool:
        """Whether the plan spoke of everything that the judge was asked, and was right everywhere."""
        spoken_of = {(str(endpoint.peer), str(endpoint.address), endpoint.port) for endpoint in self.plan.endpoints}
        return spoken_of == set(self.after) and not self.disagreements

    def _right_about(self, one: EndpointForecast) -> bool:
        where = (one.peer, one.address, one.port)
        before, after = self.before.get(where), self.after.get(where)
        if before is None or after is None:
            return False
        return (before.status == OK, after.status == OK) == (one.before.verdict.ok, one.after.verdict.ok)


@click.command()
@common
@click.pass_obj
def command(session: Session) -> int:
    """Walk the whole story once, on a lab of its own: plan, dry run, apply, and a judge asked before and after.

    The judge is the traffic server that Expressway runs, one per peer, where it is installed; otherwise OpenSSL, and that is said.
    What the plan asks approval for is approved by the fingerprints as read on the nodes' own consoles.

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
    """
    from remediate.cli.verbs.lab import lab_missing, refuse_without_linux

    refuse_without_linux()
    try:
        from remediate.lab import Lab
    except ImportError as error:
        raise lab_missing(error) from error

    started = time.monotonic()
    session.hint("Starting a lab: three Expressway-C peers and the nodes of a Unified CM cluster, on loopback.")
    with tempfile.TemporaryDirectory(prefix="remediate-demo-") as folder, Lab(Path(folder)) as lab:
        before = lab.ask_all()
        with _stdout_for_people(session):
            failed = _walk(session, lab)
        if failed:
            return failed
        plan = _plan_in(lab)
        walk = Walk(plan, before, lab.ask_all(), time.monotonic() - started)
    if session.json:
        session.write_json(_as_json(walk))
    else:
        _show(session, walk)
    return DONE if walk.agrees else DISAGREES


@contextlib.contextmanager
def _stdout_for_people(session: Session) -> Iterator[None]:
    """Keep stdout for the one JSON document where it was asked for."""
    with contextlib.redirect_stdout(sys.stderr) if session.json else contextlib.nullcontext():
        yield


def _walk(session: Session, lab: Lab) -> int:
    """Run the commands; return the exit code of the one that failed, or 0."""
    plan, where = str(lab.directory / "plan.json"), ("-i", str(lab.inventory))
    approvals = ("--approve-file", str(lab.approvals))
    steps = (
        (("plan", *where, "-o", plan), {DONE}),
        (("apply", plan, *where, *approvals, "--dry-run"), {DONE, REMAINS}),
        (("apply", plan, *where, *approvals, "--yes", "--ticket", "DEMO-1"), {DONE, REMAINS}),
    )
    for arguments, good in steps:
        code = _type(session, lab, arguments)
        if code not in good:
            return code or DISAGREES
    return DONE


def _type(session: Session, lab: Lab, arguments: tuple[str, ...]) -> int:
    from remediate.cli.app import run

    shown = " ".join(argument.replace(f"{lab.directory}/", "") for argument in arguments)
    session.hint(f"\n$ remediate {shown}")
    flags = [*(["-q"] if session.quiet else []), *(["--no-color"] if session.no_color else [])]
    return run([*arguments, "--state-dir", str(lab.directory / "state"), "--no-input", *flags])


def _plan_in(lab: Lab) -> Plan:
    from remediate.cli.files import read_text
    from remediate.model.plan import Plan

    return Plan.from_json(read_text(lab.directory / "plan.json"))


def _as_json(walk: Walk) -> dict[str, Any]:
    endpoints = [
        {
            "peer": peer,
            "address": address,
            "port": port,
            "before": walk.before[peer, address, port].status,
            "after": answer.status,
        }
        for (peer, address, port), answer in walk.after.items()
    ]
    judge = next(iter(walk.after.values())).judge
    return {
        "agrees": walk.agrees,
        "judge": judge,
        "seconds": round(walk.seconds, 1),
        "endpoints": endpoints,
        "plan": walk.plan.id,
    }


def _show(session: Session, walk: Walk) -> None:
    from dataclasses import replace

    from rich.text import Text

    from remediate.model.text import escape
    from remediate.model.verdict import Outcome, Verdict
    from remediate.report.terminal import show_matrix
    from remediate.report.view import endpoint_name

    def judged(one: EndpointForecast) -> EndpointForecast:
        def outcome(forecast: Outcome, answer: JudgeAnswer) -> Outcome:
            good = answer.status == OK
            return replace(forecast, verdict=Verdict(ok=True) if good else replace(forecast.verdict, ok=False))

        where = (one.peer, one.address, one.port)
        return replace(one, before=outcome(one.before, walk.before[where]), after=outcome(one.after, walk.after[where]))

    console = session.out()
    judge = next(iter(walk.after.values())).judge
    console.print()
    console.print(Text("What a client gets through each peer, before → after", "bold underline"))
    console.print(Text(f"judged by {JUDGES[judge]}", "dim"))
    asked = [
        judged(endpoint) for endpoint in walk.plan.endpoints if (endpoint.peer, endpoint.address, endpoint.port) in walk.after
    ]
    show_matrix(console, asked, every_row=True, words=("were let through before", "now"))
    console.print()
    for one in walk.plan.unresolved:
        advice = " ".join((one.advice, *one.options[:1]))
        left = f"Left: {endpoint_name(one.address, one.port)}, {one.cause.value}. {advice}"
        console.print(Text(escape(left, 2000), "yellow"))
    console.print(_conclusion(walk))


def _conclusion(walk: Walk) -> Any:
    from rich.text import Text

    if walk.agrees:
        return Text(f"✓ The judge agrees with the plan everywhere, before and after ({walk.seconds:.0f} s).", "bold green")
    pairs = (
        ", ".join(f"{disagreement.peer} → {disagreement.address}:{disagreement.port}" for disagreement in walk.disagreements)
        or "what they spoke of"
    )
    return Text(f"✗ The judge and the plan disagree at: {pairs}", "bold red")
