"""The apply of a plan to its cluster.

One run takes these steps, in this order, and no other (`steps.MAY_FOLLOW`):

 1  lock       the cluster, so that no other run of this user writes to it
 2  re-read    every peer and every endpoint: the first of two looks at the cluster
 3  compare    with what the plan was made from: a change by others to anything that it depends on refuses it (exit 6); and establish
               who vouches for each certificate to trust, and that an endpoint needs it
 4  back up    every peer's trusted CA list and cipher lists, with the plan and its approvals, in one transaction of the journal; the
               lists also as PEM files for a person, beside it
 5  journal    the intent and its inverse, on disk before anything is sent
 6  write      once
 7  read back  what is not read did not happen; the outcome is recorded in the journal
 8  next peer  after checking the one just changed, by its list as read back: what worked must still work; the next peer is
               compared again (3)
 9  ciphers    on the primary (5, 6, 7), then wait until the other peers have them; then what the plan uploads to nodes (5, 6, 7)
10  restart    the peers through which a client's request shows that the change is not in effect, one at a time (`guarded_restart`):
               guarded, drained, in the journal (5, 6, 7), back as it was, and tested again before the next
11  refresh    discovery, once every peer is done (5, 6, 7 where it can be done for the operator; else a reminder that names the page)
12  verify     every endpoint against every peer, from the second look
13  close      the run in the journal

What is true after a crash: before 4, nothing was written and no run exists. Later, a run exists in state *running*; each of its writes
is either not in the journal (not sent), *intended* (sent or not: the peer shows which), or has an outcome that was read back. The same
plan applied again resumes that run from what the peers show, and repeats no write; `rollback` undoes the run from its journal.

A failure at 5 to 12 ends as `ApplyOptions.on_failure` asks (`failure.py`). A dry run takes the same steps over peers that cannot be
written to, with a writer that can neither write nor journal.

With `ApplyOptions.window` (`window.py`), nothing begins while the window is closed, and before its 5 every change is held against it:
one that would not end in the window is not begun, and the run is closed as it is (13), *partial*, with what is left to do. The same
apply resumes it in the next window. The window does not hold back reading, verifying, or the rollback after a failure.

With `ApplyOptions.confirm_within` (`confirm_timer.py`), a process that will undo the run is up between 4 and the first 5, and 13
closes the run as *confirm-pending*, with its deadline (exit 9). Until it is confirmed, no other run on the cluster begins. A run that
dies on its way is undone at the deadline that counts from its last step, or its last look at a peer that drains.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from remediate.executor import changes, confirm_timer, preflight, staleness, verification, vouching
from remediate.executor.boundary import as_failure
from remediate.executor.closing import close_dry_run, close_run
from remediate.executor.context import Baseline, RunContext, RunState
from remediate.executor.differences import load_belief
from remediate.executor.discovery_refresh import describe_discovery_changes, refresh_discovery
from remediate.executor.effect.log import end_left_logging
from remediate.executor.effect.observe import EffectLook, look_at_effects, observe_other_effects
from remediate.executor.environment import Environment
from remediate.executor.failure import end_failed_run
from remediate.executor.health import complete_cluster_health, read_alarms
from remediate.executor.identity import identify_operator
from remediate.executor.journal.restarts import record_alarms
from remediate.executor.lists import ListBelief
from remediate.executor.maintenance import Maintenance, warn_of_maintenance_left_on
from remediate.executor.node_ports import open_nodes
from remediate.executor.node_uploads import is_any_upload_to_do, refuse_if_stale, refuse_without_consent, upload_to_nodes
from remediate.executor.opening import Command, begin_command, open_to_read, open_to_write
from remediate.executor.pem_backup import save_lists_as_pem
from remediate.executor.restart import rehearse_restarts, restart_peers
from remediate.executor.result import ApplyOptions, RunResult
from remediate.executor.signals import ImmediateStop, StopRequest, report_interrupted
from remediate.executor.steps import RunEvents, Step, StepSequence
from remediate.executor.undo import match_peers
from remediate.executor.window import WindowGuard, emit_whether_open, refuse_if_closed
from remediate.executor.workaround import warn_of_workaround
from remediate.executor.write_changes import warn_of_manual_rollback, write_changes
from remediate.executor.writer import DryRunWriter, JournalingWriter
from remediate.model.access import ClusterAccess
from remediate.model.errors import Interrupted, RemediateError, StalePlan
from remediate.model.events import Sink, silent
from remediate.model.identity import Address, CipherList
from remediate.model.limits import Limits
from remediate.model.plan import Plan
from remediate.model.run import Backup
from remediate.model.snapshot import Snapshot
from remediate.trust.ciphers import means_the_same
from remediate.trust.node_verifier import list_refusing_nodes


def apply_plan(
    plan: Plan,
    cluster: ClusterAccess,
    options: ApplyOptions,
    *,
    state_dir: Path,
    limits: Limits = Limits(),
    sink: Sink = silent,
    environment: Environment = Environment(),
) -> RunResult:
    """Apply `plan` to `cluster`, or rehearse it (`options.dry_run`).

    Returns the result of the run, failures included, once the journal knows the run.

    Raises:
        UsageError, IncompletePlan, Declined, StalePlan, LockHeld, JournalError, InventoryError, AccessError, ObservationError,
            WindowClosed, TimerError: Refused before the first write to a peer; every peer is as it was.
        VerificationFailed: Nothing was to do, and an endpoint is refused all the same.
    """
    preflight.refuse_other_cluster(plan, cluster)
    preflight.refuse_unusable_ciphers(plan)
    if not options.allow_incomplete:
        preflight.refuse_incomplete(plan)
    refuse_without_consent(plan, cluster, options)
    if options.confirm_within:
        confirm_timer.refuse_prompted_password(cluster, plan)
    if not options.dry_run:
        refuse_if_closed(options.window, environment.now())
    with begin_command(cluster, state_dir, limits, sink, environment) as command:
        try:
            context = _open(command, plan, options)
        except (Interrupted, ImmediateStop):
            return _end_interrupted(command.events, command.stop)
        result = _rehearse(context) if options.dry_run else _apply(context)
        return result.with_remark(command.events.trouble)


def _open(command: Command, plan: Plan, options: ApplyOptions) -> RunContext:
    """Take the lock, then open the journal and the peers until the command ends (step 1); a dry run can write to none of them."""
    cluster, environment, events, limits = command.cluster, command.environment, command.events, command.limits
    open_cluster = open_to_read if options.dry_run else partial(open_to_write, ticket=options.ticket)
    opening = open_cluster(cluster, command.state_dir, environment, command.stack)

    def after_each(step: Step) -> None:
        events.emit_step(step)
        opening.write_heartbeat()

    steps = StepSequence(command.stop.check_before, after_each)
    steps.enter(Step.LOCK)
    journal = opening.open_journal()
    unfinished = journal.find_unfinished(plan)
    confirm_timer.refuse_while_pending(journal, cluster, command.state_dir, environment.now(), unfinished)
    approvals = vouching.collect_approvals(plan, options, command.state_dir, journal, unfinished)
    if options.dry_run:
        emit_whether_open(options.window, environment.now(), events)
    opened, peers = opening.open_peers(limits)
    return RunContext(
        plan,
        cluster,
        options,
        command.state_dir,
        limits,
        environment,
        events,
        command.stop,
        steps,
        journal,
        opened,
        peers,
        approvals,
        None if options.dry_run else unfinished,
        opening.write_heartbeat,
        open_nodes(environment, cluster, peers, limits, command.stack, writable=not options.dry_run),
    )


def _apply(context: RunContext) -> RunResult:
    """Take steps 2 to 13 of a real run, and end the run when one of them fails."""
    state = RunState()
    longest = partial(context.journal.longest_write_seconds, context.plan.cluster)
    window = WindowGuard(context.options.window, context.environment.now, longest, context.limits)
    writer = JournalingWriter(context, state, window)
    try:
        maintenance = Maintenance(context.journal, context.plan.cluster, context.environment, context.limits, context.events)
        state.open_steps += maintenance.end_left_on(context.peers)
        end_left_logging(context)
        baseline = _read_cluster(context, state)
        _compare(context, state, baseline)
        look = look_at_effects(context, state, baseline)
        if _is_anything_to_do(context, baseline):
            _write(context, state, writer, baseline, look)
        return _verify(context, state, baseline, look)
    except (Exception, ImmediateStop) as error:  # noqa: BLE001 - whatever it is, the run is closed
        if not state.run:
            # It may have gone wrong between the journal's line and ours; under the lock, what is running is this run.
            state.run = context.journal.find_running(context.plan.cluster)
        if state.run:
            return end_failed_run(context, state, writer, _as_failure(context, state, error))
        return _end_before_the_run(context, error)


def _rehearse(context: RunContext) -> RunResult:
    """Take the steps of a dry run: 2 to 11, and 13."""
    state = RunState()
    writer = DryRunWriter(context)
    warn_of_maintenance_left_on(context.journal, context.plan.cluster, context.events)
    try:
        baseline = _read_cluster(context, state)
        _compare(context, state, baseline)
        if _is_anything_to_do(context, baseline):
            _read_alarms(context, baseline)
            writer.back_up(baseline.backups.values())
            warn_of_manual_rollback(context)
            confirm_timer.rehearse_timer(context)
            write_changes(context, state, writer, baseline)
            upload_to_nodes(context, state, writer)
            rehearse_restarts(context, state, writer)
            refresh_discovery(context, state, writer)
        return close_dry_run(context, state, _list_gaps(baseline.snapshot))
    except (Exception, ImmediateStop) as error:  # noqa: BLE001 - raised again, unless it is an interrupt
        return _end_before_the_run(context, error)


def _write(context: RunContext, state: RunState, writer: JournalingWriter, baseline: Baseline, look: EffectLook) -> None:
    """Take steps 4 to 11 of a real run."""
    alarms = _read_alarms(context, baseline)
    writer.back_up(baseline.backups.values())
    record_alarms(context.journal, state.run, alarms, context.environment.now())
    save_lists_as_pem(context, baseline, state.run)
    if context.unfinished:
        writer.settle_earlier_steps(context.peers)
    warn_of_manual_rollback(context)
    confirm_timer.start_timer(context, state)
    write_changes(context, state, writer, baseline)
    upload_to_nodes(context, state, writer)
    restart_peers(context, state, writer, look)
    refresh_discovery(context, state, writer)


def _read_alarms(context: RunContext, baseline: Baseline) -> Mapping[Address, frozenset[str]]:
    """Return the alarms of each peer before the first write, as step 2 read them, as far as they can be read.

    Raises:
        UpgradePending: What is written now would be lost.
    """
    readings = {peer.address: peer.health for peer in baseline.snapshot.peers if peer.health is not None}
    cluster = complete_cluster_health(readings, context.peers, context.unreachable)
    preflight.refuse_pending_upgrade(context.plan, cluster, context.events)
    return cluster.alarm_numbers


def _as_failure(context: RunContext, state: RunState, error: Exception | ImmediateStop) -> RemediateError | ImmediateStop:
    if isinstance(error, ImmediateStop):
        return error
    if isinstance(error, StalePlan):
        return _name_possible_authors(context, error, state.run)
    return as_failure(error)


def _end_before_the_run(context: RunContext, error: Exception | ImmediateStop) -> RunResult:
    """Return the result of an interrupted apply without a run; raise any other error."""
    if isinstance(error, Interrupted | ImmediateStop):
        return _end_interrupted(context.events, context.stop)
    if isinstance(error, StalePlan):
        raise _name_possible_authors(context, error, "") from error
    raise error


def _name_possible_authors(context: RunContext, error: StalePlan, run: str) -> StalePlan:
    own_run = context.unfinished.id if context.unfinished else run
    return staleness.name_possible_authors(error, context.plan, context.journal, own_run)


def _end_interrupted(events: RunEvents, stop: StopRequest) -> RunResult:
    return report_interrupted(events, stop, "Interrupted before anything was written to a peer.")


def _read_cluster(context: RunContext, state: RunState) -> Baseline:
    """Read every peer, and observe every endpoint (step 2)."""
    plan = context.plan
    context.steps.enter(Step.RE_READ)
    if not context.options.allow_incomplete:
        preflight.refuse_absent_peers(plan, context.unreachable)
    if context.unfinished is not None:
        # The journal knows what the lists held.
        journal, run = context.journal, context.unfinished.id
        for address, peer in match_peers(journal, run, context.peers).items():
            peer.expect(load_belief(journal, run, address))
    readings = [staleness.read_peer_first(peer) for peer in context.peers]
    for peer, (backup, _) in zip(context.peers, readings, strict=True):
        peer.expect(_belief_from(plan, backup))
    certificates = dict(plan.certificates)
    for _, listed in readings:
        certificates |= listed
    snapshot = context.observe(is_last=False)
    warn_of_workaround([peer.address for peer in snapshot.peers if peer.verify_origin_server is False], context.events)
    for sentence in staleness.describe_upgrades(plan, snapshot):
        context.events.emit("warning", sentence)
    state.verdicts_before = context.environment.judge(snapshot)
    forecasts = verification.expect(plan, state.verdicts_before)
    return Baseline({backup.peer: backup for backup, _ in readings}, certificates, snapshot, forecasts)


def _belief_from(plan: Plan, backup: Backup) -> ListBelief:
    """Return what is believed of a list from the reading that the plan is compared with."""
    own = changes.find_additions(plan, backup.peer) | changes.find_removals(plan, backup.peer)
    listed = frozenset(backup.trusted_ca)
    beside = dict.fromkeys(own & listed, listed - own)
    return ListBelief(own, listed - own, beside, {certificate: certificate in listed for certificate in own})


def _compare(context: RunContext, state: RunState, baseline: Baseline) -> None:
    """Compare every peer with what the plan was made from, before the first write to any (step 3)."""
    context.steps.enter(Step.COMPARE)
    plan, judge = context.plan, context.environment.judge
    staleness.refuse_other_peers(plan, baseline.backups, context.unreachable)
    earlier = context.earlier_backups()
    for backup in baseline.backups.values():
        peers = baseline.backups.values()
        staleness.refuse_if_changed(plan, backup, baseline.certificates, earlier.get(backup.peer), peers)
    preflight.refuse_over_limit(plan, baseline.backups.values())
    forecast = verification.predict(plan, baseline.snapshot, baseline.forecasts, judge)
    preflight.refuse_if_proof_fails(plan, forecast, allow_incomplete=context.options.allow_incomplete)
    preflight.refuse_if_other_services_break(plan, baseline.snapshot)
    preflight.refuse_removal_unseen(plan, baseline.snapshot)
    vouching.refuse_unneeded(plan, baseline.snapshot, forecast, judge)
    refuse_if_stale(plan, baseline.snapshot, is_resumed=context.unfinished is not None)
    now = context.environment.now()
    state.vouched = vouching.establish_vouchers(
        plan, baseline.snapshot, context.approvals, user=identify_operator().user, at=now
    )


def _is_anything_to_do(context: RunContext, baseline: Baseline) -> bool:
    plan = context.plan
    ciphers = changes.find_cipher_lists(plan)
    if context.unfinished is not None or is_any_upload_to_do(plan, baseline.snapshot):
        return True
    return any(
        not changes.find_additions(plan, backup.peer) <= set(backup.trusted_ca)
        or changes.find_removals(plan, backup.peer) & set(backup.trusted_ca)
        or not all(means_the_same(backup.ciphers.get(name, CipherList("")), value) for name, value in ciphers.items())
        for backup in baseline.backups.values()
    )


def _verify(context: RunContext, state: RunState, baseline: Baseline, look: EffectLook) -> RunResult:
    """Verify every endpoint against every peer from a fresh look (step 12), and close the run (step 13)."""
    context.steps.enter(Step.VERIFY)
    observe_other_effects(look)
    snapshot = context.observe()
    for sentence in describe_discovery_changes(context, state, baseline.snapshot, snapshot):
        context.events.emit("warning", sentence, step=Step.REFRESH.value)
    if state.has_written:
        state.alarms_after = read_alarms(context.peers)
    verified = verification.compare(baseline.forecasts, context.environment.judge(snapshot))
    refusing_nodes = list_refusing_nodes(snapshot, context.plan.refusing_nodes_after)
    return close_run(context, state, replace(verified, gaps=_list_gaps(snapshot), refusing_nodes=refusing_nodes))


def _list_gaps(snapshot: Snapshot) -> tuple[str, ...]:
    """Return what discovery could not learn in this look."""
    return tuple(gap.message for gap in snapshot.undiscovered if gap.incomplete)
