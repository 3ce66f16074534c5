"""``remediate verify``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from remediate.cli.durations import HORIZON
from remediate.cli.options import OUTPUT, PATH, common, inventory, option
from remediate.cli.session import Session
from remediate.model.errors import UsageError
from remediate.model.exit_codes import most_serious

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediate.cli.fleet import ClusterResult
    from remediate.executor.effect.cluster import ClusterEffects
    from remediate.model.access import ClusterAccess
    from remediate.model.events import Sink
    from remediate.model.exit_codes import ExitCode
    from remediate.model.limits import Limits
    from remediate.model.plan import FutureChange, Plan
    from remediate.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Verification:
    """What was seen of one cluster.

    Attributes:
        plan: A plan made now; its "before" is the present verdict.
        future: What the calendar changes where nothing is written; None: that was not asked for.
    """

    snapshot: Snapshot
    plan: Plan
    effects: ClusterEffects
    future: tuple[FutureChange, ...] | None = None


@click.command()
@inventory()
@option("--no-clients", is_flag=True, help="Send no client requests; use this for a job every five minutes.")
@option("--accept-remaining", "accepted_path", type=PATH, metavar="PLAN",
        help="Do not exit with 10 for what this plan lists as not fixed.")  # fmt: skip
@option("--horizon", type=HORIZON, metavar="90d", help="Also show what will start or stop passing within this time, and why.")
@option(
    "--metrics",
    "metrics_path",
    type=OUTPUT,
    metavar="FILE",
    help="Write metrics in the Prometheus text format, for the textfile collector.",
)
@common
@click.pass_obj
def command(
    session: Session,
    inventory_path: Path,
    patterns: tuple[str, ...],
    no_clients: bool,  # noqa: FBT001 - click passes options by name
    accepted_path: Path | None,
    horizon: timedelta | None,
    metrics_path: Path | None,
) -> ExitCode:
    """Show which endpoints pass on each peer by their certificates, and what clients get. Writes nothing to a cluster.

    Client requests go through each peer whose `mra` is in the inventory, within the limit of sign-ins. The journal, which is
    only read, shows what was written to a peer that may not have restarted since: what is written is not yet in effect.

    Endpoints are checked as if verification were on, even while the workaround is on. --json prints {"clusters": [{"cluster",
    "exit_code", "error", "complete", "endpoints", "in_effect", "unresolved", "alarms", "not_in_use", "undiscovered",
    "toward_nodes", "future"}], "exit_code"}.

    \b
    EXAMPLES
      remediate verify -i inventory.yml
      remediate verify -i inventory/ -c 'edge-*' --json
      remediate verify -i inventory.yml --no-clients --accept-remaining plan.json
      remediate verify -i inventory.yml --horizon 90d
      remediate verify -i inventory/ --no-clients --metrics /var/lib/node_exporter/remediate.prom

    \b
    EXIT CODES
      0   every endpoint passes on every peer, and what was written is in effect
      2   some do not, or will not within --horizon, and a plan made now fixes or prevents that
      10  some do not, or will not within --horizon, and no trust or cipher change fixes them all
      11  a peer is not known to have started since it was written to, and nothing else shows the change in effect
      8   a client is refused although the list of the peer accepts
      4   a peer or an endpoint could not be observed, or discovery is incomplete
      1   error in the inventory, a secret, a login or a pin
    """
    from remediate.cli.codes import horizon_exit_code, verify_exit_code
    from remediate.cli.fleet import choose_clusters, combine_exit_codes, report_errors
    from remediate.cli.fleet_processes import look_at_clusters
    from remediate.cli.observe import warn_about

    clusters = choose_clusters(session, inventory_path, patterns)
    accepted = _read_accepted(accepted_path, clusters)

    def accept(cluster: ClusterAccess, verification: Verification) -> tuple[Verification, ExitCode]:
        warn_about(session, verification.snapshot)
        plan = verification.plan
        code = verify_exit_code(plan, accepted if accepted and cluster.name == accepted.cluster else None)
        codes = [code, verification.effects.exit_code, horizon_exit_code(plan, verification.future or ())]
        return verification, most_serious(codes)

    look = partial(
        _look, limits=session.limits, state_dir=session.chosen_state_dir, ask_clients=not no_clients, horizon=horizon
    )
    with session.open_event_sink() as sink:
        results = look_at_clusters(session, clusters, look, accept, sink)
    report_errors(session, results)
    code = combine_exit_codes(results)
    _notify(session, clusters, results)
    if metrics_path:
        _write_metrics(metrics_path, results)
    if session.json:
        session.write_json({"exit_code": code, "clusters": [result.as_json(verification_json) for result in results]})
    elif len(results) > 1 and not session.verbose:
        _show_fleet(session, results)
    else:
        for result in results:
            if result.value:
                _show(session, result.value)
    return code


def _look(
    cluster: ClusterAccess,
    sink: Sink,
    limits: Limits,
    state_dir: Path | None,
    *,
    ask_clients: bool,
    horizon: timedelta | None,
) -> Verification:
    """Look at a cluster and its clients, perhaps in another process."""
    from remediate.cli.observe import observe
    from remediate.cli.session import find_state_dir
    from remediate.executor.effect.cluster import observe_effects
    from remediate.planner import make_plan

    snapshot = observe(cluster, sink, limits)
    # The plan's "after" decides between CHANGES_PENDING and ENDPOINTS_REMAIN.
    plan = make_plan(snapshot, replace(cluster.policy, horizon=horizon or cluster.policy.horizon))
    effects = observe_effects(
        cluster,
        snapshot,
        state_dir=find_state_dir(state_dir),
        ask_clients=ask_clients,
        toward_nodes=plan.toward_nodes,
        limits=limits,
        sink=sink,
    )
    return Verification(snapshot, plan, effects, _foresee(snapshot, horizon))


def _show_fleet(session: Session, results: Sequence[ClusterResult[Verification]]) -> None:
    """Print a line for each cluster."""
    from remediate.language.messages import mark_words
    from remediate.model.effect import EffectState
    from remediate.report.fleet import FleetLine, show_fleet, verification_line

    lines = []
    for result in results:
        if result.value is None:
            lines.append(FleetLine(result.cluster, result.exit_code, str(result.error or "not verified")))
            continue
        effects = result.value.effects
        waiting = sum(effect.state is not EffectState.YES for effect in effects.effects)
        lines.append(verification_line(result.value.plan, effects.client_views, result.exit_code, waiting))
    show_fleet(session.out(), mark_words("certificates", "clients"), lines)
    session.hint("Details of one: `remediate verify -i INVENTORY -c CLUSTER`; of all: -v.")


def _foresee(snapshot: Snapshot, horizon: timedelta | None) -> tuple[FutureChange, ...] | None:
    from remediate.planner.node_horizon import foresee_all

    return foresee_all(snapshot, snapshot.taken_at + horizon) if horizon else None


def _notify(session: Session, clusters: Sequence[ClusterAccess], results: Sequence[ClusterResult[Verification]]) -> None:
    from remediate.cli.notification import notify_of_changes

    by_name = {cluster.name: cluster for cluster in clusters}
    for result in results:
        if result.value is not None:
            snapshot = result.value.snapshot
            notify_of_changes(session, by_name[result.cluster], snapshot, at=snapshot.taken_at)


def _write_metrics(path: Path, results: Sequence[ClusterResult[Verification]]) -> None:
    """Write the metrics of every cluster to one file that a collector of another user can read: it holds no secret."""
    from remediate.cli.files import write_atomically
    from remediate.model.canonical import utc_now
    from remediate.report.metrics import ClusterLook, format_metrics

    now = utc_now()
    looks: list[ClusterLook] = []
    for result in results:
        look = ClusterLook(result.cluster, result.exit_code, now)
        if result.value is not None:
            look = replace(
                look,
                looked_at=result.value.snapshot.taken_at,
                snapshot=result.value.snapshot,
                plan=result.value.plan,
                effects=result.value.effects.effects,
                client_views=result.value.effects.client_views,
            )
        looks.append(look)
    write_atomically(path, format_metrics(looks), everyone_may_read=True)


def _read_accepted(path: Path | None, clusters: Sequence[ClusterAccess]) -> Plan | None:
    """Return the plan in `path`, which says what stays refused. Raises UsageError for a plan of another cluster."""
    from remediate.cli.files import read_document
    from remediate.model.plan import Plan

    if path is None:
        return None
    plan = read_document(path, Plan.from_json)
    if plan.cluster not in {cluster.name for cluster in clusters}:
        raise UsageError(
            f"--accept-remaining: {path} is a plan for the cluster {plan.cluster}, which is not among those chosen.",
            next_step="Give a plan of a cluster that is verified, or choose its cluster with -c.",
        )
    return plan


def verification_json(verification: Verification) -> dict[str, Any]:
    """Return a verification as JSON, in the form of a plan's endpoints."""
    import json

    from remediate.cli.runs_view import client_json
    from remediate.formats.plan import write_future
    from remediate.model.effect import effects_json

    plan, effects = verification.plan, verification.effects
    whole = json.loads(plan.to_json())
    clients = {
        (pair.endpoint.address, pair.endpoint.port, pair.peer): client_json(view) for pair, view in effects.client_views.items()
    }
    endpoints = [
        {
            **endpoint["before"],
            **{key: endpoint[key] for key in ("address", "port", "peer")},
            "client": clients[endpoint["address"], endpoint["port"], endpoint["peer"]],
        }
        for endpoint in whole["endpoints"]
    ]
    # The document of a plan holds its alarms as the first of its notes.
    alarms = whole["notes"][: len(plan.alarms)]
    return {
        "complete": whole["complete"],
        "endpoints": endpoints,
        "in_effect": effects_json(effects.effects),
        "unresolved": whole["unresolved"],
        "alarms": alarms,
        "not_in_use": whole.get("not_in_use", []),
        "undiscovered": whole.get("undiscovered", []),
        "toward_nodes": whole.get("toward_nodes", []),
        "future": None if verification.future is None else [write_future(change) for change in verification.future],
    }


