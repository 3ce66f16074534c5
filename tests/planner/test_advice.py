"""What is said of an endpoint that stays refused: the fault that trust would only uncover, who else would suffer, and what helps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from remediate import Cause, Plan, Policy, make_plan
from remediate.model.certificate import Certificate
from remediate.model.identity import Product
from remediate.model.plan import Unresolved
from remediate.planner.naming import on_the_name
from remediate.planner.remedies import remedies
from remediate.trust.ciphers import RSA_PREFIX
from tests.pki import YEAR, Entity, issue
from tests.planner.build import endpoint, peer, snapshot
from tests.properties.clusters import DEFAULT_CIPHERS, RSA_FIRST

NODE = "cucm.steven.lab"
DEFAULT = Policy()

root = issue("steven-DC-CA", ca=True)
issuing = issue("steven-issuing", root, ca=True)
signed = issue("cucmms.steven.lab", issuing, names=(NODE,))
own = issue("cucm-EC.steven.lab", names=(NODE,))


def left_by(plan: Plan) -> Unresolved:
    [left] = plan.unresolved
    return left


def alone(
    presented: list[Entity], trusted: list[Entity], policy: Policy = DEFAULT, known: tuple[Entity, ...] = ()
) -> Unresolved:
    """What is said of one endpoint at one peer."""
    seen = snapshot([peer(1, trusted)], [endpoint(NODE, ecdsa=presented)], [*presented, *trusted, *known], available=known)
    return left_by(make_plan(seen, policy))


# The fault behind the lack of trust


def test_an_expired_self_signed_certificate_is_to_be_renewed_not_trusted() -> None:
    left = alone([issue("late", names=(NODE,), starts=-3 * YEAR, lasts=YEAR)], [])
    assert (left.cause, left.options) == (Cause.EXPIRED, (f"Renew the certificate of {NODE}.",))
    assert (
        "expired on 2024-11-23. So its trust, refused now (self signed certificate at depth 0), is left as it is."
        in left.advice
    )


@pytest.mark.parametrize("shown", ["with its root", "alone"])
def test_an_expired_certificate_of_an_unknown_ca_is_not_a_matter_of_trust(shown: str) -> None:
    late = issue("late", root, names=(NODE,), starts=-3 * YEAR, lasts=YEAR)
    left = alone([late, root] if shown == "with its root" else [late], [], known=(root,))
    assert left.cause is Cause.EXPIRED
    assert "break" not in left.advice
    assert not any("--ca" in option for option in left.options)


def test_an_expired_root_that_was_presented_is_named() -> None:
    late = issue("Old root", ca=True, starts=-3 * YEAR, lasts=YEAR)
    left = alone([issue("leaf", late, names=(NODE,)), late], [])
    assert left.cause is Cause.EXPIRED
    assert left.options[0].startswith("Replace the CA certificate 'CN=Old root,O=Lab'")


# What keeps a certificate out that would help


def test_a_certificate_that_would_break_another_endpoint_is_said_with_that_endpoint() -> None:
    # Given a node that verifies by the CA it sends, and another one whose CA has that subject and another key, and no identifiers
    good = issue("Shared name", root, ca=True)
    twin = issue("Shared name", ca=True, key_name="twin", key_ids=False)
    works = issue("a.test", good, names=("a.test",), key_ids=False)
    other = issue("b.test", twin, names=("b.test",), key_ids=False)
    nodes = [endpoint("a.test", ecdsa=[works, good]), endpoint("b.test", ecdsa=[other])]
    seen = snapshot([peer(1, [root])], nodes, [root, good, twin, works, other], available=[twin], vouched=[twin])
    # When it is planned
    left = left_by(make_plan(seen))
    # Then the twin stays out, and it says for whose sake
    assert left.address == "b.test"
    assert "but then a.test:8443 would be refused, which else verifies." in left.advice


def test_a_self_signed_certificate_that_the_policy_keeps_out_names_the_switch() -> None:
    left = alone([own], [], Policy(trust_self_signed=False))
    assert "told never to trust a server's own certificate" in left.advice
    assert "--never-trust-self-signed" in left.options[0]


def test_a_ca_with_the_right_name_and_another_key_is_not_called_found_nowhere() -> None:
    twin = issue("steven-DC-CA", ca=True, key_name="twin")
    left = alone([signed, issuing], [twin])
    assert left.cause is Cause.ISSUER_UNKNOWN
    assert (
        f"was not found: 'CN=steven-DC-CA,O=Lab' ({twin.certificate.fingerprint[:19]}…) has that name, and did not issue it"
        in left.advice
    )
    assert "may have to go first" in left.options[0]


def test_a_root_and_an_intermediate_of_one_name_cannot_both_be_added() -> None:
    first = issue("One name", ca=True, key_name="root of one name")
    second = issue("One name", first, ca=True, key_name="intermediate of one name", organization="Other")
    leaf = issue("leaf", second, names=(NODE,))
    left = alone([leaf], [], known=(first, second))
    assert left.cause is Cause.COMMON_NAME_CONFLICT
    assert "and these share one" in left.advice
    assert "Upload the whole chain" in left.options[0]


def test_the_successor_of_an_expired_root_waits_for_the_old_one_to_go() -> None:
    old = issue("steven-DC-CA", ca=True, starts=-3 * YEAR, lasts=YEAR, key_name="steven-DC-CA/Lab")
    seen = snapshot([peer(1, [old])], [endpoint(NODE, ecdsa=[signed, issuing])], [root, issuing, signed, old], available=[root])
    plan = make_plan(seen)
    assert f"it takes 'CN=steven-DC-CA,O=Lab' ({old.certificate.fingerprint[:19]}…) out first" in left_by(plan).options[0]
    assert [one.switch for one in plan.alternatives] == ["--allow-removal"]
    assert all(one.after.verdict.ok for one in make_plan(seen, Policy(allow_removal=True)).endpoints)


def test_a_removal_that_does_not_help_is_not_offered() -> None:
    # Given an expired certificate in the list that is nothing to the chain
    old = issue("Somebody", ca=True, starts=-3 * YEAR, lasts=YEAR)
    left = alone([signed, issuing], [old])
    assert not any("--allow-removal" in option for option in left.options)


def test_an_entry_that_cannot_be_read_is_the_list_s_fault_and_not_the_node_s() -> None:
    # Given a list with a block that frames nothing
    broken = replace(root, certificate=Certificate.from_der(b"\x30\x03\x02\x01\x05"))
    left = alone([signed, issuing], [root, broken])
    # Then it is named by its place, no certificate is to be renewed, and taking it out is seen to help
    assert "number 2 (sha256:" in left.advice
    assert "drops the whole list" in left.advice
    assert "Plan again with --allow-removal: it takes" in left.options[0]
    assert not any("Renew" in option or "Reissue" in option for option in left.options)


# Peers and families


def test_peers_that_refuse_for_different_reasons_are_told_apart() -> None:
    twin = issue("steven-DC-CA", ca=True, key_name="twin")
    seen = snapshot(
        [peer(1, []), peer(2, [twin])], [endpoint(NODE, ecdsa=[signed, issuing])], [issuing, signed, twin], available=[]
    )
    plan = make_plan(replace(seen, peers=(peer(1, []), peer(2, [twin]))))
    left = left_by(plan)
    assert "On expc1.test only: " in left.advice
    assert "On expc2.test only: " in left.advice


# Names


@pytest.mark.parametrize(
    ("address", "product", "names", "wanted"),
    [
        (
            "10.0.0.5",
            "cucm",
            ("cucm1.lab",),
            "Set System > Server on Unified CM to cucm1.lab, then refresh the discovered servers.",
        ),
        # A certificate for many nodes: the one with the same host part, not the domain and not the others
        ("cucm1.old.lab", "cucm", ("lab.test", "cucm1.lab.test", "cucm2.lab.test"), "to cucm1.lab.test, then"),
        ("10.0.0.5", "cucm", ("cucm1.lab", "cucm2.lab"), "to cucm1.lab or cucm2.lab, whichever is this node's own name, then"),
        ("10.0.0.5", "cucm", ("*.lab.test",), "to a name of its own under *.lab.test, then"),
        (
            "10.0.0.5",
            "unity",
            ("voice.lab",),
            "Set Configuration > Unified Communications > Unity Connection servers on the primary to voice.lab,",
        ),
    ],
)
def test_the_name_to_set_is_one_that_the_node_can_have(
    address: str, product: Product, names: tuple[str, ...], wanted: str
) -> None:
    leaf = issue("My Cert", names=names).certificate
    _, options = on_the_name(replace(endpoint(address), product=product), leaf)
    assert wanted in options[0]
    assert "My Cert" not in " ".join(options)


def test_an_ip_address_and_no_host_name_at_all() -> None:
    text, options = on_the_name(endpoint("10.0.0.5"), issue("My Cert").certificate)
    assert text.startswith("Clients use the IP address 10.0.0.5; the certificate is for My Cert.")
    [reissue] = options
    assert "with the node's FQDN as SAN dNSName" in reissue


# Errors that are no matter of trust


@pytest.mark.parametrize("code", [4, 6, 7, 13, 14, 22, 24, 25, 26, 32, 34, 40, 41, 42, 47, 48, 49, 51, 52, 53, 66, 67, 68, 999])
def test_every_error_has_a_remedy_that_names_the_certificate_or_the_endpoint(code: int) -> None:
    said = remedies(code, "'CN={address}'", NODE)
    assert "'CN={address}'" in " ".join(said) or NODE in " ".join(said)
    assert "{fault}" not in " ".join(said)


# Plans that lost


def test_what_the_cipher_policy_rules_out_is_told_where_it_verifies_more() -> None:
    # Given a node whose RSA certificate would verify, behind a list that prefers ECDSA, and a policy that keeps the list
    nodes = [endpoint(NODE, ecdsa=[own], rsa=[signed, issuing])]
    seen = snapshot([peer(1, [root], DEFAULT_CIPHERS)], nodes, [root, issuing, signed, own])
    plan = make_plan(seen, Policy(ciphers="keep", trust_self_signed=False))
    assert [one.switch for one in plan.alternatives] == ["--ciphers prefer-rsa"]
    assert left_by(plan).options[0] == "Plan with --ciphers prefer-rsa: its RSA certificate is then presented, and verifies."
    assert "needs another cipher policy than --ciphers keep" in plan.alternatives[0].why_not


def test_a_cipher_policy_that_helps_on_some_peers_only_is_no_way_out() -> None:
    # Given two peers that refuse a node, of which only the first trusts the root of its RSA certificate
    twin = issue("steven-DC-CA", ca=True, key_name="twin")
    nodes = [endpoint(NODE, ecdsa=[own], rsa=[signed, issuing])]
    seen = snapshot([peer(1, [root]), peer(2, [twin])], nodes, [root, twin, issuing, signed, own])
    left = left_by(make_plan(seen, Policy(ciphers="keep", trust_self_signed=False)))
    # Then the option does not promise that it verifies
    assert not [one for one in left.options if "--ciphers" in one]


def test_a_cipher_list_that_would_break_something_is_told_with_what() -> None:
    # Given a node that verifies by its RSA certificate, and whose ECDSA one has another name
    wrong = issue("elsewhere.test")
    seen = snapshot(
        [peer(1, [root], RSA_FIRST)], [endpoint(NODE, ecdsa=[wrong], rsa=[signed, issuing])], [root, issuing, signed, wrong]
    )
    [other] = make_plan(seen).alternatives
    assert other.switch == "--ciphers prefer-ecdsa"
    assert f"would break what verifies today ({NODE}:8443)" in other.why_not
    assert RSA_FIRST.startswith(RSA_PREFIX)
