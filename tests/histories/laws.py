"""What must hold after every operation, and at the end, whatever happened: each law gives the sentences that it finds broken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from remediate.executor.changes import find_additions
from remediate.executor.confirm_timer import NotPending
from remediate.executor.journal.restarts import load_open_maintenance
from remediate.executor.journal.store import UnknownRun
from remediate.executor.journal.timers import is_due
from remediate.executor.verification import VerificationFailed
from remediate.model.effect import EffectSource, EffectState
from remediate.model.errors import IncompletePlan, LockHeld, ObservationError, StalePlan
from remediate.model.identity import Address
from remediate.model.run import Run, StepRecord
from tests.histories.chronicle import NOBODY, Ledger
from tests.histories.draw import Operation
from tests.histories.play import Before, Outcome, Player

_REFUSALS = {
    "apply": (StalePlan, IncompletePlan, ObservationError, LockHeld, VerificationFailed),
    "rollback": (UnknownRun, ObservationError, LockHeld),
    "expire": (),
    "confirm": (UnknownRun, NotPending),
    "restart": (LockHeld, ObservationError),
}
_CODES: Mapping[str, Mapping[str, set[int]]] = {
    "apply": {
        "applied": {0, 4, 8, 10, 11},
        "confirm-pending": {4, 9},
        "rolled-back": {3, 8},
        "partial": {8, 130},
        "running": {8, 130},
        "unknown": {8},
        "interrupted": {130},
    },
    "restart": {"applied": {0, 8, 11}, "partial": {8, 130}, "interrupted": {130}},
    "rollback": {"rolled-back": {0, 4, 8, 11}, "partial": {8, 130}, "interrupted": {130}},
    "expire": {"rolled-back": {0, 4, 11}, "partial": {8}},
    "confirm": {"applied": {0}},
}
_APPLIED = {"applied", "confirm-pending"}
_MAY_BE_IN_EFFECT = {"intended", "done", "unknown"}
_HIDE_CHANGES = {"old", "late"}
"""Lies that hide what somebody else did: nobody can know better."""


def broken(player: Player, before: Before, outcome: Outcome) -> Iterator[str]:
    """Everything that is wrong after an operation."""
    ledger = player.ledger()
    yield from ledger.wrong
    yield from (line.action for line in player.cluster.writes if line.action.startswith("intruder"))
    yield from _the_chronicle_is_true(player, ledger)
    yield from _errors(before, outcome, player)
    yield from _stale_is_refused(player, before, outcome)
    yield from _the_journal_knows(player, ledger, outcome)
    yield from _codes(player, outcome)
    yield from _applied(player, before, ledger, outcome)
    yield from _rolled_back(player, before, ledger, outcome)
    yield from _timed(player, before, ledger, outcome)
    yield from _in_service(player, before, outcome)
    yield from _in_effect(player, before, outcome)


def _the_chronicle_is_true(player: Player, ledger: Ledger) -> Iterator[str]:
    """I0: what the devices hold is what the chronicle tells: nothing came or went that nobody did."""
    for device in player.cluster.devices:
        if [certificate.fingerprint for certificate in device.trusted] != ledger.lists[device.address]:
            yield f"{device.address} holds what the chronicle does not tell"


def _errors(before: Before, outcome: Outcome, player: Player) -> Iterator[str]:
    """I5: only documented errors leave, and what they refused changed nothing."""
    if outcome.error is None:
        return
    if not isinstance(outcome.error, _REFUSALS[outcome.operation.verb]):
        yield f"an undocumented error: {type(outcome.error).__name__}: {outcome.error}"
    if outcome.operation.verb in {"apply", "confirm"} and _ours(player, before):
        yield f"refused, and yet something was written: {outcome.error}"


def _stale_is_refused(player: Player, before: Before, outcome: Outcome) -> Iterator[str]:
    """I1: what others changed before an apply began, and did not put right during it, is not built upon."""
    if outcome.operation.lie and outcome.operation.lie.kind in _HIDE_CHANGES:
        return
    put_right = any(write.action.startswith("somebody") for write in player.cluster.writes[before.lines :])
    if outcome.operation.verb == "apply" and differs(player, before.ledger) and _ours(player, before) and not put_right:
        yield "an apply wrote to a cluster that somebody else had changed before it began"


def _the_journal_knows(player: Player, ledger: Ledger, outcome: Outcome) -> Iterator[str]:
    """I4: nothing is in effect that the journal does not know, and what it calls done was done."""
    with player.desk.journal() as journal:
        runs = {run.id: (run, journal.steps(run.id)) for run in journal.runs()}
    for run, steps in runs.values():
        yield from _unknown_to(run, steps, ledger)
        yield from (f"{step.kind} on {step.peer} is {step.state}, and was never done" for step in _untrue(run, steps, ledger))
        yield from _state_of(player, run, steps, ledger, outcome)


def _unknown_to(run: Run, steps: tuple[StepRecord, ...], ledger: Ledger) -> Iterator[str]:
    recorded = [step for step in steps if step.state in _MAY_BE_IN_EFFECT or not step.proven]
    certificates = {(step.peer, step.facts.get("certificate")) for step in recorded}
    for peer, effect in ledger.live(run.id):
        is_known = (peer, effect) in certificates or (peer == NOBODY and any(step.kind == "set-ciphers" for step in recorded))
        if not is_known:
            yield f"{effect} is in effect on {peer or 'the primary'}, and run {run.id} does not know it"


def _untrue(run: Run, steps: tuple[StepRecord, ...], ledger: Ledger) -> Iterator[StepRecord]:
    for step in steps:
        if step.kind == "trust-certificate" and step.state in {"done", "undone"}:
            words = f"append {step.facts['certificate']}"
            is_attempt = step.state == "undone" and step.after is None
            if not is_attempt and not ledger.did[run.id, step.peer, words]:
                yield step


def _state_of(player: Player, run: Run, steps: tuple[StepRecord, ...], ledger: Ledger, outcome: Outcome) -> Iterator[str]:
    """I6: what the journal says of a run is so."""
    if run.state == "rolled-back" and ledger.live(run.id):
        yield f"the journal says rolled-back of run {run.id}, and of it are in effect: {ledger.live(run.id)}"
    if run.state in {"applied", "rolled-back"}:
        yield from (
            f"run {run.id} is {run.state}, and {step.kind} is still intended" for step in steps if step.state == "intended"
        )
    if run.state in _APPLIED and run.id == player.runs.get(len(player.outcomes) - 1):
        did = [step for step in steps if step.kind == "trust-certificate" and step.state in {"done", "undone"}]
        keys = {(step.peer, str(step.facts["certificate"])) for step in did}
        if any(key[1] not in ledger.lists[key[0]] and not _taken_away(player, *key) for key in keys):
            yield f"the journal says {run.state} of run {run.id}, and not all of it is in effect after: {outcome}"


def _taken_away(player: Player, peer: Address, fingerprint: str) -> bool:
    return any(write.peer == peer and write.action == f"somebody remove {fingerprint}" for write in player.cluster.writes)


def _codes(player: Player, outcome: Outcome) -> Iterator[str]:
    """I6: exit code, state and journal agree, and a person is told what is left."""
    result = outcome.result
    if result is None:
        return
    allowed = _CODES[outcome.operation.verb].get(result.state, set())
    if result.exit_code not in allowed:
        yield f"{result.state} with exit code {result.exit_code}"
    settled = all(effect.state is EffectState.YES for effect in result.effects)
    if (result.exit_code in {0, 3} and not settled) or (result.exit_code == 11 and settled):
        yield f"exit code {result.exit_code}, and in effect is: {result.effects}"
    if result.exit_code == 8 and not (result.open_steps or result.message):
        yield "exit code 8, and nobody is told why"
    if result.run_id:
        with player.desk.journal() as journal:
            journal_state = journal.run(result.run_id).state
        if journal_state != result.state and not (result.state == "unknown" and journal_state == "running"):
            yield f"the result says {result.state}, and the journal {journal_state}"


def _applied(player: Player, before: Before, ledger: Ledger, outcome: Outcome) -> Iterator[str]:
    """I1: applied means that every device holds the plan's certificates, once, and its ciphers."""
    if outcome.operation.verb != "apply" or outcome.result is None or outcome.result.state not in _APPLIED:
        return
    for device in player.cluster.devices:
        held = [certificate.fingerprint for certificate in device.trusted]
        wrong = [fingerprint for fingerprint in find_additions(player.plan, device.address) if held.count(fingerprint) != 1]
        yield from (
            f"applied, and {fingerprint} is {held.count(fingerprint)} times on {device.address}" for fingerprint in wrong
        )
    if not _somebody_set_ciphers(player, before):
        behind = {peer: now for peer, now in player.ciphers().items() if now != player.after and player.is_up(peer)}
        yield from (f"applied, and the ciphers of {peer} are {now}" for peer, now in behind.items())
    if outcome.result.exit_code in {0, 9} and before.down - player.came_up:
        yield f"exit code {outcome.result.exit_code}, although {', '.join(before.down)} were down"


