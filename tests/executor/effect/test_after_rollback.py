"""After a rollback: whether each peer works with its earlier list again, and what that makes of the exit code."""

from __future__ import annotations

from dataclasses import replace

from remediate.model.client import AnswerKind, ClientAnswer
from remediate.model.health import Health
from tests.executor.clusters import plan_for, story
from tests.executor.conftest import Desk
from tests.executor.effect.looks import fronted, look, states
from tests.executor.memory import MemoryCluster
from tests.executor.memory_device import Device
from tests.pki import NOW


def effects(desk: Desk) -> dict[str, tuple[str, str | None]]:
    """What the journal has of the last run with a plan: the state of each peer, and by what."""
    with desk.journal() as journal:
        in_effect = journal.run("last", with_plan=True).in_effect or ()
    return {effect.peer[:5]: (effect.state.value, effect.source.value if effect.source else None) for effect in in_effect}


def restarted(device: Device, minutes: float) -> None:
    """Let a peer have started so many minutes after the beginning of the story, by the hand of somebody else."""
    device.health = replace(device.health, started_at=NOW.replace(minute=int(minutes)))


def applied(desk: Desk, cluster: MemoryCluster) -> MemoryCluster:
    """The cluster after an apply, ten minutes later."""
    desk.apply(cluster, plan_for(cluster))
    cluster.tick(600)
    return cluster


def test_a_rollback_of_peers_that_never_started_since_is_in_effect(desk: Desk) -> None:
    cluster = applied(desk, story().run_since_long())
    result = desk.rollback(cluster)
    assert (result.exit_code, result.state) == (0, "rolled-back")
    assert effects(desk) == dict.fromkeys(("expc1", "expc2", "expc3"), ("yes", "start"))
    assert result.message.endswith("In effect on every peer.")


def test_what_a_client_showed_is_kept_where_nothing_is_sent(desk: Desk) -> None:
    # Given a run that a client showed in effect, on peers that offer no removal
    cluster = fronted()
    result = desk.apply(cluster, plan_for(cluster, ciphers="keep"))
    assert {(effect.state.value, effect.source) for effect in result.effects} == {("yes", "client")}
    for device in cluster.devices:
        device.removal = False
    # When it is rolled back, Then the steps are open, and the lists that are there still are in effect
    for _ in range(2):
        cluster.tick(600)
        undone = desk.rollback(cluster)
    assert {effect.state.value for effect in undone.effects} == {"not-known"}
    assert effects(desk) == dict.fromkeys(("expc1", "expc2", "expc3"), ("yes", "client"))
    assert states(look(desk, cluster, ask_clients=False)) == [("yes", "client")] * 3
    recorded = desk.journal().run("last").in_effect or ()
    assert [(effect.peer, effect.state) for effect in recorded] == [(effect.peer, effect.state) for effect in undone.effects]


def test_rolling_back_a_list_loaded_at_a_start_is_not_known(desk: Desk) -> None:
    # Given a second peer that somebody restarted between the apply and the rollback
    cluster = applied(desk, story().run_since_long())
    restarted(cluster.device(2), 5)
    # When the run is rolled back, Then its list is the old one, and its traffic server may have the new one
    result = desk.rollback(cluster)
    assert (result.exit_code, result.state) == (11, "rolled-back")
    assert effects(desk)["expc2"] == ("not-known", "start")
    assert "--peer expc2.example.test`" in result.message
    # When it restarted and the run is rolled back again, Then that is in effect
    cluster.tick(600)
    restarted(cluster.device(2), 40)
    assert desk.rollback(cluster).exit_code == 0
    assert effects(desk)["expc2"] == ("yes", "start")


def test_a_start_that_cannot_be_read_proves_nothing(desk: Desk) -> None:
    cluster = applied(desk, story().run_since_long())
    for device in cluster.devices:
        device.health = Health()
    assert desk.rollback(cluster).exit_code == 11
    assert set(effects(desk).values()) == {("not-known", None)}


def test_a_client_that_is_refused_again_shows_the_old_list(desk: Desk) -> None:
    # Given peers that somebody restarted with the new list, and that load a list at once
    cluster = story().run_since_long()
    for device in cluster.devices:
        device.front = True
    applied(desk, cluster)
    for device in cluster.devices:
        restarted(device, 5)
    # When the run is rolled back, Then a client that is refused again proves it
    assert desk.rollback(cluster).exit_code == 0
    assert set(effects(desk).values()) == {("yes", "client")}


def test_a_client_that_still_gets_through_shows_the_new_list(desk: Desk) -> None:
    # Given a peer that goes on with the list of the run
    cluster = story().run_since_long()
    cluster.device(3).front = True
    applied(desk, cluster)
    restarted(cluster.device(3), 5)
    cluster.device(3).loaded = list(cluster.device(3).trusted)
    # When the run is rolled back, Then that is not in effect there; this command restarts nothing
    result = desk.rollback(cluster)
    assert (result.exit_code, effects(desk)["expc3"]) == (11, ("no", "client"))


def test_a_502_without_a_way_to_the_peer_proves_no_old_list(desk: Desk) -> None:
    cluster = story().run_since_long()
    device = cluster.device(3)
    device.front = True
    applied(desk, cluster)
    restarted(device, 5)
    device.health = replace(device.health, tunnels={"expe": False})
    device.clients_get = ClientAnswer(AnswerKind.REFUSED, "HTTP 502")
    assert desk.rollback(cluster).exit_code == 11
    assert effects(desk)["expc3"][0] == "not-known"


def test_an_automatic_rollback_is_exit_code_3_where_it_is_in_effect(desk: Desk) -> None:
    cluster = story().run_since_long()
    cluster.faults = {3: "refuse"}
    result = desk.apply(cluster, plan_for(cluster))
    assert (result.exit_code, result.state) == (3, "rolled-back")
    assert effects(desk) == {"expc1": ("yes", "start"), "expc2": ("yes", "start"), "expc3": ("yes", "start")}


def test_an_automatic_rollback_not_known_in_effect_is_8(desk: Desk) -> None:
    cluster = story()
    for device in cluster.devices:
        device.health = Health()
    cluster.faults = {3: "refuse"}
    result = desk.apply(cluster, plan_for(cluster))
    assert (result.exit_code, result.state) == (8, "rolled-back")
    assert "`remediate restart -i " in result.message


def test_peers_that_the_run_did_not_write_to_are_in_effect(desk: Desk) -> None:
    cluster = story().run_since_long()
    cluster.device(2).health = cluster.device(3).health = Health()
    cluster.faults = {1: "refuse"}
    result = desk.apply(cluster, plan_for(cluster))
    assert effects(desk) == {
        "expc1": ("yes", "start"),
        "expc2": ("yes", "no-write-known"),
        "expc3": ("yes", "no-write-known"),
    }
    assert result.exit_code == 3
