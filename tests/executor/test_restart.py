"""Step 11: a client's request through each peer says whether the change is in effect; who restarts, and what is left to a person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from remediate.executor.journal.restarts import load_open_maintenance, load_unsettled_restarts
from remediate.model.client import AnswerKind, ClientAnswer
from remediate.model.effect import ClientState, EffectSource
from remediate.model.plan import Plan
from remediate.model.secret import Login
from tests.executor.clock import Clock
from tests.executor.clusters import CORPORATE, IMP, OTHER, fronted, plan_for, renumbered, restarts, story
from tests.executor.conftest import Desk
from tests.executor.crashing import crash
from tests.executor.memory import MemoryCluster, PlainSecret, no_tap
from tests.executor.tapped import CrashAt
from tests.pki import NOW

PAGE = "Maintenance > Diagnostics > Diagnostic logging"


def asked_through(cluster: MemoryCluster, number: int) -> list[str]:
    """What clients asked one peer for, in order."""
    return [name for peer, name, _ in cluster.requests if peer == cluster.device(number).address]


def test_what_is_in_effect_is_reported_and_nothing_restarts(desk: Desk) -> None:
    # Given peers that take a change over at once
    cluster = fronted()
    # When the plan is applied
    result = desk.apply(cluster, plan_for(cluster))
    # Then each was asked for what the plan mends on it, as a client would, and that is said
    assert (result.exit_code, restarts(cluster)) == (0, [])
    assert asked_through(cluster, 1) == ["imp.example.test:8443"]
    assert asked_through(cluster, 3) == ["cucm.example.test:6972", "cucm.example.test:8443", "imp.example.test:8443"]
    assert cluster.requests[0][2] == "imp"
    assert desk.messages("in-effect")[0] == (
        "In effect on expc1.example.test: a request through it reached imp.example.test:8443."
    )
    assert desk.messages("effect-not-known") == []


def test_only_peers_with_a_502_restart_each_checked_in_turn(desk: Desk) -> None:
    # Given two of three peers whose traffic server goes on with its old list
    cluster = fronted(1, 3)
    # When the plan is applied
    result = desk.apply(cluster, plan_for(cluster))
    # Then they restart, each is in effect before the next, and the other one is left alone
    assert (result.exit_code, result.state, restarts(cluster)) == (0, "applied", ["expc1", "expc3"])
    effects = [(event.type, str(event.fields["peer"])[:5]) for event in desk.events if event.type.endswith("in-effect")]
    assert effects == [
        ("not-in-effect", "expc1"),
        ("in-effect", "expc1"),
        ("in-effect", "expc2"),
        ("not-in-effect", "expc3"),
        ("in-effect", "expc3"),
    ]
    assert (
        "refused for imp.example.test:8443: HTTP 502, although the list accepts its certificates"
        in desk.messages("not-in-effect")[0]
    )


def test_after_a_restart_only_what_clients_get_then_counts(desk: Desk) -> None:
    # Given peers that go on with the lists of before a run, one of which has lost what the run had added
    cluster = fronted(1, 3)
    plan = plan_for(cluster)
    desk.apply(cluster, plan, restart="never")
    cluster.device(3).trusted.remove(IMP.certificate)
    cluster.tick(600)
    # When the plan is applied again, Then both restart: the refusals of before are no reason to stop after the first
    result = desk.apply(cluster, plan)
    assert (result.exit_code, result.state, restarts(cluster)) == (0, "applied", ["expc1", "expc3"])
    assert {view.state for view in result.client_views.values()} == {ClientState.REACHED}


def test_a_502_that_passes_by_itself_restarts_nothing(desk: Desk) -> None:
    # Given a traffic server that loads its list some seconds later
    cluster = fronted(2)

    def load(point: str) -> None:
        if len(asked_through(cluster, 2)) > 3 and point.startswith("before a client asks expc2"):
            cluster.device(2).loaded = None

    cluster.tap = load
    # When the plan is applied, Then it is waited for
    result = desk.apply(cluster, plan_for(cluster))
    assert (result.exit_code, restarts(cluster)) == (0, [])
    assert len(desk.messages("in-effect")) == 3


def test_a_502_is_waited_out_by_time_and_not_by_requests(desk: Desk) -> None:
    # Given requests that take a quarter of a minute each, and a traffic server that needs a restart
    cluster, clock = fronted(2), Clock(NOW)
    cluster.tap = lambda point: clock.go_on(15) if point.startswith("before a client asks expc2") else None
    # When the plan is applied, Then it is restarted once the patience is over, however few times it was asked
    result = desk.apply(cluster, plan_for(cluster), {"now": clock})
    assert (result.exit_code, restarts(cluster)) == (0, ["expc2"])
    assert len(desk.messages("asking-again")) <= 1
    assert len(asked_through(cluster, 2)) <= 6


def test_what_a_list_of_another_peer_holds_explains_no_502(desk: Desk) -> None:
    # Given a first peer from which somebody takes a certificate out again before clients ask for it
    cluster = fronted()

    def take_out(point: str) -> None:
        if point.startswith("before a client asks") and IMP.certificate in cluster.device(1).trusted:
            cluster.device(1).trusted.remove(IMP.certificate)

    cluster.tap = take_out
    # When the plan is applied, Then its 502 is explained by its own list, whatever the others hold, and it does not restart
    desk.apply(cluster, plan_for(cluster))
    assert restarts(cluster) == []
    assert any("the list does not accept the certificates" in message for message in desk.messages("effect-not-known"))


def test_the_step_names_the_peers_restarted_before(desk: Desk) -> None:
    # Given two peers that wait for a restart, and a third that no restart helps
    cluster = fronted(1, 2, 3)
    cluster.device(3).stuck = True
    # When the plan is applied, Then the step does not claim that no other peer was restarted
    result = desk.apply(cluster, plan_for(cluster))
    assert restarts(cluster) == ["expc1", "expc2", "expc3"]
    (text,) = result.open_step_texts
    assert "Before it, expc1.example.test, expc2.example.test were restarted, and no other peer was." in text


def test_a_restart_that_does_not_help_stops_further_restarts(desk: Desk) -> None:
    # Given a first peer that a restart does not mend, and a second that waits for one
    cluster = fronted(1, 2)
    cluster.device(1).stuck = True
    plan = plan_for(cluster)
    # When the plan is applied
    result = desk.apply(cluster, plan)
    # Then one peer restarted, and the step says where, for what, and where to look
    assert (result.exit_code, result.state, restarts(cluster)) == (8, "applied", ["expc1"])
    for part in ("expc1.example.test was restarted", "still: a request through it is refused", "imp.example.test:8443", PAGE):
        assert part in result.open_steps[0].text
    assert "No other peer was restarted" in result.open_steps[0].text
    # When a person fixed both and the same plan is applied again, Then there is nothing to do, and both are in effect
    cluster.device(1).loaded = cluster.device(2).loaded = None
    again = desk.apply(cluster, plan)
    assert (again.exit_code, again.run_id, restarts(cluster)) == (0, result.run_id, ["expc1"])


def test_a_second_apply_repeats_no_restart_that_did_not_help(desk: Desk) -> None:
    cluster = fronted(1)
    cluster.device(1).stuck = True
    plan = plan_for(cluster)
    desk.apply(cluster, plan)
    again = desk.apply(cluster, plan)
    assert (again.exit_code, restarts(cluster)) == (8, ["expc1"])


def test_a_peer_that_refuses_all_after_its_restart_stops_the_rest(desk: Desk) -> None:
    # Given a peer that no request gets through once it restarted
    cluster = fronted(1, 2)

    def break_the_way(point: str) -> None:
        if point.startswith("after restart on expc1"):
            cluster.device(1).clients_get = ClientAnswer(AnswerKind.NOTHING, "connection refused")

    cluster.tap = break_the_way
    # When the plan is applied, Then the second peer keeps clients going
    result = desk.apply(cluster, plan_for(cluster))
    assert (result.exit_code, restarts(cluster)) == (8, ["expc1"])
    assert "connection refused" in result.open_steps[0].text


def test_a_client_that_was_not_asked_stops_no_restart(desk: Desk) -> None:
    # Given two peers through which no client signs in any more for now
    cluster = fronted(1, 2)
    for number in (1, 2, 3):
        cluster.device(number).clients_get = ClientAnswer(
            AnswerKind.NOT_ASKED, "probe signed in there 2 times in the last 300 s"
        )
    # When every peer is to restart, Then each does, and its start shows the effect
    result = desk.apply(cluster, plan_for(cluster), restart="rolling")
    assert (result.open_steps, restarts(cluster)) == ((), ["expc1", "expc2", "expc3"])
    assert {effect.source for effect in result.effects} == {EffectSource.START}


def test_a_late_peer_is_asked_for_everything_after_its_restart(desk: Desk) -> None:
    # Given a peer that answers nobody for two requests after its restart
    cluster = fronted(3)
    late = iter([ClientAnswer(AnswerKind.NOTHING, "connection refused"), ClientAnswer(AnswerKind.OTHER, "HTTP 503")])

    def come_back(point: str) -> None:
        if point.startswith("before a client asks expc3") and restarts(cluster):
            cluster.device(3).clients_get = next(late, None)

    cluster.tap = come_back
    # When the plan is applied
    result = desk.apply(cluster, plan_for(cluster))
    # Then every endpoint that was refused there was reached in the end
    refused = ["cucm.example.test:6972", "cucm.example.test:8443", "imp.example.test:8443"]
    assert (result.exit_code, restarts(cluster)) == (0, ["expc3"])
    assert set(asked_through(cluster, 3)[-3:]) == set(refused)
    assert (
        desk.messages("in-effect")[-1] == f"In effect on expc3.example.test: a request through it reached {', '.join(refused)}."
    )
    assert len(desk.messages("asking-again")) == 2


def test_a_502_that_cannot_be_asked_for_again_restarts_nothing(desk: Desk) -> None:
    # Given a peer that answers 502, and then wants a login
    cluster = fronted(3)
    answers = iter([None, ClientAnswer(AnswerKind.NO_LOGIN, "HTTP 401")])

    def want_a_login(point: str) -> None:
        if point.startswith("before a client asks expc3"):
            cluster.device(3).clients_get = next(answers, None)

    cluster.tap = want_a_login
    # When the plan is applied, Then both are said, and a person decides
    result = desk.apply(cluster, plan_for(cluster))
    assert (result.exit_code, restarts(cluster), len(asked_through(cluster, 3))) == (11, [], 2)
    assert "cucm.example.test:6972: HTTP 502; it could not be tested again" in result.message
    assert "cucm.example.test:8443: HTTP 401" in result.message


def test_a_node_that_is_down_restarts_no_peer(desk: Desk) -> None:
    # Given a node that shows another certificate, so that its 502 is right
    cluster = fronted()
    plan = plan_for(cluster)
    endpoints = cluster.endpoints

    def rekeyed(point: str) -> None:
        if point.startswith("before a client asks"):
            cluster.endpoints = tuple(
                replace(endpoint, presented={}, error="unreachable: connection refused")
                if endpoint.product == "imp"
                else endpoint
                for endpoint in endpoints
            )

    cluster.tap = rekeyed
    # When the plan is applied, Then no peer restarts for it, and why is said
    result = desk.apply(cluster, plan)
    assert (result.exit_code, restarts(cluster)) == (4, [])
    assert "the node does not answer from here either" in result.message


UNKNOWN = {
    "login": (ClientAnswer(AnswerKind.NO_LOGIN, "HTTP 401"), 1),
    "nobody": (ClientAnswer(AnswerKind.NOTHING, "https://expe1 cannot be reached: connection refused"), 1),
    "itself": (ClientAnswer(AnswerKind.OTHER, "HTTP 404"), 1),
}


@pytest.mark.parametrize(("answer", "requests"), UNKNOWN.values(), ids=UNKNOWN)
def test_any_other_answer_is_not_known_with_its_reason(desk: Desk, answer: ClientAnswer, requests: int) -> None:
    # Given one peer through which no answer tells
    cluster = fronted()
    cluster.device(1).clients_get = answer
    # When the plan is applied
    result = desk.apply(cluster, plan_for(cluster))
    # Then nothing restarts, it is asked no more than makes sense, and the others count
    assert (result.exit_code, restarts(cluster), len(asked_through(cluster, 1))) == (11, [], requests)
    [doubt] = desk.messages("effect-not-known")
    assert doubt.startswith("Not known to be in effect on expc1.example.test: it started on 2026-10-24T10:00:00Z")
    assert f"imp.example.test:8443: {answer.detail}" in doubt
    assert len(desk.messages("in-effect")) == 2


def test_an_account_that_was_refused_is_used_nowhere_else(desk: Desk) -> None:
    # Given one account for the ways through all peers, and a first that refuses it
    cluster = fronted()
    for device in cluster.devices:
        device.account = Login("probe", PlainSecret())
    cluster.device(1).clients_get = ClientAnswer(AnswerKind.NO_LOGIN, "HTTP 401")
    # When the plan is applied, Then it was sent once
    desk.apply(cluster, plan_for(cluster))
    assert len(cluster.requests) == 1
    assert "the login of probe was refused" in desk.messages("effect-not-known")[1]


def test_without_a_way_through_nothing_restarts_and_it_is_not_known(desk: Desk) -> None:
    cluster = story().run_since_long()
    result = desk.apply(cluster, plan_for(cluster))
    assert (result.exit_code, result.state, restarts(cluster), cluster.requests) == (11, "applied", [], [])
    assert "the inventory has no `mra` for it" in result.message
    peers = " ".join(f"--peer expc{number}.example.test" for number in (1, 2, 3))
    assert f"{peers}`" in result.message
    assert "`remediate restart -i " in result.message


def test_with_the_workaround_on_a_request_proves_nothing(desk: Desk) -> None:
    cluster = fronted(1)
    cluster.device(1).verify = False
    desk.apply(cluster, plan_for(cluster))
    assert (restarts(cluster), asked_through(cluster, 1)) == ([], [])
    assert "the workaround is on, so a client's request proves nothing" in desk.messages("effect-not-known")[0]


def test_never_asks_and_names_the_restart_that_is_needed(desk: Desk) -> None:
    cluster = fronted(2, 3)
    result = desk.apply(cluster, plan_for(cluster), restart="never")
    assert (result.exit_code, result.state, result.open_steps, restarts(cluster)) == (11, "applied", (), [])
    assert [effect.state for effect in result.effects] == ["yes", "no", "no"]
    assert "--peer expc2.example.test --peer expc3.example.test`" in result.message


def test_never_ends_with_0_where_the_change_is_in_effect(desk: Desk) -> None:
    cluster = fronted()
    result = desk.apply(cluster, plan_for(cluster), restart="never")
    assert (result.exit_code, result.open_steps, restarts(cluster)) == (0, (), [])
    assert len(desk.messages("in-effect")) == 3


def test_rolling_restarts_every_changed_peer_and_asks_afterwards(desk: Desk) -> None:
    cluster = fronted(2)
    result = desk.apply(cluster, plan_for(cluster), restart="rolling")
    assert (result.exit_code, restarts(cluster)) == (0, ["expc1", "expc2", "expc3"])
    assert len(desk.messages("in-effect")) == 3
    assert desk.messages("not-in-effect") == []


def test_rolling_stops_at_a_restarted_peer_that_refuses_clients(desk: Desk) -> None:
    cluster = fronted(2)
    cluster.device(2).stuck = True
    result = desk.apply(cluster, plan_for(cluster), restart="rolling")
    assert (result.exit_code, restarts(cluster)) == (8, ["expc1", "expc2"])


def test_rolling_without_a_way_through_is_proven_by_the_start(desk: Desk) -> None:
    cluster = story().run_since_long()
    result = desk.apply(cluster, plan_for(cluster), restart="rolling")
    assert (result.exit_code, restarts(cluster)) == (0, ["expc1", "expc2", "expc3"])
    assert {effect.source for effect in result.effects} == {"start"}


@pytest.mark.parametrize("restart", ["never", "if-needed", "rolling"])
def test_a_dry_run_asks_no_one_and_calls_the_effect_unknown(desk: Desk, restart: str) -> None:
    cluster = fronted(1)
    result = desk.apply(cluster, plan_for(cluster), dry_run=True, restart=restart)
    assert (result.exit_code, cluster.sent_count, cluster.requests) == (0, 0, [])
    assert [text for text in desk.messages("unknown") if text.startswith("Whether the change is in effect on expc1")]
    would = [text for text in desk.messages("would-change") if "restart" in text]
    assert len(would) == (3 if restart == "rolling" else 0)


def test_a_second_apply_after_a_restart_does_nothing(desk: Desk) -> None:
    cluster = fronted(1)
    plan = plan_for(cluster)
    first = desk.apply(cluster, plan)
    cluster.requests.clear()
    again = desk.apply(cluster, plan)
    assert (again.exit_code, again.run_id, again.has_written) == (0, first.run_id, False)
    assert (restarts(cluster), cluster.requests) == (["expc1"], [])


def test_a_rollback_of_a_run_with_restarts_restarts_no_peer(desk: Desk) -> None:
    cluster = fronted(1)
    desk.apply(cluster, plan_for(cluster))
    # Its first peer loads a list at a restart alone, so clients still get what the run gave them
    assert desk.rollback(cluster).exit_code == 11
    assert (cluster.state(), restarts(cluster)) == (story().state(), ["expc1"])


def test_killed_at_any_point_no_peer_restarts_twice(new_desk: Callable[[], Desk]) -> None:
    plan = plan_for(fronted(1, 2))
    for point in points_of_step_11(new_desk(), plan):
        # Given an apply that was killed at this point of step 11
        desk, cluster = new_desk(), fronted(1, 2)
        crash(lambda: desk.apply(cluster, plan), cluster, point)  # noqa: B023 - called before the loop goes on
        # When the same plan is applied again, once every peer is up
        for device in cluster.devices:
            device.down_for = 0
        result = desk.apply(cluster, plan)
        # Then it finds by the start of each peer what was sent, ends maintenance mode, and ends well
        assert (result.exit_code, result.state) == (0, "applied"), point
        with desk.journal() as journal:
            assert load_open_maintenance(journal, "edge") == (), point
            assert load_unsettled_restarts(journal, "edge") == (), point
        assert not any(device.health.maintenance for device in cluster.devices), point
        assert len(restarts(cluster)) == len(set(restarts(cluster))), f"crash at point {point}: a peer restarted twice"
        assert IMP.certificate in cluster.device(1).trusted


def points_of_step_11(desk: Desk, plan: Plan) -> range:
    """The points of an undisturbed apply from the first request of a client on."""
    cluster = fronted(1, 2)
    cluster.tap = counter = CrashAt()
    assert desk.apply(cluster, plan).exit_code == 0
    cluster.tap = no_tap
    first = next(number for number, point in enumerate(counter.points, start=1) if "a client" in point)
    return range(first, len(counter.points) + 1)


def test_where_nothing_is_fixed_no_client_is_asked(desk: Desk) -> None:
    # Given a plan that only takes a certificate out, which mends no endpoint
    cluster = fronted()
    for device in cluster.devices:
        device.trusted = [OTHER.certificate, CORPORATE.certificate, IMP.certificate]
    cluster.endpoints = cluster.endpoints[1:]
    plan = renumbered(plan_for(cluster), removing=OTHER.certificate, by="rest")
    # When it is applied with a restart of all
    assert desk.apply(cluster, plan, restart="rolling").exit_code == 0
    # Then no client's request is made
    assert cluster.requests == []
