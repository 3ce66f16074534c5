"""A spent budget of sign-ins: an apply and a rollback wait for its next one, and say how long; no other command does."""

from __future__ import annotations

import os
import signal
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

from remediate.executor.ports import WatcherProcess
from remediate.model.access import MraAccess
from remediate.model.client import AnswerKind, ClientAnswer
from remediate.model.identity import Address, Product
from remediate.model.limits import Limits
from tests.executor.clusters import plan_for, story
from tests.executor.conftest import Desk
from tests.executor.memory import MemoryCluster


def spent(cluster: MemoryCluster) -> dict[str, Any]:
    """A client whose budget has room again 280 s from now."""
    again_at = cluster.now() + timedelta(seconds=280)

    def ask(access: MraAccess, address: Address, port: int, product: Product | None, limits: Limits) -> ClientAnswer:
        if cluster.now() < again_at:
            seconds = (again_at - cluster.now()).total_seconds()
            return ClientAnswer(AnswerKind.NOT_ASKED, "probe signed in there 2 times", again_in_s=seconds)
        return cluster.ask_through(access, address, port, product, limits)

    return {"open_client": lambda _state_dir: nullcontext(ask)}


def reloading() -> MemoryCluster:
    """Peers that started long ago, and load a changed list by themselves: only a client shows that."""
    cluster = story().run_since_long()
    for device in cluster.devices:
        device.front = True
    return cluster


def messages(desk: Desk) -> list[str]:
    return [text for text in desk.messages("waiting") if text.startswith("No sign-in over ")]


def countdown(desk: Desk) -> list[int]:
    """The seconds that each of them says."""
    return [int(text.split(" for ")[1].split(" s,")[0]) for text in messages(desk)]


def test_an_apply_waits_for_its_client_and_counts_down(desk: Desk) -> None:
    cluster = reloading()
    result = desk.apply(cluster, plan_for(cluster), spent(cluster))
    assert (result.exit_code, {str(effect.source) for effect in result.effects}) == (0, {"client"})
    remaining = countdown(desk)
    assert remaining == [*range(remaining[0], 0, -30)]
    assert 270 < remaining[0] <= 281
    assert messages(desk)[0].startswith("No sign-in over https://expc1.example.test:8443 for 2")


def test_what_a_start_shows_is_not_waited_for(desk: Desk) -> None:
    # Given peers that restart anyway
    cluster = reloading()
    result = desk.apply(cluster, plan_for(cluster), spent(cluster), restart="rolling")
    assert (result.exit_code, {str(effect.source) for effect in result.effects}) == (0, {"start"})
    assert countdown(desk) == []


def test_a_rollback_waits_where_nothing_else_shows_it(desk: Desk) -> None:
    cluster = reloading()
    desk.apply(cluster, plan_for(cluster), restart="rolling")
    for device in cluster.devices:
        device.front = True
    result = desk.rollback(cluster, **spent(cluster))
    assert (result.exit_code, countdown(desk)[0] > 270) == (0, True)
    assert {effect.state.value for effect in result.effects} == {"yes"}


def test_ctrl_c_ends_the_wait(desk: Desk) -> None:
    cluster = reloading()

    def pause(seconds: float) -> None:
        if messages(desk):
            os.kill(os.getpid(), signal.SIGINT)
        cluster.tick(seconds)

    result = desk.apply(cluster, plan_for(cluster), {**spent(cluster), "pause": pause})
    assert (result.exit_code, result.state) == (130, "partial")
    assert len(messages(desk)) == 1


def test_a_confirm_timer_moves_while_a_client_is_waited_for(desk: Desk, tmp_path: Path) -> None:
    cluster = reloading()
    plan = plan_for(cluster)
    watcher = {"start_watcher": lambda _order: WatcherProcess(4711, tmp_path / "timer.log", lambda: None)}
    result = desk.apply(cluster, plan, {**spent(cluster), **watcher}, confirm_within=timedelta(minutes=1))
    assert (result.exit_code, result.state) == (9, "confirm-pending")
