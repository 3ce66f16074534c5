"""The plans that were not chosen."""

from __future__ import annotations

from remediate import Policy, make_plan
from remediate.model.expressway import RSA_PREFIX
from tests.pki import issue
from tests.planner.build import endpoint, only_unresolved, peer, snapshot
from tests.properties.clusters import DEFAULT_CIPHERS, RSA_FIRST

NODE = "cucm.steven.lab"
DEFAULT = Policy()

root = issue("steven-DC-CA", ca=True)
issuing = issue("steven-issuing", root, ca=True)
signed = issue("cucmms.steven.lab", issuing, names=(NODE,))
own = issue("cucm-EC.steven.lab", names=(NODE,))


def test_a_better_plan_that_the_cipher_policy_rules_out_is_listed() -> None:
    # Given a node whose RSA certificate would verify, behind a list that prefers ECDSA, and a policy that keeps the list
    nodes = [endpoint(NODE, ecdsa=[own], rsa=[signed, issuing])]
    cluster = snapshot([peer(1, [root], DEFAULT_CIPHERS)], nodes, [root, issuing, signed, own])
    plan = make_plan(cluster, Policy(ciphers="keep", trust_self_signed=False))
    assert [alternative.switch for alternative in plan.alternatives] == ["--ciphers prefer-rsa"]
    assert (
        only_unresolved(plan).options[0]
        == "Plan with --ciphers prefer-rsa: its RSA certificate is then presented, and verifies."
    )
    assert "needs another cipher policy than --ciphers keep" in plan.alternatives[0].why_not


def test_a_cipher_policy_must_help_on_every_refusing_peer() -> None:
    # Given two peers that refuse a node, of which only the first trusts the root of its RSA certificate
    twin = issue("steven-DC-CA", ca=True, key_name="twin")
    nodes = [endpoint(NODE, ecdsa=[own], rsa=[signed, issuing])]
    cluster = snapshot([peer(1, [root]), peer(2, [twin])], nodes, [root, twin, issuing, signed, own])
    unresolved = only_unresolved(make_plan(cluster, Policy(ciphers="keep", trust_self_signed=False)))
    # Then the option does not promise that it verifies
    assert not [option for option in unresolved.options if "--ciphers" in option]


def test_a_cipher_list_that_breaks_an_endpoint_names_the_endpoint() -> None:
    # Given a node that verifies by its RSA certificate, and whose ECDSA one has another name
    wrong = issue("elsewhere.test")
    cluster = snapshot(
        [peer(1, [root], RSA_FIRST)], [endpoint(NODE, ecdsa=[wrong], rsa=[signed, issuing])], [root, issuing, signed, wrong]
    )
    [alternative] = make_plan(cluster).alternatives
    assert alternative.switch == "--ciphers prefer-ecdsa"
    assert f"would break endpoints that verify today ({NODE}:8443)" in alternative.why_not
    assert RSA_FIRST.startswith(RSA_PREFIX)