def _rolled_back(player: Player, before: Before, ledger: Ledger, outcome: Outcome) -> Iterator[str]:
    """I2: rolled back means that what the run added is gone, that ciphers are restored, and that others keep theirs."""
    result = outcome.result
    if result is None or result.state != "rolled-back":
        return
    if ledger.live(result.run_id):
        yield f"rolled back with exit code {result.exit_code}, and in effect are {ledger.live(result.run_id)}"
    if result.exit_code == 0 and before.down - player.came_up:
        yield f"exit code 0, although {', '.join(before.down)} could not be read"
    if result.exit_code in {0, 3, 11} and ledger.cipher == ledger.before and not _somebody_set_ciphers(player, before):
        behind = [peer for peer, now in player.ciphers().items() if now == ledger.after and player.is_up(peer)]
        yield from (f"rolled back with exit code {result.exit_code}, and {peer} has the plan's ciphers" for peer in behind)
    hidden = outcome.operation.lie is not None and outcome.operation.lie.kind in _HIDE_CHANGES
    if result.exit_code == 3 and differs(player, ledger) and not ledger.unseen and not hidden:
        yield "exit code 3, and the start state is not there"


def _timed(player: Player, before: Before, ledger: Ledger, outcome: Outcome) -> Iterator[str]:
    """I8: a timer undoes its own run, when nobody confirmed it in time, and no other."""
    armed, wrote = before.armed, _ours(player, before)
    if outcome.operation.verb == "apply" and armed and (before.due or armed.state == "confirm-pending") and wrote:
        yield f"run {armed.id} was to be rolled back, and an apply wrote"
    if outcome.operation.verb == "confirm" and outcome.result and armed and is_due(armed, player.clock()):
        yield f"confirmed after {armed.confirm_by}"
    if outcome.operation.verb != "expire" or player.watch is None:
        return
    if armed is None or (armed.id, armed.timer) != (player.watch.run, player.watch.timer):
        yield from (f"a timer that had ended did this: {write}" for write in wrote)
    elif not (_is_disturbed(outcome.operation) or before.down or _needs_a_person(player, ledger)) and (
        outcome.result is None or outcome.result.state != "rolled-back" or ledger.live(armed.id)
    ):
        yield f"nothing disturbs, and a timer does not undo its run: {outcome}"


