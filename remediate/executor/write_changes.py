"""The changes of a plan to its cluster, peer by peer (steps 5 to 9), each through the one writer."""

from __future__ import annotations

from functools import partial

from remediate.executor import changes, staleness, verification
from remediate.executor.context import Baseline, RunContext, RunState
from remediate.executor.operations import RemoveFromPeer, TrustOnPeer
from remediate.executor.ports import PeerPort
from remediate.executor.read_back import ChangeFailed, wait_for_replication
from remediate.executor.reconnecting import ReconnectingPeer
from remediate.executor.result import ManualStep
from remediate.executor.steps import Step
from remediate.executor.writer import ChangeOutcome, Writer
from remediate.model.expressway import TRUSTED_CA_PAGE
from remediate.model.run import Backup
from remediate.model.text import join_words


def warn_of_manual_rollback(context: RunContext) -> None:
    """Warn of the peers that offer no removal, so that a rollback would be work for a person."""
    if peers := context.list_peers_without_removal():
        text = f"No removal over REST on {join_words(peers)}: a rollback would ask you to delete by hand at {TRUSTED_CA_PAGE}."
        context.events.emit("warning", text)


def write_changes(context: RunContext, state: RunState, writer: Writer, baseline: Baseline) -> None:
    """Change every list and the cipher lists; what is left for a person is added to `state.open_steps`."""
    for peer in context.peers:
        _change_peer(context, state, writer, baseline, peer)
    _change_ciphers(context, state, writer)


def _change_peer(context: RunContext, state: RunState, writer: Writer, baseline: Baseline, peer: ReconnectingPeer) -> None:
    """Compare one peer once more and change its trusted CA list (steps 3 and 5 to 8)."""
    context.steps.enter(Step.COMPARE)
    backup, certificates = staleness.read_peer(peer)
    earlier = context.earlier_backups().get(peer.address, baseline.backups.get(peer.address))
    staleness.refuse_if_changed(context.plan, backup, {**baseline.certificates, **certificates}, earlier)
    is_changed = _change_list(context, state, writer, peer, backup)
    context.steps.enter(Step.NEXT_PEER)
    if is_changed and peer is not context.peers[-1]:
        _check_peer(context, baseline, peer)


def _change_list(context: RunContext, state: RunState, writer: Writer, peer: ReconnectingPeer, backup: Backup) -> bool:
    """Make the changes to one list, but those whose common name waits for a manual removal; return whether one was made.

    The list is read once between two writes: what is read back after the one is what the next begins from.
    """
    plan, is_changed = context.plan, False
    waiting_names: set[str] = set()
    for removal in changes.list_manual_removals(plan, peer.address):
        if removal.certificate.fingerprint in backup.trusted_ca:
            waiting_names.add(removal.certificate.common_name)
            _leave_to_person(context, state, removal)
    for change in changes.list_changes(plan, peer.address):
        name = change.certificate.common_name
        is_waiting = name != "" and name in waiting_names
        peer.reuse_last_reading()
        outcome = ChangeOutcome.MANUAL if is_waiting else writer.carry_out(peer, change)
        is_changed = is_changed or outcome is ChangeOutcome.MADE
        if outcome is ChangeOutcome.MANUAL:
            waiting_names.add(name)
            _leave_to_person(context, state, change)
    return is_changed


def _leave_to_person(context: RunContext, state: RunState, change: TrustOnPeer | RemoveFromPeer) -> None:
    endpoints = changes.find_endpoints(context.plan, change.certificate)
    state.add_open_step(context.events, ManualStep(change.manual_instruction, change.peer, endpoints))


def _check_peer(context: RunContext, baseline: Baseline, peer: ReconnectingPeer) -> None:
    """Check that what worked through the peer just changed still works, before the next peer is changed (step 8).

    The change touches the list of this peer, and that was just read back; what endpoints present it does not touch.

    Raises:
        ChangeFailed: An endpoint is refused that worked before.
    """
    now = verification.with_list(baseline.snapshot, peer.address, peer.last_listed)
    verified = verification.compare(baseline.forecasts, context.environment.judge(now))
    worse = verification.find_worse(verified, peer.address)
    if worse:
        refused = "; ".join(verified.describe(forecast) for forecast in worse)
        raise ChangeFailed(f"Passed before, fails now: {refused}.")
    context.events.emit(
        "peer-verified", f"Everything that passed through {peer.address} before still passes.", peer=peer.address
    )


def _change_ciphers(context: RunContext, state: RunState, writer: Writer) -> None:
    """Set the cipher lists on the primary, and wait until every peer has them (step 9)."""
    context.steps.enter(Step.CIPHERS)
    primary = context.open_peer(context.primary)
    for change in changes.list_cipher_changes(context.plan, context.primary):
        if primary is None:
            # The plan does not say which endpoints wait for the list alone, so none that it fixes counts as broken.
            endpoints = verification.list_fixed_endpoints(context.plan)
            step = ManualStep(f"The primary could not be read: {change.manual_instruction}", context.primary, endpoints)
            state.add_open_step(context.events, step)
            continue
        outcome = writer.carry_out(primary, change, Step.CIPHERS)
        if outcome is ChangeOutcome.WOULD_BE_MADE:
            message = f"Replication of {change.name}: unknown until apply."
            context.events.emit("unknown", message, step=Step.CIPHERS.value)
            continue
        seconds = int(context.limits.replication_s)
        context.events.emit("waiting", f"{change.name} replicates to the other peers.", seconds=seconds)
        wait_for_replication(
            context.peers,
            change.name,
            change.after,
            limits=context.limits,
            pause=context.environment.pause,
            check=context.stop.check,
            on_seen=partial(_record_replication, context, state, change.name, outcome),
            primary=primary if outcome is ChangeOutcome.MADE else None,
        )
        context.events.emit("replicated", f"Every peer has {change.name} as planned.", step=Step.CIPHERS.value)


def _record_replication(context: RunContext, state: RunState, name: str, outcome: ChangeOutcome, peer: PeerPort) -> None:
    if state.run:
        context.journal.record_replication(state.run, peer.address, name, is_new=outcome is ChangeOutcome.MADE)
