"""What changes by the calendar: each verdict against OpenSSL's own at moments on both sides of every change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from remediate.formats import read_plan, write_plan
from remediate.model.identity import PairId
from remediate.model.plan import FutureVerdict, Plan, Policy
from remediate.model.snapshot import Snapshot
from remediate.model.verdict import Cause
from remediate.planner import make_plan
from remediate.planner.horizon import foresee, is_prevented, list_losses
from remediate.trust.verifier import verify_snapshot
from tests.pki import NOW, Entity, issue
from tests.planner.build import endpoint, peer, snapshot
from tests.properties.clusters import clusters

DAY = timedelta(days=1)
HORIZON = 90 * DAY


def root(name: str = "Root", *, lasts: timedelta = 1000 * DAY) -> Entity:
    return issue(name, ca=True, starts=-DAY, lasts=lasts)


def cluster_with(trusted: list[Entity], presented: list[Entity]) -> Snapshot:
    """One peer that trusts `trusted`, and one node that presents `presented`."""
    return snapshot([peer(1, trusted)], [endpoint("cucm.test", rsa=presented)], [*trusted, *presented])


def leaf(ca: Entity, *, starts: timedelta = -DAY) -> Entity:
    return issue("cucm.test", ca, names=("cucm.test",), starts=starts, lasts=1000 * DAY)


def test_a_root_that_ends_is_refused_from_that_moment() -> None:
    ca = root(lasts=31 * DAY)
    observed = cluster_with([ca], [leaf(ca)])

    [change] = foresee(observed, NOW + HORIZON)

    assert (change.at, change.ok, change.cause) == (NOW + 30 * DAY, False, Cause.EXPIRED)
    assert (change.address, change.port, change.peer) == ("cucm.test", 8443, "expc1.test")
    assert change.because == (ca.certificate.fingerprint,)


def test_a_certificate_that_begins_is_accepted_from_then_on() -> None:
    ca = root()
    own = leaf(ca, starts=5 * DAY)
    observed = cluster_with([ca], [own])

    [change] = foresee(observed, NOW + HORIZON)

    assert (change.at, change.ok, change.cause) == (NOW + 5 * DAY, True, None)
    assert change.because == (own.certificate.fingerprint,)


def test_nothing_is_foreseen_beyond_the_horizon() -> None:
    ca = root(lasts=92 * DAY)
    observed = cluster_with([ca], [leaf(ca)])

    assert foresee(observed, NOW + HORIZON) == ()
    assert foresee(observed, NOW + 91 * DAY) != ()


def test_a_certificate_that_no_chain_rests_on_changes_nothing() -> None:
    ca, other_root = root(), root("Other", lasts=10 * DAY)
    observed = cluster_with([ca, other_root], [leaf(ca)])

    assert foresee(observed, NOW + HORIZON) == ()


def test_nothing_is_foreseen_for_an_unobserved_peer() -> None:
    ca = root(lasts=31 * DAY)
    observed = cluster_with([ca], [leaf(ca)])
    unseen = replace(observed.peers[0], trusted_ca=(), error="unreachable: it is down")
    observed = replace(observed, peers=(unseen,))

    assert foresee(observed, NOW + HORIZON) == ()


def plan_with_horizon(observed: Snapshot) -> Plan:
    return make_plan(observed, Policy(horizon=HORIZON))


def test_a_plan_foresees_by_the_lists_that_it_leaves() -> None:
    ca = root(lasts=31 * DAY)
    observed = cluster_with([], [leaf(ca), ca])

    plan = plan_with_horizon(observed)

    assert [(change.at, change.ok) for change in plan.future or ()] == [(NOW + 30 * DAY, False)]
    assert ca.certificate.fingerprint in plan.certificates
    assert read_plan(write_plan(plan)) == plan


def test_a_plan_without_a_horizon_has_no_future() -> None:
    ca = root(lasts=31 * DAY)
    observed = cluster_with([ca], [leaf(ca)])

    assert make_plan(observed).future is None
    assert '"future"' not in write_plan(make_plan(observed))


def test_a_loss_is_prevented_where_the_plan_still_verifies_then() -> None:
    old = root("Old", lasts=31 * DAY)
    observed = cluster_with([old], [leaf(old)])
    plan = plan_with_horizon(observed)
    pairs = frozenset(forecast.pair for forecast in plan.endpoints)

    [loss] = list_losses(foresee(observed, NOW + HORIZON), pairs)

    assert not is_prevented(loss, [change for change in plan.future or () if isinstance(change, FutureVerdict)], pairs)
    assert is_prevented(loss, (), pairs)
    assert not is_prevented(loss, (), frozenset())


def test_a_pair_that_is_refused_now_loses_nothing() -> None:
    ca = root(lasts=31 * DAY)
    observed = cluster_with([ca], [leaf(ca)])

    assert list_losses(foresee(observed, NOW + HORIZON), frozenset()) == ()


@settings(max_examples=25, deadline=None)
@given(clusters(), st.integers(1, 1500), st.data())
def test_between_two_changes_no_verdict_changes(observed: Snapshot, days: int, data: st.DataObject) -> None:
    until = observed.taken_at + days * DAY
    future = foresee(observed, until)
    moment = observed.taken_at + timedelta(seconds=data.draw(st.integers(0, days * 86_400)))
    expected: dict[PairId, tuple[bool, Cause | None]] = {
        pair: (verdict.ok, verdict.cause) for pair, verdict in verify_snapshot(observed).items()
    }
    for change in future:
        if change.at <= moment:
            expected[change.pair] = (change.ok, change.cause)

    for pair, verdict in verify_snapshot(replace(observed, taken_at=moment)).items():
        assert (verdict.ok, verdict.cause) == expected[pair]
