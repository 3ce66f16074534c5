"""The advice on an endpoint that stays refused: the underlying fault, the victims of a fix, and what helps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from remediate import Cause, Policy, make_plan
from remediate.model.certificate import Certificate
from remediate.model.plan import Unresolved
from remediate.planner.advice.prices import describe_reissue_price
from tests.pki import YEAR, Entity, issue
from tests.planner.build import endpoint, only_unresolved, peer, snapshot

NODE = "cucm.steven.lab"


DEFAULT = Policy()


root = issue("steven-DC-CA", ca=True)


issuing = issue("steven-issuing", root, ca=True)


signed = issue("cucmms.steven.lab", issuing, names=(NODE,))


own = issue("cucm-EC.steven.lab", names=(NODE,))


def alone(
    presented: list[Entity], trusted: list[Entity], policy: Policy = DEFAULT, available: tuple[Entity, ...] = ()
) -> Unresolved:
    """Return the advice on one endpoint at one peer."""
    cluster = snapshot(
        [peer(1, trusted)], [endpoint(NODE, ecdsa=presented)], [*presented, *trusted, *available], available=available
    )
    return only_unresolved(make_plan(cluster, policy))


def test_an_expired_self_signed_certificate_needs_renewal_not_trust() -> None:
    unresolved = alone([issue("late", names=(NODE,), starts=-3 * YEAR, lasts=YEAR)], [])
    assert (unresolved.cause, unresolved.options) == (
        Cause.EXPIRED,
        (f"Renew the certificate of {NODE}. {describe_reissue_price('cucm', 8443)}",),
    )
    assert (
        "expired on 2024-11-23. Trust would not fix that, so it still fails as now (self signed certificate at depth 0)."
        in unresolved.advice
    )


@pytest.mark.parametrize("presentation", ["with its root", "alone"])
def test_an_expired_certificate_of_an_unknown_ca_needs_renewal(presentation: str) -> None:
    late = issue("late", root, names=(NODE,), starts=-3 * YEAR, lasts=YEAR)
    unresolved = alone([late, root] if presentation == "with its root" else [late], [], available=(root,))
    assert unresolved.cause is Cause.EXPIRED
    assert "break" not in unresolved.advice
    assert not any("--ca" in option for option in unresolved.options)


def test_the_advice_names_an_expired_root_that_was_presented() -> None:
    late = issue("Old root", ca=True, starts=-3 * YEAR, lasts=YEAR)
    unresolved = alone([issue("leaf", late, names=(NODE,)), late], [])
    assert unresolved.cause is Cause.EXPIRED
    assert unresolved.options[0].startswith("Replace the CA certificate 'CN=Old root,O=Lab'")


def test_the_advice_names_the_switch_that_forbids_self_signed() -> None:
    unresolved = alone([own], [], Policy(trust_self_signed=False))
    assert "forbids trusting a server's own certificate" in unresolved.advice
    assert "--never-trust-self-signed" in unresolved.options[0]


def test_the_advice_names_a_ca_of_the_right_name_and_another_key() -> None:
    twin = issue("steven-DC-CA", ca=True, key_name="twin")
    unresolved = alone([signed, issuing], [twin])
    assert unresolved.cause is Cause.ISSUER_UNKNOWN
    assert (
        f"was not found: 'CN=steven-DC-CA,O=Lab' ({twin.certificate.fingerprint[:19]}…) has that name, but did not issue it"
        in unresolved.advice
    )
    assert "may have to be removed first" in unresolved.options[0]


def test_a_root_and_an_intermediate_of_one_name_cannot_both_be_added() -> None:
    first = issue("One name", ca=True, key_name="root of one name")
    second = issue("One name", first, ca=True, key_name="intermediate of one name", organization="Other")
    leaf = issue("leaf", second, names=(NODE,))
    unresolved = alone([leaf], [], available=(first, second))
    assert unresolved.cause is Cause.COMMON_NAME_CONFLICT
    assert "and these share one" in unresolved.advice
    assert "Upload the whole chain" in unresolved.options[0]


def test_an_expired_root_is_removed_before_its_successor_is_added() -> None:
    old = issue("steven-DC-CA", ca=True, starts=-3 * YEAR, lasts=YEAR, key_name="steven-DC-CA/Lab")
    cluster = snapshot(
        [peer(1, [old])], [endpoint(NODE, ecdsa=[signed, issuing])], [root, issuing, signed, old], available=[root]
    )
    plan = make_plan(cluster)
    assert f"it removes 'CN=steven-DC-CA,O=Lab' ({old.certificate.fingerprint[:19]}…) first" in only_unresolved(plan).options[0]
    assert [alternative.switch for alternative in plan.alternatives] == ["--allow-removal"]
    assert all(forecast.after.ok for forecast in make_plan(cluster, Policy(allow_removal=True)).endpoints)


def test_a_removal_that_does_not_help_is_not_offered() -> None:
    # Given an expired certificate in the list that is nothing to the chain
    old = issue("Somebody", ca=True, starts=-3 * YEAR, lasts=YEAR)
    unresolved = alone([signed, issuing], [old])
    assert not any("--allow-removal" in option for option in unresolved.options)


def test_an_unreadable_entry_is_a_fault_of_the_list_not_the_node() -> None:
    # Given a list with a block that frames nothing
    broken = replace(root, certificate=Certificate.from_der(b"\x30\x03\x02\x01\x05"))
    unresolved = alone([signed, issuing], [root, broken])
    # Then it is named by its place, no certificate is to be renewed, and taking it out is seen to help
    assert "number 2 (sha256:" in unresolved.advice
    assert "ignores the whole list" in unresolved.advice
    assert "Plan again with --allow-removal: it removes" in unresolved.options[0]
    assert not any("Renew" in option or "Reissue" in option for option in unresolved.options)


def test_each_reason_is_given_with_the_peers_that_refuse_for_it() -> None:
    twin = issue("steven-DC-CA", ca=True, key_name="twin")
    cluster = snapshot(
        [peer(1, []), peer(2, [twin])], [endpoint(NODE, ecdsa=[signed, issuing])], [issuing, signed, twin], available=[]
    )
    plan = make_plan(replace(cluster, peers=(peer(1, []), peer(2, [twin]))))
    unresolved = only_unresolved(plan)
    assert "On expc1.test only: " in unresolved.advice
    assert "On expc2.test only: " in unresolved.advice


rekeyed = issue("steven-DC-CA", ca=True, key_name="the newer key", starts=-YEAR / 2, lasts=9 * YEAR)


by_the_new_key = issue("cucm2.steven.lab", rekeyed, names=("cucm2.steven.lab",))


by_the_old_key = issue(NODE, root, names=(NODE,))


def test_a_rekeyed_ca_is_not_called_a_successor() -> None:
    # Given two nodes, one signed by each key of one CA, and the older key's certificate in the list
    nodes = [endpoint(NODE, ecdsa=[by_the_old_key]), endpoint("cucm2.steven.lab", ecdsa=[by_the_new_key])]
    cluster = snapshot([peer(1, [root])], nodes, [root, rekeyed, by_the_old_key, by_the_new_key], available=[rekeyed])

    plan = make_plan(cluster)

    # Then what is signed by the older key is to be signed again first, and nothing is called a successor
    unresolved = only_unresolved(plan)
    assert (unresolved.address, unresolved.cause) == ("cucm2.steven.lab", Cause.COMMON_NAME_CONFLICT)
    assert "They are one CA by name, renewed with another key" in unresolved.advice
    assert unresolved.options[0].startswith(f"Have the certificates of {NODE}:8443 signed again by the newer key of that CA")
    assert not any("successor" in note for note in plan.notes)


def test_the_newer_key_in_the_list_is_not_given_up_for_the_older_one() -> None:
    nodes = [endpoint(NODE, ecdsa=[by_the_old_key]), endpoint("cucm2.steven.lab", ecdsa=[by_the_new_key])]
    cluster = snapshot([peer(1, [rekeyed])], nodes, [root, rekeyed, by_the_old_key, by_the_new_key], available=[root])

    unresolved = only_unresolved(make_plan(cluster))

    assert unresolved.address == NODE
    assert unresolved.options[0].startswith(f"Have the certificate of {NODE} signed again by the newer key of that CA")
    assert not any("delete" in option for option in unresolved.options)


def test_a_certificate_of_an_older_ca_key_needs_signing_again() -> None:
    # Given a list that holds the renewed CA, which another node rests on, and nothing of the older key
    nodes = [endpoint(NODE, ecdsa=[by_the_old_key]), endpoint("cucm2.steven.lab", ecdsa=[by_the_new_key])]
    cluster = snapshot([peer(1, [rekeyed])], nodes, [rekeyed, by_the_old_key, by_the_new_key])

    unresolved = only_unresolved(make_plan(cluster))

    assert (unresolved.address, unresolved.cause) == (NODE, Cause.ISSUER_UNKNOWN)
    assert "and cucm2.steven.lab:8443 uses 'CN=steven-DC-CA,O=Lab'" in unresolved.options[0]
    assert unresolved.options[1].startswith(
        f"If that CA was renewed with another key: have the certificate of {NODE} signed again by"
    )
    assert not any("have to be removed first" in option for option in unresolved.options)
