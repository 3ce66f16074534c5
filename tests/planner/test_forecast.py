"""The forecast: what endpoints get from the lists that a plan leaves."""

from __future__ import annotations

from dataclasses import replace

from remediate import Policy
from remediate.model.snapshot import Snapshot
from remediate.planner.forecast import Forecaster
from remediate.planner.solver.candidates import find_candidates
from remediate.planner.solver.requirements import RequirementReader, VerifiedToday
from remediate.planner.solver.solver import Choice, Solver
from remediate.trust.verifier import OpenSslAnswers, verify_snapshot
from tests.pki import issue
from tests.planner.build import endpoint, peer, snapshot

ROOT, OTHER = issue("Root", ca=True), issue("Other", ca=True)
LEAF = issue("cucm.test", ROOT, names=("cucm.test",))
CLUSTER = snapshot(
    [peer(1, []), peer(2, []), peer(3, [OTHER])],
    [endpoint("cucm.test", rsa=[LEAF])],
    [ROOT, OTHER, LEAF],
    available=[ROOT],
    vouched=[ROOT],
)
FIRST, SECOND, THIRD = (peer.address for peer in CLUSTER.peers)


def choose(cluster: Snapshot) -> tuple[Choice, OpenSslAnswers]:
    answers = OpenSslAnswers(cluster.taken_at)
    reader = RequirementReader(cluster, VerifiedToday(frozenset(), frozenset()))
    solver = Solver(cluster, Policy(), find_candidates(cluster, Policy()), reader, answers)
    return solver.solve(removal=False)[0], answers


def test_each_pair_has_what_it_gets_before_and_after() -> None:
    forecaster = Forecaster(CLUSTER, *choose(CLUSTER))

    forecasts = [forecaster.forecast(pair, verdict) for pair, verdict in verify_snapshot(CLUSTER).items()]

    assert [(forecast.before.ok, forecast.after.ok) for forecast in forecasts] == [(False, True)] * 3
    assert forecaster.after[THIRD] == (OTHER.certificate, ROOT.certificate)
    assert forecaster.certificates_in_use(FIRST, CLUSTER.endpoints[0]) == {LEAF.certificate, ROOT.certificate}


def test_peers_with_equal_lists_have_one_representative() -> None:
    forecaster = Forecaster(CLUSTER, *choose(CLUSTER))

    assert forecaster.representative_of(SECOND) == FIRST
    assert forecaster.distinct_peers((SECOND, THIRD)) == (FIRST, THIRD)


def test_another_list_is_asked_without_changing_the_forecast() -> None:
    forecaster = Forecaster(CLUSTER, *choose(CLUSTER))

    assert not forecaster.verify_with((), FIRST, CLUSTER.endpoints[0]).ok
    assert forecaster.verify(FIRST, CLUSTER.endpoints[0]).ok


def test_a_peer_that_was_not_observed_stays_as_it_is() -> None:
    unseen = replace(CLUSTER, peers=(*CLUSTER.peers[:2], replace(CLUSTER.peers[2], error="unreachable: away")))
    forecaster = Forecaster(unseen, *choose(unseen))

    forecast = forecaster.forecast(*list(verify_snapshot(unseen).items())[-1])

    assert (forecast.peer, forecast.after.observed, forecast.after) == (THIRD, False, forecast.before)
    assert THIRD not in forecaster.after
