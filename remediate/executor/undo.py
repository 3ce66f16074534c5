"""Undoing of one run from its journal: strictly backwards, exactly what it did, and nothing that was changed by others since.

Each step is read again unless it is proven undone, whatever state the journal gives it: a write that failed, or was not seen, may have
come to light since, and an earlier version may have taken an empty list for a proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from remediate.executor.differences import (
    describe_differences,
    find_later_owner,
    find_returned_certificates,
    load_unrelated,
)
from remediate.executor.journal.store import Journal, JournalError
from remediate.executor.node_ports import LazyNode, NodePorts, refuse_nodes
from remediate.executor.operations import ON_NODES, RemoveFromPeer, SetCipherList, SetVerification, restore_change
from remediate.executor.operations.change import Change, ChangeStatus, Observed, change_fields
from remediate.executor.ports import ClusterPort
from remediate.executor.read_back import ChangeFailed, look_for_late_write, wait_for_replication, write_and_read_back
from remediate.executor.reconnecting import ReconnectingPeer
from remediate.executor.result import ManualStep
from remediate.executor.shared_stores import refuse_deletion_elsewhere
from remediate.executor.staleness import read_peer
from remediate.executor.steps import RunEvents
from remediate.model.errors import AccessError, Interrupted, NotOffered, ObservationError, OutcomeUnknown, RemediateError
from remediate.model.expressway import CIPHERS_SINCE_X15_0_2
from remediate.model.identity import Address
from remediate.model.limits import Limits
from remediate.model.run import Backup, StepRecord
from remediate.model.text import first_few
from remediate.trust.ciphers import is_default_since_x15, list_new_suites

MAY_SHOW_LATE: Final = frozenset({"unknown", "intended"})
"""The states of a step whose write may still show: it is looked for again before it is undone."""


@dataclass(frozen=True, slots=True)
class UndoContext:
    """Everything that undoing one run works with.

    Attributes:
        run: The run's id.
        peers: The open peers of the cluster.
        check_stop: Called before each step; raises Interrupted to stop there.
        before_write: Called before each write.
        unreachable: Why each other peer of the cluster could not be opened.
        opened: The cluster as it was opened, to look at it over the same sessions; None: over new ones.
        write_heartbeat: Shows others that the holder of the lock is at work.
        nodes: The nodes that the run may have uploaded to.
    """

    journal: Journal
    run: str
    peers: Sequence[ReconnectingPeer]
    limits: Limits
    pause: Callable[[float], None]
    events: RunEvents
    check_stop: Callable[[], None]
    before_write: Callable[[], None] = lambda: None
    unreachable: Mapping[Address, str] = field(default_factory=dict)
    write_heartbeat: Callable[[], None] = lambda: None
    opened: ClusterPort | None = None
    nodes: NodePorts = field(default_factory=lambda: NodePorts(refuse_nodes))

    def find_port(self, record: StepRecord, reachable: Mapping[Address, ReconnectingPeer]) -> ReconnectingPeer | LazyNode:
        """Return what the step of `record` was written to. Raises ObservationError where that peer could not be opened."""
        if record.kind in ON_NODES:
            return self.nodes.get_node(record.peer)
        if record.peer not in reachable:
            raise ObservationError(f"{record.peer} could not be opened: it is down, or no longer a peer of this cluster.")
        return reachable[record.peer]


@dataclass(frozen=True, slots=True)
class UndoResult:
    """The result of undoing one run.

    Attributes:
        open_steps: What could not be undone, and how a person does it.
        differences: How peers differ from their backup although all of the run is undone: changes of others, or of later runs.
        unread: Peers that could not be compared with their backup, with the reason.
        has_written: Something was written.
    """

    open_steps: tuple[ManualStep, ...]
    differences: tuple[str, ...]
    unread: tuple[str, ...]
    has_written: bool


def undo(context: UndoContext) -> UndoResult:
    """Undo each step of the run that is, or may be, in effect; then compare every peer with its backup.

    Raises:
        AccessError: A login was refused; what is undone by then is in the journal.
        JournalError: The journal cannot be written.
        Interrupted: A person asked to stop.
    """
    journal, run = context.journal, context.run
    reachable = match_peers(journal, run, context.peers)
    open_steps: list[ManualStep] = []
    not_undone: list[Change] = []
    has_written = False
    for record in journal.steps(run):
        if record.inverse_kind is None or record.inverse is None:
            _close_step(context, record)
    for record, inverse in list_inverses(journal, run):
        if inverse in not_undone:
            # A resumed run may have done one change twice. Trying it again here would undo it after what was done before it.
            continue
        context.check_stop()
        try:
            has_written = _undo_step(context, record, inverse, reachable) or has_written
        except (AccessError, JournalError, Interrupted):
            # A refused login is not tried again on the next step, and without a journal nothing is written.
            raise
        except RemediateError as error:
            not_undone.append(inverse)
            open_steps.append(ManualStep(describe_manual_step(inverse, error), inverse.peer))
            context.events.emit("manual-step", open_steps[-1].text, peer=inverse.peer, open=True)
    backups, unread = read_peers(context, reachable)
    for step in find_returned_certificates(journal, run, backups):
        open_steps.append(step)
        context.events.emit("manual-step", step.text, open=True)
    return UndoResult(tuple(open_steps), tuple(describe_differences(journal, run, backups)), tuple(unread), has_written)


def list_inverses(journal: Journal, run: str) -> tuple[tuple[StepRecord, Change], ...]:
    """Return the steps of the run that are not proven undone, the last one first, each with the change that undoes it."""
    return tuple(
        (record, restore_change(record.inverse_kind, record.peer, record.inverse, journal.certificate))
        for record in reversed(journal.steps(run))
        if record.inverse_kind is not None and record.inverse is not None and not record.proven
    )


def match_peers(journal: Journal, run: str, peers: Iterable[ReconnectingPeer]) -> dict[Address, ReconnectingPeer]:
    """Return the open peers of the run under their addresses in the journal.

    The inventory may write an address in another case by now, which is the same name.
    """
    by_name = {peer.address.casefold(): peer for peer in peers}
    return {address: by_name[address.casefold()] for address in journal.backups(run) if address.casefold() in by_name}


def _close_step(context: UndoContext, record: StepRecord) -> None:
    """Record a step without an inverse as unknown where it is *intended*: a closed run has no such step."""
    if record.state == "intended":
        message = "not known whether it was sent before an interruption"
        context.journal.record_outcome(context.run, record.seq, "unknown", message=message)


def _undo_step(
    context: UndoContext, record: StepRecord, inverse: Change, reachable: Mapping[Address, ReconnectingPeer]
) -> bool:
    """Undo one step; return whether something was written. Raises RemediateError where it is not undone."""
    peer = context.find_port(record, reachable)
    if record.state in MAY_SHOW_LATE:
        change = restore_change(record.kind, record.peer, record.facts, context.journal.certificate)
        look_for_late_write(peer, change, record.state, limits=context.limits, pause=context.pause)
    before = inverse.precondition(peer)
    note = describe_why_left(context, record, before)
    if before.status is ChangeStatus.TO_DO and not note:
        refuse_deletion_elsewhere(context.journal, context.run, context.nodes, inverse)
        _write_inverse(context, record, inverse, peer, before)
    if not note:
        # Also when it was there already: an earlier try may have been cut off between the primary and the other peers.
        _wait_for_replication(context, inverse, reachable)
    _record_undo(context, record, inverse, before, note)
    return before.status is ChangeStatus.TO_DO and not note


def describe_why_left(context: UndoContext, record: StepRecord, before: Observed) -> str:
    """Return why a step is left in effect; empty: it is to be undone."""
    if before.status is ChangeStatus.FOREIGN:
        return "left as it is: someone else has changed it since"
    if before.status is ChangeStatus.TO_DO and (later := find_later_owner(context.journal, context.run, record)):
        return f"left as it is: the later run {later} needs it"
    return ""


def _record_undo(context: UndoContext, record: StepRecord, inverse: Change, before: Observed, note: str) -> None:
    if before.status is ChangeStatus.DONE and record.is_closed:
        return
    is_written = before.status is ChangeStatus.TO_DO and not note
    # The undo of a step keeps its time, whatever others did since: a start after it still shows that it is in effect.
    if is_written or record.state != "undone":
        # A step that was undone before this process looked is not proven so.
        proven = is_written or before.status is ChangeStatus.FOREIGN
        context.journal.record_undo(context.run, record.seq, note, proven=proven, is_left=bool(note))
    message = f"{record.peer}: {note}." if note else f"Read back: {inverse.summary}."
    kind = "warning" if note else "change-complete"
    context.events.emit(kind, message, **{**change_fields(inverse), "peer": record.peer}, undoes=record.seq)


def _write_inverse(
    context: UndoContext, record: StepRecord, inverse: Change, peer: ReconnectingPeer | LazyNode, before: Observed
) -> None:
    events = context.events
    if isinstance(inverse, RemoveFromPeer) and isinstance(peer, ReconnectingPeer):
        if not peer.capabilities().remove_trusted_ca:
            raise NotOffered(f"{peer.address} offers no removal.")
        _record_unrelated(context, record, inverse, peer)
    if isinstance(inverse, SetVerification) and inverse.on:
        # A rollback restores what was before the run; whether clients lose endpoints by that was not checked.
        message = f"Verification is on again on {peer.address}: `remediate verify` shows which endpoints fail now."
        events.emit("warning", message, peer=record.peer)
    fields = {**change_fields(inverse), "peer": record.peer}
    events.emit("change-start", f"Now: {inverse.summary}.", **fields, undoes=record.seq)
    context.before_write()
    context.journal.record_undo_sent(context.run, record.seq)
    attempt = write_and_read_back(peer, inverse, lambda: None, limits=context.limits, pause=context.pause)
    if attempt.is_unknown:
        raise OutcomeUnknown(f"It was sent, but not read back. {attempt.problem or 'The peer reported success.'}")
    if attempt.after.status is not ChangeStatus.DONE:
        raise ChangeFailed(f"Failed to {inverse.summary}: {attempt.problem or 'something else is there now.'}")
    if attempt.after.unrelated_digest != before.unrelated_digest:
        raise ChangeFailed(f"Done, but something else changed in the same list: {inverse.summary}.")
    # Only now: a list that is read between the look before the write and the write would have to be judged again.
    if (
        isinstance(inverse, SetCipherList)
        and isinstance(peer, ReconnectingPeer)
        and (suites := _list_banned_suites(inverse, peer))
    ):
        message = (
            f"{inverse.name} of {peer.address} is restored as it was before the run, with {first_few(suites)}, which the default "
            "since X15.0.2 excludes. Remove them from the list, or reset it to the default, if no node needs them."
        )
        events.emit("warning", message, peer=record.peer)


def _list_banned_suites(inverse: SetCipherList, peer: ReconnectingPeer) -> tuple[str, ...]:
    """Return the suites that the restored list has and this version's default excludes; none before X15.0.2.

    The version shows in the other lists: since X15.0.2 all of them have the new default, unless they were customised.
    """
    other_lists = [ciphers for name, ciphers in peer.ciphers().items() if name != inverse.name]
    return list_new_suites(inverse.after, CIPHERS_SINCE_X15_0_2) if any(map(is_default_since_x15, other_lists)) else ()


def _record_unrelated(context: UndoContext, record: StepRecord, inverse: RemoveFromPeer, peer: ReconnectingPeer) -> None:
    """Record the unrelated certificates of the list where they are fewer than in the backup.

    If this process dies, the next one must expect at least those.
    """
    unrelated = peer.held_beside(inverse.certificate.fingerprint)
    if not load_unrelated(context.journal, context.run, record.peer) <= unrelated:
        context.journal.record_reading(context.run, record.peer, unrelated)


def _wait_for_replication(context: UndoContext, inverse: Change, reachable: Mapping[Address, ReconnectingPeer]) -> None:
    """Wait until every peer of the run has the primary's cipher list again.

    A peer that cannot be read may still have the run's list when it is back.
    """
    if isinstance(inverse, SetCipherList):
        refuse_absent_followers(context, inverse, reachable)
        wait_for_replication(
            context.peers,
            inverse.name,
            inverse.after,
            limits=context.limits,
            pause=context.pause,
            check=context.check_stop,
        )


def refuse_absent_followers(context: UndoContext, inverse: Change, reachable: Mapping[Address, ReconnectingPeer]) -> None:
    """Raise ObservationError where a peer of the run cannot be read that takes over what `inverse` sets on the primary."""
    absent = [peer for peer in context.journal.backups(context.run) if peer not in reachable]
    if absent and isinstance(inverse, SetCipherList):
        raise ObservationError(f"It cannot be read whether {', '.join(absent)} received it from the primary.")


def describe_manual_step(inverse: Change, error: RemediateError) -> str:
    """Return how a person does what `error` kept from being done."""
    if isinstance(error, NotOffered):
        return inverse.manual_instruction
    if isinstance(error, ObservationError | OutcomeUnknown):
        return f"Still to do: {inverse.summary}. {error}"
    return f"{error} {inverse.manual_instruction}"


def read_peers(context: UndoContext, reachable: Mapping[Address, ReconnectingPeer]) -> tuple[list[Backup], list[str]]:
    """Read every peer of the run; return their lists as they are now, and which peers cannot be read, with the reason."""
    backups: list[Backup] = []
    unread: list[str] = []
    for address in context.journal.backups(context.run):
        if address not in reachable:
            unread.append(f"{address} cannot be read")
            continue
        try:
            backups.append(replace(read_peer(reachable[address])[0], peer=address))
        except ObservationError as error:
            unread.append(f"{address} cannot be read: {str(error).rstrip('.')}")
    return backups, unread
