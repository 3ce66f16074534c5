"""The facts of a plan's certificates, and who vouches for each."""

from __future__ import annotations

from dataclasses import replace

from remediate import make_plan
from remediate.model.plan import Plan, Policy
from remediate.model.snapshot import Alarm
from tests.pki import issue
from tests.planner.build import endpoint, peer, snapshot

NODE = "cucm.test"
root = issue("Root", ca=True)
leaf = issue(NODE, root, names=(NODE, "cucm"))
own = issue(NODE, names=(NODE,))
SHOWS_ITS_OWN = snapshot([peer(1, [])], [endpoint(NODE, rsa=[own])], [own])


def vouchers(plan: Plan) -> list[tuple[str, ...]]:
    return [facts.vouched_by for facts in plan.facts.values()]


def test_the_facts_are_those_of_the_certificate() -> None:
    plan = make_plan(SHOWS_ITS_OWN)

    [(fingerprint, facts)] = plan.facts.items()

    assert fingerprint == own.certificate.fingerprint
    assert (facts.subject, facts.issuer, facts.common_name) == (f"CN={NODE},O=Lab", f"CN={NODE},O=Lab", NODE)
    assert (facts.not_before, facts.not_after) == ("2025-11-23T10:00:00Z", "2027-11-23T10:00:00Z")
    assert (facts.dns_names, facts.vouched_by) == ((NODE,), ())


def test_the_facts_tell_every_source_that_vouches() -> None:
    from_a_peer = snapshot([peer(1, []), peer(2, [root])], [endpoint(NODE, rsa=[leaf])], [root, leaf], vouched=[root])
    from_ca = snapshot([peer(1, [])], [endpoint(NODE, rsa=[leaf])], [root, leaf], available=[root], vouched=[root])

    assert vouchers(make_plan(from_a_peer)) == [("peer:expc2.test",)]
    assert vouchers(make_plan(from_ca)) == [("ca-or-certificate-management",)]
    approved = Policy(approved=frozenset({own.certificate.fingerprint}))
    assert vouchers(make_plan(SHOWS_ITS_OWN, approved)) == [("approval",)]


def test_a_disputed_certificate_is_vouched_for_by_nothing() -> None:
    alarm = Alarm(own.certificate.fingerprint, "Two certificates are shown.")
    disputed = replace(SHOWS_ITS_OWN, alarms=(alarm,), vouched_for=frozenset({own.certificate.fingerprint}))

    assert vouchers(make_plan(disputed)) == []
    assert vouchers(make_plan(disputed, Policy(approved=frozenset({own.certificate.fingerprint})))) == [("approval",)]
