"""Plays a history to its end and says what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator

from remediate.executor.journal.store import UnknownRun
from remediate.executor.result import RunResult
from remediate.model.errors import LockHeld, StalePlan
from remediate.model.run import UNFINISHED
from tests.executor.conftest import Desk
from tests.histories.draw import History, Operation, draw_history
from tests.histories.laws import broken, differs
from tests.histories.play import Outcome, Player


class Broken(AssertionError):
    """A law does not hold; the message holds the history, what came of it, and how to see it again."""


def judge(seed: int, desk: Desk) -> Player:
    """Play the history of `seed`. Raises Broken."""
    history = draw_history(seed)
    player = Player(history, desk)
    wrong = next(_played(player), None) or next(_ended(player), None)
    if wrong:
        raise Broken(_report(history, player, wrong))
    return player


def _report(history: History, player: Player, wrong: str) -> str:
    outcomes = "\n  ".join(str(outcome) for outcome in player.outcomes)
    return f"{wrong}\n{history}\nso far:\n  {outcomes}\nAgain: REMEDIATE_SEED={history.seed} make test ARGS='tests/histories'"


def _played(player: Player) -> Iterator[str]:
    for operation in player.history.operations:
        yield from _play_operation(player, operation)


def _play_operation(player: Player, operation: Operation) -> Iterator[str]:
    before = player.before()
    outcome = player.do(operation)
    if outcome:
        yield from broken(player, before, outcome)


def _ended(player: Player) -> Iterator[str]:
    """I7: once nothing disturbs, applying again or rolling back ends in a final state that is true."""
    player.calm_down()
    player.somebody.do_what_is_left(player.ledger().ours, player.list_found_certificates())
    while player.watches:
        yield from _play_operation(player, Operation("expire"))
    if player.history.ending == "apply":
        yield from _play_operation(player, Operation("apply", restart="if-needed" if player.history.waits else "never"))
        yield from _final_apply(player, player.outcomes[-1])
        if player.history.waits and player.outcomes[-1].result:
            yield from _play_operation(player, Operation("restart"))
            yield from _final_restart(player.outcomes[-1])
        player.settle()
    player.somebody.do_what_is_left(player.ledger().ours, player.list_found_certificates())
    for _ in range(2):
        yield from _play_operation(player, Operation("rollback", restart="rolling"))
        yield from _final_rollback(player, player.outcomes[-1])
    with player.desk.journal() as journal:
        yield from (
            f"in the end, run {run.id} is still {run.state}" for run in journal.runs() if run.plan and run.state in UNFINISHED
        )
    if armed := player.armed():
        yield f"in the end, a timer is to undo run {armed.id}"


def _final_apply(player: Player, outcome: Outcome) -> Iterator[str]:
    if player.armed():
        # Its process was killed: whoever applies is told to roll that run back first.
        if not isinstance(outcome.error, LockHeld):
            yield f"a run is to be rolled back first, and an apply does not refuse that: {outcome}"
    elif differs(player, player.ledger()):
        if not isinstance(outcome.error, StalePlan):
            yield f"somebody else changed the cluster, and an apply does not refuse that: {outcome}"
    elif outcome.result is None or not _ends_well(player, outcome.result, "applied"):
        yield f"nothing disturbs, and yet an apply does not end well: {outcome}"


def _final_restart(outcome: Outcome) -> Iterator[str]:
    """Whatever the apply found nothing to write for, a restart of what waits for one puts into effect."""
    if outcome.result is None or (outcome.result.state, outcome.result.exit_code) != ("applied", 0):
        yield f"nothing disturbs, and yet a restart does not end well: {outcome}"


def _ends_well(player: Player, result: RunResult, state: str) -> bool:
    """Return whether all is done; a peer that restarted between two writes may work with what it loaded then, and that is said."""
    if not player.history.waits:
        codes = {0, 11} if player.cluster.restarting else {0}
    else:
        # An apply that has nothing to write, or finds the workaround on, restarts nothing; a restart follows.
        codes = {0} if state == "rolled-back" else {0, 8, 11}
    return result.state == state and result.exit_code in codes


def _final_rollback(player: Player, outcome: Outcome) -> Iterator[str]:
    result = outcome.result
    if isinstance(outcome.error, UnknownRun) and not any(player.ledger().ours):
        return
    if result is None or not _ends_well(player, result, "rolled-back"):
        yield f"nothing disturbs, and yet a rollback does not end well: {outcome}"
