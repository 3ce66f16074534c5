"""``remediate verify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from remediate.cli.options import common, inventory
from remediate.cli.session import Session

if TYPE_CHECKING:
    from remediate.model.access import ClusterAccess
    from remediate.model.plan import Plan


@click.command()
@inventory()
@common
@click.pass_obj
def command(session: Session, inventory_path: Path, patterns: tuple[str, ...]) -> int:
    """Say what each endpoint would get from each peer, now. Writes nothing to a cluster.

    Endpoints are judged as if verification were on, also while the workaround is on. --json prints {"clusters": [{"cluster",
    "exit_code", "error", "complete", "endpoints", "unresolved", "alarms", "not_in_use", "undiscovered"}], "exit_code"}.

    \b
    EXAMPLES
      remediate verify -i inventory.yml
      remediate verify -i inventory/ -c 'edge-*' --json

    \b
    EXIT CODES
      0   every endpoint verifies from every peer
      2   some do not, and a plan could fix what fails
      10  some do not, and no trust or cipher change fixes them all
      4   a peer or an endpoint could not be observed, or discovery could not ask which there are
      1   error in the inventory, a secret, a login or a pin
    """
    from remediate.cli.codes import verify_code
    from remediate.cli.fleet import across, choose, exit_code_of, tell_errors
    from remediate.cli.observe import observe, warn_of
    from remediate.model.limits import Limits
    from remediate.planner import make_plan

    with session.listening() as sink:

        def look(cluster: ClusterAccess) -> tuple[Plan, int]:
            snapshot = observe(cluster, sink)
            warn_of(session, snapshot)
            # What a plan made of it says of "before" is the judgement of now; what it could change decides between 2 and 10.
            plan = make_plan(snapshot, cluster.policy)
            return plan, verify_code(plan)

        results = across(choose(session, inventory_path, patterns), look, Limits())
    tell_errors(session, results)
    code = exit_code_of(results)
    if session.json:
        session.write_json({"exit_code": code, "clusters": [done.as_json(as_json) for done in results]})
    else:
        for done in results:
            if done.value:
                _show(session, done.value)
    return code


def as_json(plan: Plan) -> dict[str, Any]:
    """Return what a verification says, in the words of a plan's JSON."""
    import json

    from remediate.report.view import alarms_of

    whole = json.loads(plan.to_json())
    endpoints = [{**one["before"], **{key: one[key] for key in ("address", "port", "peer")}} for one in whole["endpoints"]]
    alarms = list(alarms_of(plan))
    return {
        "complete": whole["complete"],
        "endpoints": endpoints,
        "unresolved": whole["unresolved"],
        "alarms": alarms,
        "not_in_use": whole.get("not_in_use", []),
        "undiscovered": whole.get("undiscovered", []),
    }


def _show(session: Session, plan: Plan) -> None:
    from dataclasses import replace

    from rich.text import Text

    from remediate.model.text import escape
    from remediate.report.terminal import show_incomplete, show_matrix, show_unresolved

    console = session.out()
    console.print(Text(f"Cluster {escape(plan.cluster)}", "bold"))
    if not plan.complete:
        show_incomplete(console, plan, "so what follows is not all there is")
    now = [replace(endpoint, after=endpoint.before) for endpoint in plan.endpoints]
    show_matrix(console, now, every_row=session.verbose > 0)
    show_unresolved(console, plan.unresolved, "Not fixed by a plan as it stands, or not looked at")
    if plan.not_in_use:
        console.print(Text(f"Not in use, so not judged: {escape(', '.join(plan.not_in_use), 2000)}", "dim"))
    for gap in plan.undiscovered:
        if not gap.incomplete:
            console.print(Text(escape(gap.message, 2000), "dim"))
    fixable = sum(endpoint.after.verdict.ok and not endpoint.before.verdict.ok for endpoint in plan.endpoints)
    if fixable:
        session.hint(f"A plan could fix {fixable} of what fails: `remediate plan -i INVENTORY -o plan.json`.")
