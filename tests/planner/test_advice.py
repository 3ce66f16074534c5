"""What is said of an endpoint that stays refused: the fault that trust would only uncover, who else would suffer, and what helps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from remediate import Cause, Plan, Policy, make_plan
from remediate.model.certificate import Certificate
from remediate.model.expressway import RSA_PREFIX
from remediate.model.identity import Product
from remediate.model.plan import Unresolved
from remediate.planner.advice.causes import list_remedies
from remediate.planner.advice.hostnames import advise_on_name
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
    assert [alternative.switch for alternative in plan.alternatives] == ["--allow-removal"]
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
    _, options = advise_on_name(replace(endpoint(address), product=product), leaf)
    assert wanted in options[0]
    assert "My Cert" not in " ".join(options)


@pytest.mark.parametrize(
    ("address", "names", "set_to", "in_the_csr"),
    [
        # A wildcard and its domain: neither is a node, and no CSR of a node takes a wildcard
        ("cucm1", ("*.corp.test", "corp.test"), "cucm1.corp.test", "cucm1"),
        ("cucm1.paris.corp.test", ("*.corp.test", "corp.test"), None, "cucm1.paris.corp.test"),
        ("cucm1.old.test", ("*.corp.test", "corp.test"), "a name of its own under *.corp.test", "cucm1.old.test"),
        ("cucm1", ("*.a.test", "*.b.test"), "cucm1.a.test or cucm1.b.test, whichever is this node's own name", "cucm1"),
        ("cucm1.corp.test", ("corp.test",), None, "cucm1.corp.test"),
        # The traffic server takes a wildcard over two dots only
        ("cucm1", ("*.test",), None, "cucm1"),
        # A short name, and the name that another server of the certificate has
        ("cucm1", ("cucm2.corp.test", "*.corp.test"), "cucm1.corp.test", "cucm2.corp.test, cucm1"),
        ("cucm1", ("cucm1.corp.test", "cucm2.corp.test"), "cucm1.corp.test", "cucm1.corp.test, cucm2.corp.test, cucm1"),
        # The common name of a certificate for many servers names none of them
        ("10.0.0.5", ("cucm1-ms.corp.test", "cucm1.corp.test"), "cucm1.corp.test", None),
        ("cucm9.corp.test", ("cucm1-ms.corp.test",), None, "cucm9.corp.test"),
        # A dot at the end is in no certificate, and none is proposed
        ("cucm1.corp.test.", ("cucm1.corp.test",), "cucm1.corp.test", "cucm1.corp.test"),
        ("cucm1.corp.test.", ("*.corp.test",), "cucm1.corp.test", "cucm1.corp.test"),
        ("cucm9.corp.test", ("cucm1.corp.test.",), None, "cucm9.corp.test"),
    ],
)
def test_every_name_proposed_can_be_the_nodes_and_verifies(
    address: str, names: tuple[str, ...], set_to: str | None, in_the_csr: str | None
) -> None:
    leaf = issue(None, names=names).certificate

    _, options = advise_on_name(endpoint(address), leaf)

    proposed = [option for option in options if option.startswith("Set ")]
    requests = [option.partition("SAN dNSNames: ")[2] for option in options if "SAN dNSNames: " in option]
    assert proposed == (
        [f"Set System > Server on Unified CM to {set_to}, then refresh the discovered servers."] if set_to else []
    )
    assert [request.partition(". ")[0].rstrip(".") for request in requests] == ([in_the_csr] if in_the_csr else [])
    assert not any("*" in request for request in requests)


def test_an_ip_address_and_no_host_name_at_all() -> None:
    text, options = advise_on_name(endpoint("10.0.0.5"), issue("My Cert").certificate)
    assert text.startswith("Clients use the IP address 10.0.0.5; the certificate is for My Cert.")
    [reissue] = options
    assert "with the node's FQDN as SAN dNSName" in reissue


# Errors that are no matter of trust


@pytest.mark.parametrize("code", [4, 6, 7, 13, 14, 22, 24, 25, 26, 32, 34, 40, 41, 42, 47, 48, 49, 51, 52, 53, 66, 67, 68, 999])
def test_every_error_has_a_remedy_that_names_the_certificate_or_the_endpoint(code: int) -> None:
    said = list_remedies(code, "'CN={address}'", NODE)
    assert "'CN={address}'" in " ".join(said) or NODE in " ".join(said)
    assert "{fault}" not in " ".join(said)


# A CA that was renewed with another key


rekeyed = issue("steven-DC-CA", ca=True, key_name="the newer key", starts=-YEAR / 2, lasts=9 * YEAR)
by_the_new_key = issue("cucm2.steven.lab", rekeyed, names=("cucm2.steven.lab",))
by_the_old_key = issue(NODE, root, names=(NODE,))


def test_a_ca_with_another_key_takes_the_place_of_no_other() -> None:
    # Given two nodes, one signed by each key of one CA, and the older key's certificate in the list
    nodes = [endpoint(NODE, ecdsa=[by_the_old_key]), endpoint("cucm2.steven.lab", ecdsa=[by_the_new_key])]
    seen = snapshot([peer(1, [root])], nodes, [root, rekeyed, by_the_old_key, by_the_new_key], available=[rekeyed])

    plan = make_plan(seen)

    # Then what is signed by the older key is to be signed again first, and nothing is called a successor
    left = left_by(plan)
    assert (left.address, left.cause) == ("cucm2.steven.lab", Cause.COMMON_NAME_CONFLICT)
    assert "They are one CA by name, renewed with another key" in left.advice
    assert left.options[0].startswith(f"Have the certificates of {NODE}:8443 signed again by the newer key of that CA")
    assert not any("successor" in note for note in plan.notes)


def test_the_newer_key_in_the_list_is_not_given_up_for_the_older_one() -> None:
    nodes = [endpoint(NODE, ecdsa=[by_the_old_key]), endpoint("cucm2.steven.lab", ecdsa=[by_the_new_key])]
    seen = snapshot([peer(1, [rekeyed])], nodes, [root, rekeyed, by_the_old_key, by_the_new_key], available=[root])

    left = left_by(make_plan(seen))

    assert left.address == NODE
    assert left.options[0].startswith(f"Have the certificate of {NODE} signed again by the newer key of that CA")
    assert not any("delete" in option for option in left.options)


def test_what_an_older_key_signed_is_to_be_signed_again_by_the_listed_one() -> None:
    # Given a list that holds the renewed CA, which another node rests on, and nothing of the older key
    nodes = [endpoint(NODE, ecdsa=[by_the_old_key]), endpoint("cucm2.steven.lab", ecdsa=[by_the_new_key])]
    seen = snapshot([peer(1, [rekeyed])], nodes, [rekeyed, by_the_old_key, by_the_new_key])

    left = left_by(make_plan(seen))

    assert (left.address, left.cause) == (NODE, Cause.ISSUER_UNKNOWN)
    assert "and cucm2.steven.lab:8443 rests on 'CN=steven-DC-CA,O=Lab'" in left.options[0]
    assert left.options[1].startswith(
        f"If that CA was renewed with another key: have the certificate of {NODE} signed again by"
    )
    assert not any("have to go first" in option for option in left.options)


@pytest.mark.parametrize(("key_name", "says"), [("steven-DC-CA/Lab", "a successor is at hand"), ("newer", "another key")])
def test_what_ends_soon_has_a_successor_only_with_the_same_key(key_name: str, says: str) -> None:
    ending = issue("steven-DC-CA", ca=True, key_name="steven-DC-CA/Lab", starts=-YEAR, lasts=YEAR + YEAR / 12)
    later = issue("steven-DC-CA", ca=True, key_name=key_name, lasts=9 * YEAR)
    signed_by_it = issue(NODE, ending, names=(NODE,))
    nodes = [endpoint(NODE, ecdsa=[signed_by_it])]

    plan = make_plan(snapshot([peer(1, [ending])], nodes, [ending, later, signed_by_it], available=[later]))

    [note] = [note for note in plan.notes if "expires in 30 days" in note and "steven-DC-CA" in note]
    assert says in note
    assert ("replace the old one" in note) == (says == "a successor is at hand")


def test_a_stale_ca_that_others_rest_on_is_not_to_be_deleted_first() -> None:
    # Given a list whose older CA certificate wins over the newer one that a node presents, while another node rests on it
    older = issue("Issuing", root, ca=True, key_name="older issuing key", key_ids=False)
    newer = issue("Issuing", root, ca=True, key_name="newer issuing key", key_ids=False)
    rests = issue("a.test", older, names=("a.test",), key_ids=False)
    refused = issue("b.test", newer, names=("b.test",), key_ids=False)
    nodes = [endpoint("a.test", ecdsa=[rests]), endpoint("b.test", ecdsa=[refused, newer])]
    seen = snapshot([peer(1, [root, older])], nodes, [root, older, newer, rests, refused])

    left = left_by(make_plan(seen))

    assert (left.address, left.cause) == ("b.test", Cause.SHADOWED)
    assert "Have the certificates of a.test:8443 signed again first, which rest on it: delete it by hand" in left.options[0]


# Plans that lost


def test_what_the_cipher_policy_rules_out_is_told_where_it_verifies_more() -> None:
    # Given a node whose RSA certificate would verify, behind a list that prefers ECDSA, and a policy that keeps the list
    nodes = [endpoint(NODE, ecdsa=[own], rsa=[signed, issuing])]
    seen = snapshot([peer(1, [root], DEFAULT_CIPHERS)], nodes, [root, issuing, signed, own])
    plan = make_plan(seen, Policy(ciphers="keep", trust_self_signed=False))
    assert [alternative.switch for alternative in plan.alternatives] == ["--ciphers prefer-rsa"]
    assert left_by(plan).options[0] == "Plan with --ciphers prefer-rsa: its RSA certificate is then presented, and verifies."
    assert "needs another cipher policy than --ciphers keep" in plan.alternatives[0].why_not


def test_a_cipher_policy_that_helps_on_some_peers_only_is_no_way_out() -> None:
    # Given two peers that refuse a node, of which only the first trusts the root of its RSA certificate
    twin = issue("steven-DC-CA", ca=True, key_name="twin")
    nodes = [endpoint(NODE, ecdsa=[own], rsa=[signed, issuing])]
    seen = snapshot([peer(1, [root]), peer(2, [twin])], nodes, [root, twin, issuing, signed, own])
    left = left_by(make_plan(seen, Policy(ciphers="keep", trust_self_signed=False)))
    # Then the option does not promise that it verifies
    assert not [option for option in left.options if "--ciphers" in option]


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
