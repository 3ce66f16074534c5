"""What the effects make of an apply: its exit code, its state, its words, and the journal."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest

from remediate.executor.confirm_timer import confirm
from remediate.executor.effect.outcome import describe_effects, effect_exit_code
from remediate.executor.ports import WatcherJob, WatcherProcess
from remediate.executor.result import RestartOptions
from remediate.model.effect import EffectSource, EffectState, PeerEffect
from remediate.model.exit_codes import ExitCode
from remediate.model.identity import Address
from tests.executor.clusters import IMP, endpoint, plan_for, story
from tests.executor.conftest import Desk
from tests.executor.memory import MemoryCluster
from tests.pki import issue

UNNAMED = endpoint("wrong.example.test", 8443, IMP, product="imp")
STRANGER = issue("stranger", names=("wrong.example.test",))
STATES = tuple(EffectState)


def effects(*states: EffectState) -> list[PeerEffect]:
    return [PeerEffect(Address(f"expc{number}"), state, None, "because") for number, state in enumerate(states, start=1)]


def waiting(_order: WatcherJob) -> WatcherProcess:
    """A timer's process that does nothing."""
    return WatcherProcess(4711, Path("timer.log"), lambda: None)


def with_unfixable(cluster: MemoryCluster) -> MemoryCluster:
    """The cluster with an endpoint whose name no change of trust fixes."""
    cluster.endpoints = (*cluster.endpoints, UNNAMED)
    return cluster


@pytest.mark.parametrize("states", [*product(STATES, repeat=1), *product(STATES, repeat=3)])
def test_the_exit_code_is_of_the_worst_peer(states: tuple[EffectState, ...]) -> None:
    expected = (
        ExitCode.PERSON_NEEDED
        if EffectState.NO in states
        else ExitCode.NOT_IN_EFFECT
        if EffectState.NOT_KNOWN in states
        else ExitCode.DONE
    )
    assert effect_exit_code(effects(*states), never_restarts=False) is expected
    under_never = ExitCode.DONE if expected is ExitCode.DONE else ExitCode.NOT_IN_EFFECT
    assert effect_exit_code(effects(*states), never_restarts=True) is under_never


def test_peers_in_one_state_are_named_together() -> None:
    listed = effects(EffectState.YES, EffectState.NOT_KNOWN, EffectState.NOT_KNOWN, EffectState.NO)
    advice = "To find out, restart with `remediate restart`, or send a client request through each of these peers."
    assert describe_effects(listed, "remediate restart") == (
        f"Not in effect on expc4 (because). Not known to be in effect on expc2, expc3 (because). {advice}"
    )
    assert describe_effects(listed, "remediate restart", with_reasons=False) == (
        f"Not in effect on expc4. Not known to be in effect on expc2 and expc3. {advice}"
    )
    assert describe_effects([], "") == ""


def test_what_is_known_not_to_be_in_effect_needs_a_restart() -> None:
    listed = effects(EffectState.YES, EffectState.NO)
    assert describe_effects(listed, "remediate restart") == (
        "Not in effect on expc2 (because). A restart puts it into effect: `remediate restart`."
    )


def test_an_apply_that_is_not_known_to_be_in_effect_is_applied(desk: Desk) -> None:
    cluster = story().run_since_long()
    result = desk.apply(cluster, plan_for(cluster))
    assert (result.exit_code, result.state, result.open_steps) == (11, "applied", ())
    assert result.message.startswith("Written and read back. By the certificates, every endpoint passes on every peer.")
    with desk.journal() as journal:
        run = journal.run("last")
    assert (run.state, run.exit_code, run.in_effect) == ("applied", 11, result.effects)


def test_the_same_apply_again_reports_it_until_the_peers_restart(desk: Desk) -> None:
    cluster = story().run_since_long()
    plan = plan_for(cluster)
    desk.apply(cluster, plan)
    again = desk.apply(cluster, plan)
    assert (again.exit_code, again.has_written, cluster.sent_count) == (11, False, cluster.sent_count)
    for device in cluster.devices:
        device.health = replace(device.health, started_at=cluster.now() + timedelta(seconds=30))
    assert desk.apply(cluster, plan).exit_code == 0


def test_a_peer_without_changes_counts_for_what_is_known_of_it(desk: Desk) -> None:
    cluster = story().run_since_long()
    desk.apply(cluster, plan_for(cluster))
    # Given a plan with nothing to do, Then what an earlier run wrote is still not known to be in effect
    assert desk.apply(cluster, plan_for(cluster)).exit_code == 11


def test_exit_code_11_wins_over_10(desk: Desk) -> None:
    cluster = with_unfixable(story().run_since_long())
    assert desk.apply(cluster, plan_for(cluster)).exit_code == 11


def test_the_exit_code_is_10_where_all_is_in_effect(desk: Desk) -> None:
    cluster = with_unfixable(story())
    assert desk.apply(cluster, plan_for(cluster)).exit_code == 10


