"""``remediate plan``."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from remediate.cli.durations import HORIZON
from remediate.cli.options import OUTPUT, PATH, approvals, authorities, common, inventory, is_inventory_preferred, option
from remediate.cli.session import Session
from remediate.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediate.cli.fleet import ClusterResult
    from remediate.cli.offline_plans import PlannedCluster, PolicyOptions
    from remediate.model.access import ClusterAccess
    from remediate.model.events import Sink
    from remediate.model.exit_codes import ExitCode
    from remediate.model.limits import Limits
    from remediate.model.plan import CipherPolicy, Plan

CIPHERS = ("keep", "prefer-rsa", "prefer-ecdsa", "auto")


@click.command()
@inventory(required=False)
@option(
    "--snapshot",
    "snapshot_path",
    type=PATH,
    metavar="FILE|FOLDER",
    help="Plan from this snapshot, or each of a folder, offline.",
)
@option("-o", "--output", type=OUTPUT, metavar="FILE", help="The output file; with several clusters, an existing folder.")
@option(
    "--ciphers", type=click.Choice(CIPHERS), help="How the cipher list may change; auto unless the inventory says otherwise."
)
@authorities
@approvals
@option("--allow-removal", is_flag=True, help="Allow a stale certificate to be removed where nothing else helps.")
@option("--never-trust-self-signed", is_flag=True, help="Never trust a server's own self-signed certificate.")
@option("--horizon", type=HORIZON, metavar="90d", help="Also show what will start or stop passing within this time, and why.")
@option("--no-refresh", is_flag=True, help="Leave out the discovery refresh that otherwise ends a plan.")
@option("--cucm-trust", is_flag=True,
        help=(
            "Also plan the uploads that Unified CM and IM and Presence need to trust the peers' own certificates."
        ))  # fmt: skip
@option("--detailed-exitcode", is_flag=True, help="Exit with 2 for pending changes, 10 for what still fails.")
@option("--all", "every_row", is_flag=True, help="Show every endpoint and every action separately, with details.")
@option("--explain", is_flag=True, help="Also show the next-best plans, why they were not chosen, and how to choose them.")
@common
@click.pass_obj
def command(
    session: Session,
    inventory_path: Path | None,
    patterns: tuple[str, ...],
    snapshot_path: Path | None,
    output: Path | None,
    ciphers: CipherPolicy | None,
    ca_paths: tuple[Path, ...],
    approve: tuple[str, ...],
    approve_file: Path | None,
    allow_removal: bool,  # noqa: FBT001 - click passes options by name
    never_trust_self_signed: bool,  # noqa: FBT001
    no_refresh: bool,  # noqa: FBT001
    cucm_trust: bool,  # noqa: FBT001
    horizon: timedelta | None,
    detailed_exitcode: bool,  # noqa: FBT001
    every_row: bool,  # noqa: FBT001
    explain: bool,  # noqa: FBT001
) -> ExitCode:
    """Check a cluster, choose the smallest safe change, and explain it. Writes nothing to a cluster.

    With one cluster, -o writes its plan, and --json prints it; with several, -o is a folder that gets CLUSTER.json for each, and
    --json prints {"clusters": [{"cluster", "exit_code", "error", "plan"}], "exit_code"}.

    \b
    EXAMPLES
      remediate plan -i inventory.yml
      remediate plan -i inventory.yml --ca pki/ -o plan.json
      remediate plan -i inventory.yml --no-refresh
      remediate plan -i inventory.yml --cucm-trust -o plan.json
      remediate plan --snapshot snapshot.json --ciphers keep --explain
      remediate plan --snapshot snapshots/ -o plans/

    \b
    EXIT CODES
      0   a plan was made (with --detailed-exitcode: there is nothing to change and nothing fails)
      2   --detailed-exitcode: changes are pending
      10  --detailed-exitcode: something still fails that no trust or cipher change fixes
      4   a peer or an endpoint could not be observed, or discovery is incomplete; the plan is made anyway
      1   error in the inventory, a secret, a login or a pin
    """
    from remediate.cli.approvals import read_command_line_approvals
    from remediate.cli.fleet import combine_exit_codes, raise_single_error, report_errors
    from remediate.cli.observe import read_authorities
    from remediate.cli.offline_plans import PolicyOptions
    from remediate.cli.results import write_documents, write_files
    from remediate.model.text import count
    from remediate.report.next_step import describe_next_step

    command_line_approvals = read_command_line_approvals(approve, approve_file, ca_paths)
    policy_options = PolicyOptions(
        ciphers,
        allow_removal,
        never_trust_self_signed,
        horizon,
        no_refresh,
        cucm_trust,
        command_line_approvals,
        read_authorities(session, ca_paths),
    )
    if snapshot_path and not is_inventory_preferred("snapshot_path"):
        results = _plan_from_snapshots(session, snapshot_path, policy_options, output, detailed=detailed_exitcode)
    elif inventory_path:
        results = _plan_from_clusters(session, inventory_path, patterns, policy_options, output, detailed=detailed_exitcode)
    else:
        raise UsageError("There is nothing to plan from.", next_step="Give -i INVENTORY, or --snapshot FILE.")
    raise_single_error(results)
    report_errors(session, results)
    paths = write_files(results, output)
    if session.json:
        write_documents(session, results, "plan", combine_exit_codes(results))
    elif len(results) > 1 and not (explain or every_row or session.verbose):
        _show_fleet(session, results)
    else:
        plans_made = [result.value for result in results if result.value]
        _show(session, plans_made, explain=explain, every_row=every_row)
    if paths:
        plan = max((result.value for result in results if result.value), key=lambda plan: (bool(plan.actions), plan.complete))
        path = paths[0] if len(paths) == 1 else paths[0].with_name("CLUSTER.json")
        clusters = f" for {count(len(paths), 'cluster')}" if len(paths) > 1 else ""
        session.hint(f"Wrote {path}{clusters}. {describe_next_step(plan, str(path), str(inventory_path or 'INVENTORY'))}")
    return combine_exit_codes(results)


def _plan_from_snapshots(
    session: Session, path: Path, policy_options: PolicyOptions, output: Path | None, *, detailed: bool
) -> tuple[ClusterResult[Plan], ...]:
    """Plan from a snapshot, or from each ``*.json`` of a folder; a file of the folder that cannot be read is that file's error."""
    from remediate.cli.fleet import ClusterResult
    from remediate.cli.observe import remind_from_journal
    from remediate.cli.offline_plans import choose_processes, plan_files
    from remediate.cli.results import check_output
    from remediate.model.errors import RemediateError

    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        raise UsageError(
            f"{path} has no snapshot.",
            next_step="Give a folder of *.json files, as written by `remediate collect -o FOLDER`.",
        )
    check_output(output, len(files))
    if output and path.is_dir() and output.resolve() == path.resolve():
        raise UsageError("The plans would overwrite the snapshots.", next_step="Give another folder with -o.")
    results: list[ClusterResult[Plan]] = []
    plans = plan_files(files, policy_options, choose_processes(len(files)))
    for file, planned in zip(files, plans, strict=True):
        if isinstance(planned, RemediateError):
            results.append(ClusterResult(file.stem, None, planned.exit_code, planned))
        else:
            code = _accept_plan(session, planned, policy_options, detailed=detailed)
            results.append(ClusterResult(planned.plan.cluster, planned.plan, code))
    clusters = [result.cluster for result in results]
    if repeated := sorted({cluster for cluster in clusters if clusters.count(cluster) > 1}):
        raise UsageError(f"{path} holds more than one snapshot of {repeated[0]}.", next_step="Keep only the one to plan from.")
    remind_from_journal(session)
    return tuple(results)


