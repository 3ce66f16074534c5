"""Guarded endpoints: a plan breaks none, says what it did not do for their sake, and removes nothing where one was not seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from remediate.formats import read_snapshot, write_snapshot
from remediate.model.errors import FormatError
from remediate.model.identity import Address, Product
from remediate.model.plan import Policy, RemoveCertificate
from remediate.model.snapshot import DiscoveryGap, Endpoint, SeenBy, Snapshot
from remediate.planner import make_plan
from tests.pki import YEAR, Entity, issue
from tests.planner.build import endpoint, peer, snapshot, verified


def guarded(address: str, port: int, product: Product, chain: list[Entity], *, error: str | None = None) -> Endpoint:
    base = endpoint(address, port, rsa=chain)
    return replace(base, product=product, error=error, service="XCP" if port == 7400 else "SIP")


@pytest.fixture
def rekeyed() -> Snapshot:
    """A CA was renewed with another key: 8443 needs the new one, 5061 verifies by a cross-certificate of the old one."""
    other_root = issue("Other", ca=True)
    old, new = issue("Root", ca=True, key_ids=False), issue("Root", ca=True, key_name="new", key_ids=False)
    cross = issue("Root", other_root, ca=True, key_ids=False)
    tomcat = issue("cucm.test", new, names=("cucm.test",), key_ids=False)
    call_manager = issue("cucm.test", old, names=("cucm.test",), key_ids=False)
    observed = snapshot(
        [peer(1, [other_root])],
        [endpoint("cucm.test", rsa=[tomcat, new])],
        [other_root, old, new, cross, tomcat, call_manager],
    )
    return replace(observed, guarded_endpoints=(guarded("cucm.test", 5061, "cucm", [call_manager, cross]),))


def test_a_gain_that_breaks_a_guarded_endpoint_is_not_planned(rekeyed: Snapshot) -> None:
    plan = make_plan(rekeyed)

    assert plan.actions == ()
    assert verified(plan) == [False]
    [note] = [note for note in plan.notes if "cucm.test:5061 (SIP)" in note]
    assert note.startswith("1 more check could pass, but only by breaking cucm.test:5061 (SIP)")


def test_without_the_guarded_endpoint_the_gain_is_taken(rekeyed: Snapshot) -> None:
    plan = make_plan(replace(rekeyed, guarded_endpoints=()))

    assert verified(plan) == [True]


def test_guarded_endpoints_are_not_among_those_of_the_plan(rekeyed: Snapshot) -> None:
    assert {str(forecast.endpoint) for forecast in make_plan(rekeyed).endpoints} == {"cucm.test:8443"}


def test_a_refused_guarded_endpoint_is_reported_and_not_fixed() -> None:
    xcp = issue("imp.test", names=("imp.test",))
    observed = replace(snapshot([peer(1, [])], [], [xcp]), guarded_endpoints=(guarded("imp.test", 7400, "imp", [xcp]),))

    plan = make_plan(observed)

    assert plan.actions == ()
    assert any("expc1.test would refuse imp.test:7400 (XCP)" in note for note in plan.notes)


@pytest.fixture
def shadowed() -> Snapshot:
    """A stale copy in the list shadows the good root, so that only a removal helps."""
    stale = issue("Root", ca=True, starts=-3 * YEAR, lasts=YEAR)
    good = issue("Root", ca=True)
    own = issue("cucm.test", good, names=("cucm.test",))
    return snapshot([peer(1, [stale], removal="rest")], [endpoint("cucm.test", rsa=[own, good])], [stale, good, own])


def test_nothing_is_removed_where_a_consumer_was_not_seen(shadowed: Snapshot) -> None:
    policy = Policy(allow_removal=True)
    unseen = replace(shadowed, guarded_endpoints=(guarded("imp.test", 7400, "imp", [], error="unreachable: timed out"),))

    assert any(isinstance(action, RemoveCertificate) for action in make_plan(shadowed, policy).actions)
    plan = make_plan(unseen, policy)

    assert plan.actions == ()
    assert any("imp.test:7400 (XCP), so nothing is removed" in note for note in plan.notes)
    assert not any("--allow-removal" in option for unresolved in plan.unresolved for option in unresolved.options)


def _with_unreachable(observed: Snapshot) -> Snapshot:
    away = Endpoint(Address("other.test"), 8443, "cucm", {}, error="unreachable: timed out")
    return replace(observed, endpoints=(*observed.endpoints, away))


def _as_seen_by(observed: Snapshot, seen_by: SeenBy) -> Snapshot:
    return replace(observed, endpoints=tuple(replace(service, seen_by=seen_by) for service in observed.endpoints))


def _with_gap(observed: Snapshot) -> Snapshot:
    gap = DiscoveryGap("cucm.test", "axl", "not-asked", incomplete=True, message="It is away.")
    return replace(observed, undiscovered=(gap,))


@pytest.mark.parametrize(
    ("blind", "name"),
    [
        (_with_unreachable, "other.test:8443, so"),
        (partial(_as_seen_by, seen_by="archive"), "what a diagnostic archive does not show, so"),
        (partial(_as_seen_by, seen_by="survey"), "the other certificates of the nodes, which a survey does not ask for, so"),
        (_with_gap, "what cucm.test would have named, so"),
    ],
)
def test_nothing_is_removed_where_not_all_was_seen(
    shadowed: Snapshot, blind: Callable[[Snapshot], Snapshot], name: str
) -> None:
    plan = make_plan(blind(shadowed), Policy(allow_removal=True))

    assert not any(isinstance(action, RemoveCertificate) for action in plan.actions)
    assert any(name in note for note in plan.notes)


def test_an_unseen_guarded_endpoint_leaves_a_plan_complete(shadowed: Snapshot) -> None:
    unseen = replace(shadowed, guarded_endpoints=(guarded("imp.test", 7400, "imp", [], error="unreachable: timed out"),))

    assert make_plan(unseen).complete


def test_a_snapshot_file_keeps_guarded_endpoints_apart(rekeyed: Snapshot) -> None:
    text = write_snapshot(rekeyed)

    assert read_snapshot(text) == rekeyed
    assert text.count('"guarded":true') == 1


def test_an_endpoint_is_listed_once_guarded_or_not(rekeyed: Snapshot) -> None:
    twice = replace(rekeyed, guarded_endpoints=(replace(rekeyed.endpoints[0], service="SIP"),))

    with pytest.raises(FormatError, match=r"cucm\.test:8443 more than once"):
        read_snapshot(write_snapshot(twice))