def _show(session: Session, verification: Verification) -> None:
    from rich.text import Text

    from remediate.model.text import escape, group_ports
    from remediate.report.effects import show_effects
    from remediate.report.lines import print_indented
    from remediate.report.terminal import show_incomplete, show_list, show_unresolved
    from remediate.report.toward_nodes import TOWARD_NODES, describe_toward_nodes
    from remediate.report.verification import show_verification
    from remediate.report.view import NO_CHANGE_AHEAD, describe_changes

    console, plan = session.out(), verification.plan
    print_indented(console, Text(f"Cluster {escape(plan.cluster)}", "bold"), 0)
    if not plan.complete:
        show_incomplete(console, plan, "so the results below may not be complete")
    views = verification.effects.client_views
    show_verification(console, plan.endpoints, views, system_names=plan.system_names, every_row=session.verbose > 0)
    show_effects(console, verification.effects.effects, system_names=plan.system_names)
    show_unresolved(console, plan.unresolved, "Not fixed by a plan, or not checked")
    show_list(console, TOWARD_NODES, describe_toward_nodes(plan))
    if verification.future is not None:
        lines = describe_changes(verification.future, verification.snapshot.certificates) or (NO_CHANGE_AHEAD,)
        show_list(console, "By date, if nothing is changed", lines)
    if plan.not_in_use:
        text = f"Not in use, so not checked: {escape(group_ports(plan.not_in_use), 2000)}"
        print_indented(console, Text(text, "dim"), 0)
    for gap in plan.undiscovered:
        if not gap.incomplete:
            print_indented(console, Text(escape(gap.message, 2000), "dim"), 0)
    fixable = sum(endpoint.after.ok and not endpoint.before.ok for endpoint in plan.endpoints)
    if fixable:
        session.hint(f"A plan could fix {fixable} of what fails: `remediate plan -i INVENTORY -o plan.json`.")