def test_what_the_plan_calls_unfixable_can_be_accepted(desk: Desk) -> None:
    cluster = with_unfixable(story())
    plan = plan_for(cluster)
    assert desk.apply(cluster, plan, accept_remaining=True, dry_run=True).exit_code == 0
    assert desk.apply(cluster, plan, accept_remaining=True).exit_code == 0


def test_what_the_plan_does_not_name_is_not_accepted(desk: Desk) -> None:
    # Given a plan that was made before somebody added an endpoint
    cluster = story()
    plan = plan_for(cluster)
    with_unfixable(cluster)
    assert desk.apply(cluster, plan, accept_remaining=True).exit_code == 10


def test_another_cause_than_the_plans_is_not_accepted(desk: Desk) -> None:
    # Given an endpoint whose certificate is renewed while a plan is applied, with the right name and from nobody known
    cluster = with_unfixable(story())
    plan = plan_for(cluster)
    cluster.certificates[STRANGER.certificate.fingerprint] = STRANGER.certificate
    renewed = endpoint("wrong.example.test", 8443, STRANGER, product="imp")

    def renew(point: str) -> None:
        if point == "observe" and cluster.writes:
            cluster.endpoints = (*cluster.endpoints[:-1], renewed)

    cluster.tap = renew
    # When it is applied, Then the plan did not call that unfixable
    assert desk.apply(cluster, plan, accept_remaining=True).exit_code == 10


def test_a_run_that_is_not_in_effect_can_still_be_confirmed(desk: Desk) -> None:
    cluster = story().run_since_long()
    within = timedelta(minutes=15)
    result = desk.apply(cluster, plan_for(cluster), {"start_watcher": waiting}, confirm_within=within)
    assert (result.exit_code, result.state) == (9, "confirm-pending")
    assert confirm(result.run_id, state_dir=desk.state_dir, now=cluster.now).exit_code == 0
    with desk.journal() as journal:
        assert journal.run("last").in_effect == result.effects


def test_a_rollback_with_an_open_step_says_what_is_in_effect(desk: Desk) -> None:
    # Given a run that is in effect, and a peer that offers no removal
    cluster = story()
    desk.apply(cluster, plan_for(cluster))
    cluster.device(1).removal = False
    # When it is rolled back, Then that peer is not known to work with its earlier list, and the others do
    result = desk.rollback(cluster)
    assert [(effect.peer[:5], effect.state.value) for effect in result.effects] == [
        ("expc1", "not-known"),
        ("expc2", "yes"),
        ("expc3", "yes"),
    ]
    assert {pair.peer[:5] for pair in result.verdicts} == {"expc1", "expc2", "expc3"}
    with desk.journal() as journal:
        run = journal.run("last")
    assert (run.state, run.in_effect) == ("partial", result.effects)


def test_a_refused_client_is_11_without_a_policy_for_calls(desk: Desk) -> None:
    # Given a peer that needs a restart, and an apply that may not restart it
    cluster = story().run_since_long()
    for device in cluster.devices:
        device.front, device.loaded = True, list(device.trusted)
    result = desk.apply(cluster, plan_for(cluster), restarts=RestartOptions(calls=None))
    assert (result.exit_code, result.state) == (11, "applied")
    assert {effect.state for effect in result.effects} == {EffectState.NO}


def test_a_dry_run_says_what_is_in_effect_now(desk: Desk) -> None:
    cluster = story().run_since_long()
    plan = plan_for(cluster)
    before = desk.apply(cluster, plan, dry_run=True)
    assert (before.exit_code, {effect.state for effect in before.effects}) == (0, {EffectState.YES})
    assert set(before.verdicts) == {forecast.pair for forecast in plan.endpoints}
    # Given peers that have not started since they were written to
    desk.apply(cluster, plan)
    after = desk.apply(cluster, plan, dry_run=True)
    assert (after.exit_code, {effect.state for effect in after.effects}) == (0, {EffectState.NOT_KNOWN})


def test_an_interrupted_apply_names_every_peer_as_not_looked_at(desk: Desk) -> None:
    cluster = story()
    cluster.tap = lambda point: os.kill(os.getpid(), signal.SIGINT) if point.startswith("after append") else None
    result = desk.apply(cluster, plan_for(cluster))
    assert (result.exit_code, len(result.effects)) == (130, 3)
    assert {(effect.state, effect.source) for effect in result.effects} == {(EffectState.NOT_KNOWN, None)}


def test_effects_are_shown_in_the_order_of_the_cluster(desk: Desk) -> None:
    cluster = story()
    cluster.device(2).front = True
    result = desk.apply(cluster, plan_for(cluster), restart="rolling")
    assert [effect.peer[:5] for effect in result.effects] == ["expc1", "expc2", "expc3"]
    assert {effect.source for effect in result.effects} == {EffectSource.START, EffectSource.CLIENT}
