"""Apply a plan to its cluster. One run walks these steps, in this order, and no other (`steps.MAY_FOLLOW`):

 1  lock       the cluster, so that no other run of this user writes to it
 2  re-read    every peer and every endpoint
 3  compare    with what the plan was made from: whatever it depends on and somebody else changed refuses it (exit 6); and establish
               who vouches for each certificate to trust, and that an endpoint needs it
 4  back up    every peer's trusted CA list and cipher lists, with the plan and its approvals, in one transaction of the journal
 5  journal    the intent and its inverse, on disk before anything is sent
 6  write      once
 7  read back  what is not read did not happen; the outcome goes into the journal
 8  next peer  after looking through the one just changed: what worked must still work; the next peer is compared again (3)
 9  ciphers    on the primary (5, 6, 7), then wait until the other peers have them
10  refresh    discovery (5, 6, 7 where it can be done for the operator; else a reminder that names the page)
11  restart    the peers through which a client's request shows that the change is not in effect, one at a time (5, 6, 7), each asked
               through again before the next; where the inventory has no way through a peer, a reminder
12  verify     every endpoint against every peer, from a fresh look
13  close      the run in the journal

What is true after a crash: before 4, nothing was written and no run exists. Later, a run exists in state *running*; each of its writes
is either not in the journal (not sent), *intended* (sent or not: the box tells), or has an outcome that was read back. The same plan
applied again goes on with the same run from what the boxes say, and repeats no write; `rollback` undoes the run from its journal.

A failure at 5 to 12 ends in what `ApplyOptions.on_failure` says (`failure.py`). A dry run walks the same steps over peers that cannot
be written to, with a writer that can neither write nor journal.

With `ApplyOptions.window` (`hours.py`), nothing begins while the window is closed, and every change looks at the clock before its 5:
one that would not end in the window is not begun, and the run is closed as it stands (13), *partial*, with what is left to do. The
same apply goes on with it in the next window. Reading, verifying and the way back after a failure are not held to the window.

With `ApplyOptions.confirm_within` (`confirm.py`), a process that will undo the run is up between 4 and the first 5, and 13 closes the
run as *confirm-pending*, with its deadline (exit 9). Until somebody confirms it, no other run on the cluster begins. A run that dies
on its way is undone at the deadline that counts from its first write.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from remediate.executor import changes, confirm_timer, hours, preflight, staleness, verification, vouching
from remediate.executor.boundary import as_failure, guarded
from remediate.executor.byhand import ByHand
from remediate.executor.closing import close, close_rehearsal
from remediate.executor.context import Job, Order, Seen, earlier_backups
from remediate.executor.differences import load_belief
from remediate.executor.environment import World
from remediate.executor.failure import after_failure
from remediate.executor.identity import identify_operator
from remediate.executor.journal.store import Journal
from remediate.executor.lists import ListBelief
from remediate.executor.lock import hold_cluster, peer_lock_paths, refuse_if_held, refuse_if_peers_held, shared_directory
from remediate.executor.possible_authors import with_suspects
from remediate.executor.reconnecting import open_steadily
from remediate.executor.result import ApplyOptions, RunResult
from remediate.executor.signals import ImmediateStop, handle_signals
from remediate.executor.steps import Step, Walk
from remediate.executor.undo import match_peers
from remediate.executor.usable import refuse_unusable
from remediate.executor.voice import Voice
from remediate.executor.workaround import warn_of_workaround
from remediate.executor.writer import Recorder, Rehearsal
from remediate.executor.writing import written
from remediate.model.access import ClusterAccess
from remediate.model.errors import Interrupted, RemediateError, StalePlan
from remediate.model.events import Sink, silent
from remediate.model.limits import Limits
from remediate.model.plan import Plan
from remediate.model.run import ApprovalRecord, Backup


def apply_plan(
    plan: Plan,
    cluster: ClusterAccess,
    options: ApplyOptions,
    *,
    state_dir: Path,
    limits: Limits = Limits(),
    sink: Sink = silent,
    world: World = World(),  # noqa: B008 - a frozen value
) -> RunResult:
    """Apply `plan` to `cluster`, or rehearse it (`options.dry_run`).

    Returns what the run came to, failures included, once the journal knows the run.

    Raises:
        UsageError, IncompletePlan, Declined, StalePlan, LockHeld, JournalError, InventoryError, AccessError, ObservationError,
            WindowClosed, TimerError: refused before the first write to a box, which is as it was.
        VerificationFailed: nothing was to do, and an endpoint is refused all the same.
    """
    preflight.refuse_other_cluster(plan, cluster)
    preflight.refuse_unusable_ciphers(plan)
    if not options.allow_incomplete:
        preflight.refuse_incomplete(plan)
    if options.confirm_within:
        confirm_timer.refuse_prompted_password(cluster)
    if not options.dry_run:
        hours.refuse_if_closed(options.window, world.now())
    voice = Voice(sink, cluster.name)
    world = guarded(world)
    with handle_signals(lambda text: voice.say("warning", text)) as stop, ExitStack() as stack:
        order = Order(plan, cluster, options, state_dir, limits, world, voice, stop)
        try:
            job = _rehearsal(order, stack) if options.dry_run else _recorded(order, stack)
        except (Interrupted, ImmediateStop):
            return _interrupted_early(order)
        return voice.tell_trouble(_walked(job))


def _recorded(order: Order, stack: ExitStack) -> Job:
    """Step 1 for a real run: the lock, then the journal, then the peers."""
    operator, world, plan = identify_operator(), order.world, order.plan
    shared = world.lock_directory or shared_directory()
    holding = hold_cluster(
        order.cluster, order.state_dir, shared, operator=operator, ticket=order.options.ticket, now=world.now
    )
    lock = stack.enter_context(holding)

    def after_each(step: Step) -> None:
        order.voice.step(step)
        lock.write_heartbeat()

    walk = Walk(order.stop.check_before, after_each)
    walk.enter(Step.LOCK)
    journal = stack.enter_context(world.journal(order.state_dir))
    journal.close_dead_runs(plan.cluster)
    unfinished = journal.find_unfinished(plan)
    confirm_timer.refuse_while_pending(journal, order, unfinished)
    approvals = vouching.known_approvals(plan, order.options, order.state_dir, journal, unfinished)
    vouched: list[ApprovalRecord] = []
    opened, boxes = open_steadily(world, order.cluster, order.limits, stack, writable=True)
    lock.acquire(peer_lock_paths(opened, shared))

    def begin(backups: Sequence[Backup]) -> str:
        if unfinished is None:
            return journal.begin_run(plan, backups, vouched, operator=operator, ticket=order.options.ticket)
        journal.resume_run(unfinished.id, operator, order.options.ticket)
        return unfinished.id

    held = hours.Hours(
        order.options.window, world.now, lambda kind: journal.longest_write_seconds(plan.cluster, kind), order.limits
    )
    recorder = Recorder(journal, walk.enter, order.voice, order.limits, world.pause, world.now, begin, held.before)
    return Job(order, walk, boxes, opened.unreachable, opened.primary, recorder, recorder, unfinished, approvals, vouched)


def _rehearsal(order: Order, stack: ExitStack) -> Job:
    """Step 1 for a dry run: look whether the lock is free; peers are opened so that nothing can be written."""
    world, shared = order.world, order.world.lock_directory or shared_directory()
    refuse_unusable(order.state_dir, shared)
    refuse_if_held(order.cluster, order.state_dir, shared)
    walk = Walk(order.stop.check_before, order.voice.step)
    walk.enter(Step.LOCK)
    with Journal(order.state_dir) as journal:
        unfinished = journal.find_unfinished(order.plan)
        confirm_timer.refuse_while_pending(journal, order, unfinished)
        approvals = vouching.known_approvals(order.plan, order.options, order.state_dir, journal, unfinished)
    hours.tell(order.options.window, world.now(), order.voice)
    opened, boxes = open_steadily(world, order.cluster, order.limits, stack, writable=False)
    refuse_if_peers_held(opened, order.cluster.name, shared)
    rehearsal = Rehearsal(walk.enter, order.voice)
    return Job(order, walk, boxes, opened.unreachable, opened.primary, rehearsal, None, None, approvals)


def _walked(job: Job) -> RunResult:
    """Steps 2 to 13, and the way out when something fails on the way."""
    try:
        seen = _re_read(job)
        _compare(job, seen)
        by_hand = tuple(written(job, seen)) if _anything_to_do(job, seen) else ()
        return close_rehearsal(job, by_hand) if job.recorder is None else _verified(job, seen, by_hand)
    except (Exception, ImmediateStop) as found:
        if job.recorder is not None and not job.recorder.run:
            # It may have gone wrong between the journal's line and ours; under the lock, what is running is this run.
            job.recorder.run = job.recorder.journal.find_running(job.order.plan.cluster)
        if job.recorder is not None and job.recorder.run:
            return after_failure(job, job.recorder, _explained(job, found))
        if isinstance(found, Interrupted | ImmediateStop):
            return _interrupted_early(job.order)
        if isinstance(found, StalePlan):
            raise _with_suspects(job, found) from found
        raise


def _explained(job: Job, found: Exception | ImmediateStop) -> RemediateError | ImmediateStop:
    if isinstance(found, ImmediateStop):
        return found
    return _with_suspects(job, found) if isinstance(found, StalePlan) else as_failure(found)


def _with_suspects(job: Job, failure: StalePlan) -> StalePlan:
    if job.recorder is not None:
        own_run = job.unfinished.id if job.unfinished else job.recorder.run
        return with_suspects(failure, job.order.plan, job.recorder.journal, own_run)
    with Journal(job.order.state_dir) as journal:
        return with_suspects(failure, job.order.plan, journal, own_run="")


def _interrupted_early(order: Order) -> RunResult:
    message = "Interrupted before anything was written to a box."
    order.voice.say("run-state", message, state="interrupted", exit_code=order.stop.exit_code)
    return RunResult("", "interrupted", order.stop.exit_code, (), (), changed=False, message=message)


def _re_read(job: Job) -> Seen:
    """Step 2."""
    job.walk.enter(Step.RE_READ)
    if not job.order.options.allow_incomplete:
        preflight.refuse_absent_peers(job.order.plan, job.unreachable)
    _expect_lists(job)
    read = [staleness.read_peer(box) for box in job.boxes]
    for box, (backup, _) in zip(job.boxes, read, strict=True):
        box.expect(_whole(job.order.plan, backup))
    known = dict(job.order.plan.certificates)
    for _, certificates in read:
        known |= certificates
    order = job.order
    snapshot = order.world.observe(order.cluster, limits=order.limits, sink=order.voice.send)
    warn_of_workaround([peer.address for peer in snapshot.peers if peer.verify_origin_server is False], order.voice)
    for sentence in staleness.upgrades(order.plan, snapshot):
        order.voice.say("warning", sentence)
    forecasts = verification.expected(order.plan, order.world.judge(snapshot))
    return Seen({backup.peer: backup for backup, _ in read}, known, snapshot, forecasts)


def _expect_lists(job: Job) -> None:
    """Where a run is gone on with, the journal knows what the lists held."""
    if job.recorder is not None and job.unfinished is not None:
        journal, run = job.recorder.journal, job.unfinished.id
        for peer, box in match_peers(journal, run, job.boxes).items():
            box.expect(load_belief(journal, run, peer))


def _whole(plan: Plan, backup: Backup) -> ListBelief:
    """What is believed of a list from the reading that the plan is compared with."""
    own = changes.to_trust(plan, backup.peer) | changes.to_remove(plan, backup.peer)
    listed = frozenset(backup.trusted_ca)
    beside = dict.fromkeys(own & listed, listed - own)
    return ListBelief(own, listed - own, beside, {certificate: certificate in listed for certificate in own})


def _compare(job: Job, seen: Seen) -> None:
    """Step 3, for all peers, before the first write to any."""
    job.walk.enter(Step.COMPARE)
    plan, allowed = job.order.plan, job.order.options.allow_incomplete
    staleness.refuse_other_peers(plan, seen.backups, job.unreachable)
    earlier = earlier_backups(job)
    for backup in seen.backups.values():
        staleness.refuse_if_changed(plan, backup, seen.known, earlier.get(backup.peer), seen.backups.values())
    forecast = verification.predicted(plan, seen.snapshot, seen.forecasts, job.order.world.judge)
    preflight.refuse_if_proof_fails(plan, forecast, allow_incomplete=allowed)
    vouching.refuse_unneeded(plan, seen.snapshot, forecast, job.order.world.judge)
    world = job.order.world
    job.vouched[:] = vouching.establish(plan, seen.snapshot, job.approvals, who=identify_operator().user, at=world.now())


def _anything_to_do(job: Job, seen: Seen) -> bool:
    plan = job.order.plan
    ciphers = changes.cipher_targets(plan)
    return job.unfinished is not None or any(
        not changes.to_trust(plan, backup.peer) <= set(backup.trusted_ca)
        or changes.to_remove(plan, backup.peer) & set(backup.trusted_ca)
        or any(backup.ciphers.get(name) != value for name, value in ciphers.items())
        for backup in seen.backups.values()
    )


def _verified(job: Job, seen: Seen, by_hand: Sequence[ByHand]) -> RunResult:
    """Steps 12 and 13."""
    job.walk.enter(Step.VERIFY)
    order = job.order
    snapshot = order.world.observe(order.cluster, limits=order.limits, sink=order.voice.send)
    found = verification.compare(seen.forecasts, order.world.judge(snapshot))
    gaps = tuple(gap.message for gap in snapshot.undiscovered if gap.incomplete)
    return close(job, replace(found, gaps=gaps), by_hand)
