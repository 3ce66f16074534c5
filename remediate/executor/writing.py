"""Steps 4 to 11: what changes the cluster, peer by peer, each change through the one writer."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from remediate.executor import changes, staleness, verification
from remediate.executor.byhand import ByHand, for_a_person
from remediate.executor.confirm_timer import start_timer
from remediate.executor.context import Job, Seen, earlier_backups
from remediate.executor.ports import PeerPort
from remediate.executor.restart import restarted
from remediate.executor.sending import ChangeFailed
from remediate.executor.steps import Step
from remediate.executor.waiting import wait_for_replication
from remediate.executor.writer import Made
from remediate.model.expressway import TRUSTED_CA_PAGE


def written(job: Job, seen: Seen) -> Iterator[ByHand]:
    """Steps 4 to 11; gives what is left for a person."""
    job.writer.back_up(tuple(seen.backups.values()))
    if job.recorder and job.unfinished:
        job.recorder.go_on(job.boxes)
    _say_what_a_rollback_would_need(job)
    start_timer(job)
    for box in job.boxes:
        yield from _change_peer(job, seen, box)
    yield from _change_ciphers(job)
    yield from _refresh_discovery(job)
    yield from restarted(job, seen)


def _say_what_a_rollback_would_need(job: Job) -> None:
    for box in job.boxes:
        if changes.to_trust(job.order.plan, box.address) and not box.capabilities().remove_trusted_ca:
            text = f"{box.address} does not offer removal: a rollback would ask you to delete by hand at {TRUSTED_CA_PAGE}."
            job.order.voice.say("warning", text, peer=box.address)


def _change_peer(job: Job, seen: Seen, box: PeerPort) -> Iterator[ByHand]:
    """Steps 3, 5, 6, 7 and 8 for one peer: its own trusted CA list."""
    plan = job.order.plan
    job.walk.enter(Step.COMPARE)
    backup, known = staleness.read_peer(box)
    earlier = earlier_backups(job).get(box.address, seen.backups.get(box.address))
    staleness.refuse_if_changed(plan, backup, {**seen.known, **known}, earlier)
    waiting = [one for one in changes.removals_by_hand(plan, box.address) if one.certificate.fingerprint in backup.trusted_ca]
    for change in waiting:
        yield for_a_person(job.order.voice, change.manual_instruction, changes.endpoints_of(plan, change.certificate))
    wrote = yield from _change_list(job, box, {one.certificate.common_name for one in waiting})
    job.walk.enter(Step.NEXT_PEER)
    if wrote and job.recorder and box is not job.boxes[-1]:
        _look_through(job, seen, box)


def _change_list(job: Job, box: PeerPort, blocked: set[str]) -> Generator[ByHand, None, bool]:
    """Make the changes but those whose common name waits for a removal by hand; returns whether something was written."""
    plan, wrote = job.order.plan, False
    for change in changes.changes_of(plan, box.address):
        name = change.certificate.common_name
        made = Made.BY_HAND if name and name in blocked else job.writer.carry_out(box, change)
        wrote = wrote or made.wrote
        if made is Made.BY_HAND:
            blocked.add(name)
            yield for_a_person(job.order.voice, change.manual_instruction, changes.endpoints_of(plan, change.certificate))
    return wrote


def _look_through(job: Job, seen: Seen, box: PeerPort) -> None:
    """Step 8: what worked through the peer just changed must still work, before the next one is touched."""
    order = job.order
    snapshot = order.world.observe(order.cluster, limits=order.limits, sink=order.voice.send)
    now = verification.compare(seen.forecasts, order.world.judge(snapshot))
    worse = verification.worse_than_before(now, box.address)
    if worse:
        raise ChangeFailed(f"What worked before is refused now: {'; '.join(now.sentence(one) for one in worse)}.")
    order.voice.say("peer-verified", f"What worked through {box.address} still works.", peer=box.address)


def _change_ciphers(job: Job) -> Iterator[ByHand]:
    """Step 9."""
    job.walk.enter(Step.CIPHERS)
    order = job.order
    for change in changes.cipher_changes(order.plan, job.primary):
        box = job.box_of(job.primary)
        if box is None:
            # Which endpoints wait for the list alone the plan does not say; none of those it mends is held against the run.
            text = f"The primary could not be read: {change.manual_instruction}"
            yield for_a_person(order.voice, text, verification.mended(order.plan))
            continue
        made = job.writer.carry_out(box, change, Step.CIPHERS)
        if made is Made.WOULD:
            order.voice.say("unknown", f"Replication of {change.name}: unknown until apply.", step=Step.CIPHERS.value)
            continue
        wait_for_replication(
            job.boxes, change.name, change.after, limits=order.limits, pause=order.world.pause, check=order.stop.check
        )
        order.voice.say("replicated", f"Every peer has {change.name} as planned.", step=Step.CIPHERS.value)


def _refresh_discovery(job: Job) -> Iterator[ByHand]:
    """Step 10."""
    job.walk.enter(Step.REFRESH)
    box = job.box_of(job.primary)
    for action, change in changes.refreshes(job.order.plan, job.primary, job.order.cluster.axl):
        for_us = box if action.by != "person" else None
        if for_us and job.writer.carry_out(for_us, change, Step.REFRESH) is not Made.BY_HAND:
            continue
        job.order.voice.say("manual-step", change.manual_instruction, step=Step.REFRESH.value, open=False)
        yield ByHand(change.manual_instruction, open=False, discovery=True)
