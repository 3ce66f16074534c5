"""`apply --diagnostic-log`: the peers' own logs say what is in effect where no client does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from remediate.executor.left_logging import find_left_logging, hold_note
from remediate.executor.result import RunResult
from remediate.model.effect import EffectSource, EffectState
from remediate.model.health import Health
from remediate.model.identity import Address, EndpointId
from tests.executor.clusters import plan_for, story
from tests.executor.conftest import Desk
from tests.executor.effect.log_lines import request
from tests.executor.memory import MemoryCluster
from tests.executor.memory_logging import VERBOSE, MemoryLogging
from tests.pki import NOW

IMP = EndpointId(Address("imp.example.test"), 8443)
LATER = NOW + timedelta(minutes=1)
ANSWERED = request(1, IMP, LATER)
REFUSED = request(1, IMP, LATER, status=502, action="Terminate")


def logged(*logs: str) -> MemoryCluster:
    """The story without a way for clients; each peer's next log has these lines."""
    cluster = story(len(logs)).run_since_long()
    for device in cluster.devices:
        device.health = replace(device.health, alarms=())
    texts = {device.address: text.encode() for device, text in zip(cluster.devices, logs, strict=True)}
    cluster.logging = MemoryLogging(cluster.devices, texts)
    return cluster


def apply(desk: Desk, cluster: MemoryCluster, restart: str = "never") -> RunResult:
    return desk.apply(cluster, plan_for(cluster), diagnostic_log=True, restart=restart)


def effects(result: RunResult) -> dict[str, tuple[EffectState, EffectSource | None]]:
    return {effect.peer[:5]: (effect.state, effect.source) for effect in result.effects}


def test_an_answer_in_the_log_is_in_effect_and_a_refusal_is_not(desk: Desk) -> None:
    cluster = logged(ANSWERED, REFUSED)
    result = apply(desk, cluster)
    assert effects(result) == {
        "expc1": (EffectState.YES, EffectSource.LOG),
        "expc2": (EffectState.NO, EffectSource.LOG),
    }
    assert result.exit_code == 11


def test_where_every_log_shows_an_answer_the_apply_is_done(desk: Desk) -> None:
    assert apply(desk, logged(ANSWERED, ANSWERED)).exit_code == 0


def test_a_log_without_a_line_leaves_it_not_known(desk: Desk) -> None:
    result = apply(desk, logged(ANSWERED, ""))
    assert effects(result)["expc2"][0] is EffectState.NOT_KNOWN
    assert result.exit_code == 11


def test_logging_runs_once_for_all_peers_and_is_off_again(desk: Desk) -> None:
    cluster = logged(ANSWERED, ANSWERED, ANSWERED)
    apply(desk, cluster)
    assert cluster.logging
    assert [action.partition(" ")[2] for action in cluster.logging.calls] == ["start", "stop", *["collect", "download"] * 3]
    assert not cluster.logging.running
    assert find_left_logging(desk.state_dir) == ()


def test_without_the_option_nothing_is_recorded(desk: Desk) -> None:
    cluster = logged(ANSWERED, ANSWERED)
    result = desk.apply(cluster, plan_for(cluster), restart="never")
    assert effects(result)["expc1"][0] is EffectState.NOT_KNOWN
    assert cluster.logging
    assert cluster.logging.calls == []


def beside_another_log(cluster: MemoryCluster) -> None:
    cluster.devices[1].health = Health(alarms=(VERBOSE,))


def not_offered(cluster: MemoryCluster) -> None:
    cluster.logging = None


@pytest.mark.parametrize("spoil", [beside_another_log, not_offered])
def test_a_log_that_cannot_be_recorded_is_reported(desk: Desk, spoil: Callable[[MemoryCluster], None]) -> None:
    cluster = logged(ANSWERED, ANSWERED)
    spoil(cluster)
    result = apply(desk, cluster)
    assert result.exit_code == 11
    assert desk.messages("warning")


def test_logging_that_does_not_stop_is_left_to_a_person(desk: Desk) -> None:
    cluster = logged(ANSWERED, ANSWERED)
    assert cluster.logging
    cluster.logging.faults.add("stop-refused")
    result = apply(desk, cluster)
    assert result.exit_code == 8
    assert [step.open for step in result.open_steps] == [True]


def test_what_the_log_showed_before_a_restart_counts_no_more(desk: Desk) -> None:
    # Given a peer that refuses by its log and is restarted for it, and shows nothing after that
    cluster = logged(REFUSED)
    result = apply(desk, cluster, restart="if-needed")
    assert [write.action for write in cluster.writes if write.action == "restart"] == ["restart"]
    assert effects(result)["expc1"] != (EffectState.NO, EffectSource.LOG)


def test_the_next_apply_stops_what_a_killed_one_left(desk: Desk) -> None:
    cluster = logged(ANSWERED, ANSWERED)
    assert cluster.logging
    with hold_note("edge", desk.state_dir) as note:
        note.write("edge", NOW)
    cluster.logging.switch(on=True)
    desk.apply(cluster, plan_for(cluster), restart="never")
    assert not cluster.logging.running
    assert find_left_logging(desk.state_dir) == ()
