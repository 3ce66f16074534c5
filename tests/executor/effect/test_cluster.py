"""What a command that writes nothing says of the effect: by the journal, the start in the snapshot, and clients."""

from __future__ import annotations

from dataclasses import replace

import pytest

from remediate.model.client import AnswerKind, ClientAnswer
from remediate.model.identity import Address, EndpointId, PairId
from tests.executor.clusters import plan_for, story
from tests.executor.conftest import Desk
from tests.executor.effect.looks import fronted, look, states
from tests.pki import NOW

IMP = EndpointId(Address("imp.example.test"), 8443)


def test_without_a_known_write_a_cluster_has_no_change_by_this_tool(desk: Desk) -> None:
    result = look(desk, story().run_since_long())
    assert (result.exit_code, states(result)) == (0, [("yes", "no-write-known")] * 3)
    assert {effect.description for effect in result.effects} == {"no change by this tool"}
    assert not desk.state_dir.exists()


def test_a_write_younger_than_the_start_is_not_known(desk: Desk) -> None:
    cluster = story().run_since_long()
    desk.apply(cluster, plan_for(cluster))
    result = look(desk, cluster)
    assert (result.exit_code, states(result)) == (11, [("not-known", "start")] * 3)


def test_a_start_after_the_write_settles_it(desk: Desk) -> None:
    cluster = story().run_since_long()
    desk.apply(cluster, plan_for(cluster))
    for device in cluster.devices:
        device.health = replace(device.health, started_at=NOW.replace(hour=11))
    result = look(desk, cluster)
    assert (result.exit_code, states(result)) == (0, [("yes", "start")] * 3)


def test_clients_that_get_through_settle_it(desk: Desk) -> None:
    cluster = story().run_since_long()
    desk.apply(cluster, plan_for(cluster))
    for device in cluster.devices:
        device.front = True
    result = look(desk, cluster)
    assert (result.exit_code, states(result)) == (0, [("yes", "client")] * 3)
    assert {view.state for view in result.client_views.values()} == {"reached"}
    assert len(cluster.requests) == 9


def test_a_client_that_is_refused_although_the_list_accepts_is_8(desk: Desk) -> None:
    # Given a peer that still works with the list of before the apply
    cluster = story().run_since_long()
    before = list(cluster.device(2).trusted)
    desk.apply(cluster, plan_for(cluster))
    cluster.device(2).front, cluster.device(2).loaded = True, before
    # When clients are asked, Then it is refused there, and the others are not known
    result = look(desk, cluster)
    assert (result.exit_code, states(result)[1]) == (8, ("no", "client"))
    assert result.client_views[PairId(cluster.device(2).address, IMP)].state == "refused"


def test_a_refusal_that_the_list_explains_leaves_no_open_step(desk: Desk) -> None:
    # Given a cluster that nothing was written to, whose peers refuse IM&P by their lists
    result = look(desk, fronted())
    assert result.exit_code == 0
    assert {view.state for pair, view in result.client_views.items() if pair.endpoint == IMP} == {"not-known"}


def test_a_client_refused_without_a_write_of_this_tool_is_8_too(desk: Desk) -> None:
    # Given lists that somebody changed by hand, and a first peer that did not load its own
    cluster = fronted()
    plan = plan_for(cluster)
    cluster.device(1).loaded = list(cluster.device(1).trusted)
    for device in cluster.devices:
        device.trusted += [certificate for certificate in plan.certificates.values() if certificate not in device.trusted]
    result = look(desk, cluster)
    assert (result.exit_code, states(result)) == (8, [("yes", "no-write-known")] * 3)


def test_without_clients_none_is_asked(desk: Desk) -> None:
    cluster = fronted()
    result = look(desk, cluster, ask_clients=False)
    assert cluster.requests == []
    assert {view.state for view in result.client_views.values()} == {"not-asked"}


def test_with_the_workaround_on_clients_prove_nothing(desk: Desk) -> None:
    cluster = fronted()
    for device in cluster.devices:
        device.verify = False
    desk.apply(cluster, plan_for(cluster))
    result = look(desk, cluster)
    assert (result.exit_code, {state for state, _ in states(result)}) == (11, {"not-known"})


def test_rolling_back_a_list_never_loaded_leaves_nothing_pending(desk: Desk) -> None:
    cluster = story().run_since_long()
    desk.apply(cluster, plan_for(cluster))
    desk.rollback(cluster)
    result = look(desk, cluster)
    assert (result.exit_code, states(result)) == (0, [("yes", "start")] * 3)


@pytest.mark.parametrize("kind", [AnswerKind.NO_LOGIN, AnswerKind.FORBIDDEN, AnswerKind.RATE_LIMITED, AnswerKind.NOTHING])
def test_an_answer_that_ends_asking_ends_it(desk: Desk, kind: AnswerKind) -> None:
    cluster = fronted()
    cluster.device(1).clients_get = ClientAnswer(kind, "no more")
    result = look(desk, cluster)
    of_first = [view.state for pair, view in result.client_views.items() if pair.peer == cluster.device(1).address]
    assert of_first == ["not-known", "not-asked", "not-asked"]


def test_the_journal_is_only_read(desk: Desk) -> None:
    cluster = fronted()
    desk.apply(cluster, plan_for(cluster))
    before = (desk.state_dir / "journal.sqlite3").read_bytes()
    look(desk, cluster)
    assert (desk.state_dir / "journal.sqlite3").read_bytes() == before