def _in_service(player: Player, before: Before, outcome: Outcome) -> Iterator[str]:
    """I9: the journal knows of maintenance mode that is on, a result says so, and a drain ends no call."""
    with player.desk.journal() as journal:
        recorded = {record.peer for record in load_open_maintenance(journal, player.cluster.access.name)}
    left_on = {device.address for device in player.cluster.devices if device.health.maintenance}
    yield from (f"{peer} is in maintenance mode, and the journal does not know it" for peer in left_on - recorded)
    looked = outcome.operation.verb != "confirm"
    if outcome.result and looked and left_on and outcome.result.exit_code not in {8, 130}:
        yield f"exit code {outcome.result.exit_code}, and {', '.join(left_on)} is in maintenance mode"
    if outcome.operation.calls == "drain" and player.cut_calls() > before.cut_calls:
        yield "a drain ended calls"


def _in_effect(player: Player, before: Before, outcome: Outcome) -> Iterator[str]:
    """I10: what a start or a client shows to be in effect, a peer has loaded.

    After a rollback a start shows only that the peer never loaded what this run wrote, whatever it had loaded before.
    """
    lines = player.cluster.writes[before.lines :]
    if outcome.result is None or outcome.operation.lie or any(line.action.startswith("somebody") for line in lines):
        return
    devices = {device.address: device for device in player.cluster.devices if device.loaded is not None}
    for effect in outcome.result.effects:
        device = devices.get(effect.peer)
        sources = {EffectSource.CLIENT} if outcome.result.state == "rolled-back" else {EffectSource.CLIENT, EffectSource.START}
        if device is None or effect.state is not EffectState.YES or effect.source not in sources:
            continue
        planned = find_additions(player.plan, device.address)
        loaded, listed = (
            {entry.fingerprint for entry in entries} & planned for entries in (device.loaded or (), device.trusted)
        )
        # What a client showed to an earlier run stays so; that others took it off the list since, no client was asked about.
        # Nor does a start tell of what others did to the list after it: the peer works with what was written all the same.
        foreign = _list_changed_since_start(player, device.address) if effect.source is EffectSource.START else set()
        if listed - loaded - foreign or (loaded - listed - foreign and effect.seen_at is None):
            yield f"said to be in effect on {device.address}, which has not loaded it: {effect.description}"