def _plan_from_clusters(
    session: Session,
    path: Path,
    patterns: tuple[str, ...],
    policy_options: PolicyOptions,
    output: Path | None,
    *,
    detailed: bool,
) -> tuple[ClusterResult[Plan], ...]:
    from remediate.cli.fleet import choose_clusters
    from remediate.cli.fleet_processes import look_at_clusters
    from remediate.cli.results import check_output

    clusters = choose_clusters(session, path, patterns)
    check_output(output, len(clusters))

    def accept(_cluster: ClusterAccess, planned: PlannedCluster) -> tuple[Plan, ExitCode]:
        return planned.plan, _accept_plan(session, planned, policy_options, detailed=detailed)

    look = partial(_look, limits=session.limits, policy_options=policy_options)
    with session.open_event_sink() as sink:
        return look_at_clusters(session, clusters, look, accept, sink)


def _look(cluster: ClusterAccess, sink: Sink, limits: Limits, policy_options: PolicyOptions) -> PlannedCluster:
    """Look at a cluster and plan, perhaps in another process."""
    from remediate.cli.observe import observe
    from remediate.cli.offline_plans import plan_snapshot

    return plan_snapshot(observe(cluster, sink, limits), policy_options, cluster.policy)


def _accept_plan(session: Session, planned: PlannedCluster, policy_options: PolicyOptions, *, detailed: bool) -> ExitCode:
    """Say what a person has to know of a plan, record its approvals, and return its exit code."""
    from remediate.cli.approvals import save_approvals
    from remediate.cli.codes import plan_exit_code
    from remediate.cli.observe import warn_about

    warn_about(session, planned.outline)
    if planned.needs_review:
        session.say(f"{planned.plan.cluster}: your approvals lead to a different plan: review it again.")
    save_approvals(session, planned.plan, policy_options.approvals)
    return plan_exit_code(planned.plan, detailed=detailed)


def _show_fleet(session: Session, results: Sequence[ClusterResult[Plan]]) -> None:
    """Print a line for each cluster, by what its plan says: the command ends with 0 wherever a plan was made."""
    from remediate.cli.codes import plan_exit_code
    from remediate.language.messages import mark_words
    from remediate.report.fleet import FleetLine, plan_line, show_fleet

    lines = [
        plan_line(result.value, plan_exit_code(result.value, detailed=True))
        if result.value
        else FleetLine(result.cluster, result.exit_code, str(result.error or "not planned"))
        for result in results
    ]
    show_fleet(session.out(), mark_words("checks that pass", "changes", "approvals", "undo by hand"), lines)
    session.hint("Details of one: choose it with -c, or `remediate show` its plan; of all: --all.")


def _show(session: Session, plans: list[Plan], *, explain: bool, every_row: bool) -> None:
    from remediate.report.terminal import show_plan

    console = session.out()
    for number, plan in enumerate(plans):
        if number:
            console.rule()
        show_plan(console, plan, every_row=every_row or session.verbose > 0, explain=explain)
