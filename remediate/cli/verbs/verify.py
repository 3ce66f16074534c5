"""``remediate verify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from remediate.cli.options import common, inventory
from remediate.cli.session import Session

if TYPE_CHECKING:
    from remediate.model.access import ClusterAccess
    from remediate.model.exit_codes import ExitCode
    from remediate.model.plan import Plan


@click.command()
@inventory()
@common
@click.pass_obj
def command(session: Session, inventory_path: Path, patterns: tuple[str, ...]) -> ExitCode:
    """Say what each endpoint would get from each peer, now. Writes nothing to a cluster.

    Endpoints are judged as if verification were on, also while the workaround is on. --json prints {"clusters": [{"cluster",
    "exit_code", "error", "complete", "endpoints", "unresolved", "alarms", "not_in_use", "undiscovered", "toward_nodes"}],
    "exit_code"}.

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
    from remediate.cli.codes import verify_exit_code
    from remediate.cli.fleet import choose_clusters, combine_exit_codes, report_errors, run_on_clusters
    from remediate.cli.observe import observe, warn_about
    from remediate.model.limits import Limits
    from remediate.planner import make_plan

    with session.open_event_sink() as sink:

        def verify_cluster(cluster: ClusterAccess) -> tuple[Plan, ExitCode]:
            snapshot = observe(cluster, sink)
            warn_about(session, snapshot)
            # The plan's "before" is the present verdict; its "after" decides between CHANGES_PENDING and ENDPOINTS_REMAIN.
            plan = make_plan(snapshot, cluster.policy)
            return plan, verify_exit_code(plan)

        results = run_on_clusters(choose_clusters(session, inventory_path, patterns), verify_cluster, Limits())
    report_errors(session, results)
    code = combine_exit_codes(results)
    if session.json:
        session.write_json({"exit_code": code, "clusters": [result.as_json(verification_json) for result in results]})
    else:
        for result in results:
            if result.value:
                _show(session, result.value)
    return code


def verification_json(plan: Plan) -> dict[str, Any]:
    """Return a verification as JSON, in the form of a plan's endpoints."""
    import json

    whole = json.loads(plan.to_json())
    endpoints = [
        {**endpoint["before"], **{key: endpoint[key] for key in ("address", "port", "peer")}} for endpoint in whole["endpoints"]
    ]
    # The document of a plan holds its alarms as the first of its notes.
    alarms = whole["notes"][: len(plan.alarms)]
    return {
        "complete": whole["complete"],
        "endpoints": endpoints,
        "unresolved": whole["unresolved"],
        "alarms": alarms,
        "not_in_use": whole.get("not_in_use", []),
        "undiscovered": whole.get("undiscovered", []),
        "toward_nodes": whole.get("toward_nodes", []),
    }


def _show(session: Session, plan: Plan) -> None:
    from dataclasses import replace

    from rich.text import Text

    from remediate.model.text import escape, group_ports
    from remediate.report.terminal import show_incomplete, show_list, show_matrix, show_unresolved
    from remediate.report.view import TOWARD_NODES, describe_toward_nodes

    console = session.out()
    console.print(Text(f"Cluster {escape(plan.cluster)}", "bold"))
    if not plan.complete:
        show_incomplete(console, plan, "so what follows is not all there is")
    now = [replace(endpoint, after=endpoint.before) for endpoint in plan.endpoints]
    show_matrix(console, now, every_row=session.verbose > 0)
    show_unresolved(console, plan.unresolved, "Not fixed by a plan as it stands, or not looked at")
    show_list(console, TOWARD_NODES, describe_toward_nodes(plan))
    if plan.not_in_use:
        console.print(Text(f"Not in use, so not judged: {escape(group_ports(plan.not_in_use), 2000)}", "dim"))
    for gap in plan.undiscovered:
        if not gap.incomplete:
            console.print(Text(escape(gap.message, 2000), "dim"))
    fixable = sum(endpoint.after.verdict.ok and not endpoint.before.verdict.ok for endpoint in plan.endpoints)
    if fixable:
        session.hint(f"A plan could fix {fixable} of what fails: `remediate plan -i INVENTORY -o plan.json`.")