def _list_changed_since_start(player: Player, peer: Address) -> set[str]:
    """Return what somebody else put on the list of `peer`, or took off it, after it last restarted."""
    actions = [write.action for write in player.cluster.writes if write.peer == peer]
    starts = [at for at, action in enumerate(actions) if action == "restart"]
    since = actions[starts[-1] :] if starts else actions
    return {action.split(" ")[-1] for action in since if action.startswith("somebody ")}


def _is_disturbed(operation: Operation) -> bool:
    return bool(operation.faults or operation.disturbances or operation.lie)


def _needs_a_person(player: Player, ledger: Ledger) -> bool:
    """Whether somebody left a list so that no rollback can prove anything by it, or put back what a run took out."""
    for device in player.cluster.devices:
        held = {certificate.fingerprint for certificate in device.trusted}
        lacks = not held.issuperset(player.start[device.address])
        foreign = any(
            (device.address, fingerprint) not in ledger.ours
            for fingerprint in held & find_additions(player.plan, device.address)
        )
        if foreign or (lacks and not held.issuperset(find_additions(player.plan, device.address))):
            return True
    return False


def differs(player: Player, ledger: Ledger) -> bool:
    """Whether somebody else has changed what the plan was made from."""
    lists = (
        _list_unrelated(player, peer, ledger.lists[peer]) != _list_unrelated(player, peer, player.start[peer])
        for peer in ledger.lists
    )
    return any(lists) or ledger.cipher not in {ledger.before, ledger.after}


def _list_unrelated(player: Player, peer: Address, listed: Sequence[str]) -> list[str]:
    """A list without the plan's own certificates, which may be there at any time."""
    return [certificate for certificate in listed if certificate not in find_additions(player.plan, peer)]


def _ours(player: Player, before: Before) -> list[str]:
    """What an operation wrote; that an earlier one left a peer in maintenance mode is ended whatever comes of it."""
    lines = [line for line in player.cluster.writes[before.lines :] if line.action != "maintenance False"]
    return [line.action for line in lines if line.peer != NOBODY and line.action.split(" ")[0] not in {"somebody", "looked"}]


def _somebody_set_ciphers(player: Player, before: Before) -> bool:
    return any(write.action.startswith("somebody ciphers") for write in player.cluster.writes[before.lines :])
