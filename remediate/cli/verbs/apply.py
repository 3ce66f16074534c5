"""``remediate apply``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from remediate.cli.durations import WITHIN
from remediate.cli.options import PATH, approvals, authorities, common, confirmation, inventory, option, restarting
from remediate.cli.session import Session
from remediate.model.errors import InventoryError
from remediate.model.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from remediate.executor.result import ApplyOptions, OnFailure, RunResult
    from remediate.model.access import ClusterAccess
    from remediate.model.approvals import ApprovedCertificate
    from remediate.model.plan import EndpointForecast, Plan
    from remediate.model.restart import Calls, Restart
    from remediate.report.run_progress import ExpectedWork


@click.command()
@click.argument("plan", type=PATH)
@inventory()
@option("--dry-run", is_flag=True, help="Run every step over connections that cannot write.")
@confirmation
@authorities
@approvals
@option("--approvals", "approvals_file", type=PATH, metavar="FILE",
        help="The approvals for this plan, as written by `remediate approve`.")  # fmt: skip
@option("--restart", "chosen_restart", type=click.Choice(["never", "if-needed", "rolling"]),
        help="Restart peers, one at a time: none, those that still refuse clients, or all that changed. "
             "Default: policy.restart, else if-needed.")  # fmt: skip
@restarting
@option("--on-failure", type=click.Choice(["rollback", "workaround", "stop"]), default="rollback", show_default=True,
        help="What to do when a change fails.")  # fmt: skip
@option(
    "--confirm-within",
    type=WITHIN,
    metavar="15m",
    help="Undo everything unless `remediate confirm` follows within 900s, 15m or 1h; at most 24h.",
)
@option("--window", metavar="START/END",
        help="Start no change outside these hours: 22:00/02:00, or '22:00/02:00 Europe/Paris'.")  # fmt: skip
@option("--ticket", metavar="TEXT", help="The change ticket, for the lock and the journal.")
@option(
    "--cucm-trust", is_flag=True, help="Also upload the certificates that the plan names to Unified CM and IM and Presence."
)
@option("--diagnostic-log", is_flag=True,
        help="If no client request shows whether it is in effect, record the peers' own logs for three minutes.")  # fmt: skip
@option("--accept-remaining", is_flag=True, help="Do not exit with 10 for what the plan itself lists as not fixed.")
@option("--allow-incomplete", is_flag=True, help="Apply a plan that was made without seeing every peer and endpoint.")
@common
@click.pass_obj
def command(
    session: Session,
    plan: Path,
    inventory_path: Path,
    patterns: tuple[str, ...],
    dry_run: bool,  # noqa: FBT001 - click passes options by name
    yes: bool,  # noqa: FBT001
    ca_paths: tuple[Path, ...],
    approve: tuple[str, ...],
    approve_file: Path | None,
    approvals_file: Path | None,
    chosen_restart: Restart | None,
    calls: Calls | None,
    drain_for: timedelta,
    assume: tuple[str, ...],
    on_failure: OnFailure,
    confirm_within: timedelta | None,
    window: str | None,
    ticket: str | None,
    cucm_trust: bool,  # noqa: FBT001
    diagnostic_log: bool,  # noqa: FBT001
    accept_remaining: bool,  # noqa: FBT001
    allow_incomplete: bool,  # noqa: FBT001
) -> ExitCode:
    """Apply PLAN (- is stdin) to every peer of its cluster, read everything back, and verify every endpoint.

    Shows the plan and asks for `yes` in full. Without a terminal and without --yes, it stops before it does anything.

    What confirms each certificate is checked again, whatever PLAN says: the cluster's lists, the inventory's `ca`, certificate
    management, or an approval. What was given to `plan` or `approve` on this machine counts; on another machine, give it here.

    What is written is not yet in effect: a peer may use its old list until it restarts. Client requests, through each peer
    whose `mra` is in the inventory, and each peer's start show whether it is: "in_effect" in the JSON. With --restart
    if-needed, a peer that refuses a client although its list accepts restarts, guarded and drained as by `remediate restart`,
    and is tested again before the next one. With --yes, it does so only if --calls or `policy.calls` says what happens to
    calls. If the two sign-ins of five minutes are used up and only a client request can show it, it waits for the next one, and
    counts down. With --diagnostic-log, if no client request shows it, diagnostic logging is started on the cluster and always
    stopped after three minutes; each peer's own log then shows whether client requests are still refused there or were
    answered.

    With --cucm-trust, the certificates in a plan made with --cucm-trust are uploaded to Unified CM and IM and Presence with
    `platform_credentials`, journaled and read back. They take effect once services there restart: each is named with its price,
    and none is restarted. Without it, such a plan is refused.

    With --confirm-within, a process on this machine undoes the run unless `remediate confirm` follows in time, even if this
    terminal is lost or the apply dies. It stops if this machine stops, and needs a password source other than `prompt`.

    With --window, no change starts outside the window, nor one that would not end in it; what is done by then stays, and the
    same apply continues in the next window. A rollback after a failure ignores the window.

    With --json, one document has the result, the open steps and, under "notes", the notices that -q does not hide.

    \b
    EXAMPLES
      remediate apply plan.json -i inventory.yml --dry-run
      remediate apply plan.json -i inventory.yml --ticket CHG0012345
      remediate apply plan.json -i inventory.yml --yes --approve-file fingerprints.txt
      remediate apply plan.json -i inventory.yml --approvals approvals.json
      remediate apply plan.json -i inventory.yml --confirm-within 15m --window '22:00/02:00 Europe/Paris'

    \b
    EXIT CODES
      0   applied and in effect on every peer, or there was nothing to do; every endpoint verifies
      1   error, or the window is closed; nothing was changed
      3   failed and rolled back; the start state was read back and is there
      4   the plan is incomplete, and --allow-incomplete was not given; or something could not be observed
      5   locked by another run, or an earlier one is waiting for its confirmation
      6   the plan is stale: what it was made from has changed, or a certificate is no longer needed
      7   declined, or a certificate lacks an approval, or the plan uploads to nodes without --cucm-trust
      8   manual action needed: an outcome is unknown, a rollback failed, a manual step is open, the window ended,
          or a peer refuses clients although its list accepts
      9   applied, and undone unless `remediate confirm` follows in time
      10  applied; something still fails that no trust or cipher change fixes (see --accept-remaining)
      11  written and read back; not known to be in effect on every peer, or not in effect under --restart never;
          or uploaded to nodes, whose services must restart
      130 interrupted (143: terminated); the journal has what was done
    """
    from remediate.cli.approvals import read_approvals, read_command_line_approvals
    from remediate.cli.files import read_document
    from remediate.cli.restarts import choose_calls, make_restart_options
    from remediate.executor.result import ApplyOptions
    from remediate.executor.window import parse_window
    from remediate.model.plan import Plan

    command_line_approvals = read_command_line_approvals(approve, approve_file, ca_paths)
    # An empty value, from a variable that is not set, is refused: it would silently drop the window.
    hours = None if window is None else parse_window(window)
    value = read_document(plan, Plan.from_json)
    approved = (*command_line_approvals, *read_approvals(approvals_file, value))
    cluster = _choose_cluster(session, value, inventory_path, patterns)
    restart = chosen_restart or cluster.restarts.restart or "if-needed"
    how = make_restart_options(session, choose_calls(calls, cluster, restart, yes=yes), drain_for, assume)
    options = ApplyOptions(
        dry_run,
        approved,
        restart,
        on_failure,
        ticket,
        allow_incomplete,
        confirm_within,
        hours,
        restarts=how,
        accept_remaining=accept_remaining,
        diagnostic_log=diagnostic_log,
        cucm_trust=cucm_trust,
    )
    if not dry_run and not yes and value.actions:
        _confirm(session, value, _refuse_early(session, value, cluster, options), cluster, options)
    return _apply(session, value, cluster, options)


def _apply(session: Session, plan: Plan, cluster: ClusterAccess, options: ApplyOptions) -> ExitCode:
    """Apply `plan`, or rehearse it, and print how that ended."""
    from remediate.cli.notices import NoticeCollector
    from remediate.cli.notification import notify_of_run
    from remediate.cli.rehearsal import RehearsalCollector
    from remediate.cli.runs_view import result_json, show_result
    from remediate.executor.apply import apply_plan
    from remediate.executor.commands import rollback_command
    from remediate.model.canonical import utc_now

    started = time.monotonic()
    work = _expect_work(session, plan, cluster, is_listed=options.dry_run and not session.json)
    with session.open_event_sink(work) as sink, NoticeCollector(session, rehearsal := RehearsalCollector(sink)) as notices:
        result = apply_plan(plan, cluster, options, state_dir=session.state_dir, limits=session.limits, sink=notices)
        notes = notices.notes_besides(result.open_step_texts)
    notify_of_run(session, cluster, result, kind="apply", at=utc_now())
    if session.json:
        body = result_json(result, notes, cluster=plan.cluster, plan=plan.id)
        session.write_json({**body, "dry_run": options.dry_run, "confirm_by": result.confirm_by})
        return ExitCode(result.exit_code)
    rehearsal.show(session.out())
    # What a dry run has to show of the endpoints is in the plan.
    forecasts = () if options.dry_run else _compare_with_start(result, plan)
    undo = rollback_command(result.run_id, cluster, session.state_dir)
    show_result(session, result, forecasts, started=started, undo=undo, plan=plan)
    return ExitCode(result.exit_code)


def _expect_work(session: Session, plan: Plan, cluster: ClusterAccess, *, is_listed: bool) -> ExpectedWork:
    """Return what the apply of `plan` is about to do."""
    from remediate.executor.commands import rollback_command
    from remediate.model.plan import RemoveCertificate, TrustCertificate
    from remediate.report.run_progress import ExpectedWork

    lists = [action for action in plan.actions if isinstance(action, TrustCertificate | RemoveCertificate)]
    changes: dict[str, int] = {peer: sum(peer in action.peers for action in lists) for peer in plan.base}
    return ExpectedWork(
        tuple(plan.base),
        changes,
        lambda run: rollback_command(run, cluster, session.state_dir),
        is_listed=is_listed,
        system_names=plan.system_names,
    )


def _choose_cluster(session: Session, plan: Plan, path: Path, patterns: tuple[str, ...]) -> ClusterAccess:
    from remediate.cli.fleet import choose_clusters

    clusters = [cluster for cluster in choose_clusters(session, path, patterns) if cluster.name == plan.cluster]
    if not clusters:
        raise InventoryError(
            f"The plan is for the cluster {plan.cluster}, which is not among those chosen from {path}.",
            next_step="Give the inventory that the plan was made with, without -c or with the plan's own cluster.",
        )
    return clusters[0]


def _refuse_early(
    session: Session, plan: Plan, cluster: ClusterAccess, options: ApplyOptions
) -> tuple[ApprovedCertificate, ...]:
    """Raise before the question what would refuse the plan after it, and return the approvals of the plan."""
    from remediate.executor import confirm_timer, node_uploads, preflight, vouching
    from remediate.executor.window import refuse_if_closed
    from remediate.model.canonical import utc_now

    node_uploads.refuse_without_consent(plan, cluster, options)
    if options.confirm_within:
        confirm_timer.refuse_prompted_password(cluster, plan)
    refuse_if_closed(options.window, utc_now())
    if not options.allow_incomplete:
        preflight.refuse_incomplete(plan)
    return vouching.refuse_unapproved(plan, cluster, options, session.state_dir)


def _confirm(
    session: Session,
    plan: Plan,
    approvals: Sequence[ApprovedCertificate],
    cluster: ClusterAccess,
    options: ApplyOptions,
) -> None:
    """Show `plan` and its approvals, and ask for `yes`. Raises Declined."""
    from remediate.cli.live_log import RECORDING_COSTS
    from remediate.cli.questions import ask, refuse_without_terminal
    from remediate.cli.restarts import calls_now, restart_lines
    from remediate.executor.vouching import describe_approvals
    from remediate.model.canonical import utc_now
    from remediate.model.expressway import REFRESH_PRICE
    from remediate.model.plan import RefreshDiscovery, RestartPeer
    from remediate.model.text import count
    from remediate.report.cards import count_undo
    from remediate.report.terminal import show_plan
    from remediate.report.view import restarts_after_uploads, summarise_actions

    refuse_without_terminal(session, yes=False)
    show_plan(session.err(), plan)
    lines = ["", *describe_approvals(plan, approvals)]
    lines += [options.window.describe_opening(utc_now())] if options.window else []
    lines += restart_lines(cluster, options.restart, options.restarts)
    if options.restart != "never" and any(isinstance(action, RestartPeer) for action in plan.actions):
        lines.append(calls_now(session, cluster, options.restarts))
    if any(isinstance(action, RefreshDiscovery) and action.by != "person" for action in plan.actions):
        lines.append(f"Discovery is refreshed last, after all peers are done. {REFRESH_PRICE}")
    lines += restarts_after_uploads(plan)
    if options.diagnostic_log:
        lines += ["Diagnostic logging may be started on every peer afterwards, for three minutes.", *RECORDING_COSTS]
    if by_hand := count_undo(plan).by_hand:
        lines.append(f"Undo: {count(by_hand, 'deletion')} by hand, since these peers do not offer removal over REST.")
    ask(session, lines, f"Apply this to {plan.cluster}: {summarise_actions(plan)}?")


def _compare_with_start(result: RunResult, plan: Plan) -> list[EndpointForecast]:
    """Return the verdicts before the apply and after it; empty if nothing was verified."""
    from remediate.model.plan import EndpointForecast

    products = {forecast.endpoint: forecast.product for forecast in plan.endpoints}
    return [
        EndpointForecast(
            pair.endpoint.address,
            pair.endpoint.port,
            pair.peer,
            result.verdicts_before.get(pair, verdict),
            verdict,
            products.get(pair.endpoint),
        )
        for pair, verdict in result.verdicts.items()
    ]
