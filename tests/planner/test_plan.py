"""Plans of small clusters, one story each."""

from __future__ import annotations

import gc
from dataclasses import replace
from datetime import timedelta

import pytest

from remediate import Cause, Plan, Policy, make_plan
from remediate.model.errors import FormatError
from remediate.model.expressway import RSA_PREFIX
from remediate.model.identity import CipherList
from remediate.model.plan import RefreshDiscovery, RemoveCertificate, RestartPeer, SetCiphers, TrustCertificate
from remediate.model.snapshot import Endpoint, Snapshot
from remediate.planner.advice.prices import SERVER_NAME_PRICE, describe_reissue_price
from tests.pki import NOW, YEAR, Entity, issue
from tests.planner.build import endpoint, peer, snapshot, verified
from tests.properties.clusters import DEFAULT_CIPHERS, RSA_FIRST

NODE = "cucm.steven.lab"

root = issue("steven-DC-CA", ca=True)
issuing = issue("steven-issuing", root, ca=True)
signed = issue("cucmms.steven.lab", issuing, names=(NODE,))
own = issue("cucm-EC.steven.lab", names=(NODE,))
pki = [root, issuing, signed, own]


def trusted_by(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Which certificates go to which peers, by common name."""
    actions = [action for action in plan.actions if isinstance(action, TrustCertificate)]
    return {plan.certificates[action.certificate].common_name: action.peers for action in actions}


def only(plan: Plan, kind: type) -> list[object]:
    return [action for action in plan.actions if isinstance(action, kind)]


def test_nothing_to_do_gives_no_actions() -> None:
    cluster = snapshot([peer(1, [root])], [endpoint(NODE, rsa=[signed, issuing])], pki)
    plan = make_plan(cluster)
    assert (plan.actions, verified(plan), plan.unresolved, plan.complete) == ((), [True], (), True)


def test_every_peer_gets_what_it_lacks_and_nothing_more() -> None:
    # Given three peers, the third without the root that the others trust
    cluster = snapshot([peer(1, [root]), peer(2, [root]), peer(3, [])], [endpoint(NODE, rsa=[signed, issuing])], pki)
    # When it is planned
    plan = make_plan(cluster)
    # Then only the third gets it, nobody has to approve it, and it says which endpoint it is for
    assert trusted_by(plan) == {"steven-DC-CA": ("expc3.test",)}
    action = plan.actions[0]
    assert isinstance(action, TrustCertificate)
    assert (action.role, action.approval, action.because) == ("root", "vouched", (f"{NODE}:8443",))
    assert all(verified(plan))


def test_a_missing_intermediate_comes_from_another_peer() -> None:
    cluster = snapshot([peer(1, [root]), peer(2, [root, issuing])], [endpoint(NODE, rsa=[signed])], pki)
    assert trusted_by(make_plan(cluster)) == {"steven-issuing": ("expc1.test",)}


def test_a_cipher_prefix_is_preferred_to_an_unvouched_certificate() -> None:
    # Given the story of the facts page: RSA signed by a trusted CA, ECDSA self-signed, ECDSA asked for
    cluster = snapshot([peer(1, [root]), peer(2, [root])], [endpoint(NODE, 6972, rsa=[signed, issuing], ecdsa=[own])], pki)
    plan = make_plan(cluster)
    # Then the RSA certificate is asked for, nothing is trusted, and the way by trust is told as the alternative
    [change] = only(plan, SetCiphers)
    assert isinstance(change, SetCiphers)
    assert (change.before, change.after) == (DEFAULT_CIPHERS, RSA_PREFIX + DEFAULT_CIPHERS)
    assert trusted_by(plan) == {}
    assert {forecast.after.key for forecast in plan.endpoints} == {"rsa"}
    assert plan.alternatives[0].switch == "--ciphers keep"
    assert plan.alternatives[0].why_not == "trusts more certificates that no trusted source confirms"


def test_a_vouched_certificate_is_preferred_to_a_cipher_change() -> None:
    cluster = snapshot([peer(1, [root])], [endpoint(NODE, 6972, rsa=[signed, issuing], ecdsa=[own])], pki, vouched=[own])
    plan = make_plan(cluster)
    assert (trusted_by(plan), only(plan, SetCiphers)) == ({"cucm-EC.steven.lab": ("expc1.test",)}, [])


def test_an_approved_certificate_is_preferred_to_a_cipher_change() -> None:
    cluster = snapshot([peer(1, [root])], [endpoint(NODE, 6972, rsa=[signed, issuing], ecdsa=[own])], pki)
    plan = make_plan(cluster, Policy(approved=frozenset({own.certificate.fingerprint})))
    assert (trusted_by(plan), only(plan, SetCiphers)) == ({"cucm-EC.steven.lab": ("expc1.test",)}, [])


def test_keep_leaves_the_cipher_list_alone_whatever_it_costs() -> None:
    cluster = snapshot([peer(1, [root])], [endpoint(NODE, 6972, rsa=[signed, issuing], ecdsa=[own])], pki)
    plan = make_plan(cluster, Policy(ciphers="keep"))
    [action] = only(plan, TrustCertificate)
    assert isinstance(action, TrustCertificate)
    assert (action.role, action.approval) == ("self-signed", "required")


def test_an_approved_fingerprint_is_granted() -> None:
    cluster = snapshot([peer(1, [])], [endpoint(NODE, ecdsa=[own])], pki)
    plan = make_plan(cluster, Policy(approved=frozenset({own.certificate.fingerprint})))
    [action] = only(plan, TrustCertificate)
    assert isinstance(action, TrustCertificate)
    assert action.approval == "granted"


def test_the_policy_can_forbid_to_trust_a_servers_own_certificate() -> None:
    cluster = snapshot([peer(1, [])], [endpoint(NODE, ecdsa=[own])], pki)
    plan = make_plan(cluster, Policy(trust_self_signed=False))
    assert plan.actions == ()
    assert plan.unresolved[0].cause is Cause.SELF_SIGNED_UNTRUSTED


def test_forbidding_self_signed_certificates_allows_roots() -> None:
    cluster = snapshot([peer(1, [])], [endpoint(NODE, rsa=[signed, issuing, root])], pki)
    assert trusted_by(make_plan(cluster, Policy(trust_self_signed=False))) == {"steven-DC-CA": ("expc1.test",)}


def test_under_tls_1_3_a_cipher_change_verifies_nothing() -> None:
    cluster = snapshot([peer(1, [root])], [endpoint(NODE, rsa=[signed, issuing], ecdsa=[own], tls13=True)], pki)
    plan = make_plan(cluster)
    assert only(plan, SetCiphers) == []
    assert trusted_by(plan) == {"cucm-EC.steven.lab": ("expc1.test",)}
    assert any("TLS 1.3" in note for note in plan.notes)


def test_a_node_that_may_present_a_bad_certificate_gets_no_trust() -> None:
    # Given a node under TLS 1.3 whose RSA certificate lacks only its root, and whose ECDSA one is of another name
    wrong = issue("elsewhere.lab")
    cluster = snapshot([peer(1, [])], [endpoint(NODE, rsa=[signed, issuing, root], ecdsa=[wrong], tls13=True)], [*pki, wrong])
    plan = make_plan(cluster)
    # Then neither the root nor another cipher list makes sure that it verifies, and none is planned
    assert (plan.actions, verified(plan)) == ((), [False])


def test_a_forced_cipher_list_that_breaks_an_endpoint_is_not_planned() -> None:
    # Given an endpoint that verifies only by its ECDSA certificate
    lost_ca = issue("lost", ca=True)
    rsa = issue(NODE, lost_ca, names=(NODE,))
    cluster = snapshot([peer(1, [own])], [endpoint(NODE, rsa=[rsa], ecdsa=[own])], [*pki, rsa])
    plan = make_plan(cluster, Policy(ciphers="prefer-rsa"))
    assert plan.actions == ()
    assert verified(plan) == [True]
    assert any("prefer-rsa would break" in note for note in plan.notes)


def test_the_prefix_may_be_taken_away_again() -> None:
    rsa = issue("old", names=(NODE,))
    late = issue("late.lab", issue("lost-CA", ca=True), names=(NODE,))
    cluster = snapshot([peer(1, [own], RSA_FIRST)], [endpoint(NODE, rsa=[late], ecdsa=[own])], [*pki, rsa, late])
    [change] = only(make_plan(cluster), SetCiphers)
    assert isinstance(change, SetCiphers)
    assert change.after == DEFAULT_CIPHERS


def test_a_name_mismatch_adds_nothing_and_lists_matching_names() -> None:
    cluster = snapshot([peer(1, [])], [endpoint("10.48.36.215", rsa=[signed, issuing, root])], pki)
    plan = make_plan(cluster)
    assert plan.actions == ()
    [unresolved] = plan.unresolved
    assert unresolved.cause is Cause.NAME_MISMATCH
    assert (
        "Trust would not fix that, so it still fails as now (self signed certificate in certificate chain at depth 2)."
        in unresolved.advice
    )
    assert any("cucm.steven.lab" in option for option in unresolved.options)
    assert unresolved.options[1] == "Reissuing the certificate with an IP SAN does not help (upstream code)."


def test_a_name_mismatch_on_a_good_chain_advises_a_reissue_first() -> None:
    cluster = snapshot([peer(1, [root])], [endpoint("unity.steven.lab", rsa=[signed, issuing])], pki)
    [unresolved] = make_plan(cluster).unresolved
    assert unresolved.cause is Cause.NAME_MISMATCH
    assert unresolved.advice == (
        "Clients use unity.steven.lab; the certificate is for cucm.steven.lab, cucmms.steven.lab. "
        "Clients outside lose sign-in and directory search."
    )
    assert unresolved.options == (
        (
            "Reissue the certificate; put these into its CSR as SAN dNSNames: cucm.steven.lab, cucmms.steven.lab, unity.steven.lab. "
            f"{describe_reissue_price('cucm', 8443)}"
        ),
        (
            f"As a change of its own, not in this window: set System > Server on Unified CM to {NODE} or cucmms.steven.lab, "
            f"whichever is this node's own name, then refresh the discovered servers. {SERVER_NAME_PRICE}"
        ),
    )


def test_self_signed_certificates_of_one_name_exclude_each_other() -> None:
    # Given tomcat and CallManager of one node, both self-signed with the node's name
    tomcat, callmanager = issue(NODE, names=(NODE,), key_name="tomcat"), issue(NODE, names=(NODE,), key_name="callmanager")
    cluster = snapshot(
        [peer(1, [])], [endpoint(NODE, 8443, rsa=[tomcat]), endpoint(NODE, 6972, rsa=[callmanager])], [tomcat, callmanager]
    )
    plan = make_plan(cluster)
    # Then one of them is trusted, and the other says why it cannot be
    assert sum(verified(plan)) == 1
    [unresolved] = plan.unresolved
    assert unresolved.cause is Cause.COMMON_NAME_CONFLICT
    [stays] = [forecast for forecast in plan.endpoints if forecast.after.ok]
    assert f"is what this plan adds for {NODE}:{stays.port}" in unresolved.advice
    # And the ways out name the certificates as the node does, and never tell to take out what the plan puts in
    services = {8443: f"tomcat-ECDSA of {NODE}", 6972: f"CallManager-ECDSA of {NODE}"}
    assert f"Have {services[unresolved.port]} or {services[stays.port]} signed by a CA" in unresolved.options[0]
    assert unresolved.options[1].startswith(f"Reissue {services[unresolved.port]} with a common name of its own")
    assert f"as SAN dNSNames: {NODE}. Price: " in unresolved.options[1]
    assert "certificate reuse" in unresolved.options[2]
    assert not any("delete" in option or "--allow-removal" in option for option in unresolved.options)


@pytest.mark.parametrize("often", [0, 1])
def test_of_two_rivals_the_more_used_certificate_is_trusted(often: int) -> None:
    both = [issue(NODE, names=(NODE,), key_name=name) for name in ("tomcat", "callmanager")]
    presentations = zip((8443, 6972, 6971), [*both, both[often]], strict=True)
    plan = make_plan(
        snapshot([peer(1, [])], [endpoint(NODE, port, ecdsa=[certificate]) for port, certificate in presentations], both)
    )
    assert sum(verified(plan)) == 2
    assert list(plan.certificates) == [both[often].certificate.fingerprint]


def test_two_nodes_with_one_common_name_cannot_reuse_a_certificate() -> None:
    # Given another node whose certificate has the name of one that is trusted and in use
    ours, theirs = issue("cluster", names=(NODE,), key_name="mine"), issue("cluster", names=("imp.test",), key_name="theirs")
    cluster = snapshot(
        [peer(1, [theirs])], [endpoint(NODE, ecdsa=[ours]), endpoint("imp.test", ecdsa=[theirs])], [ours, theirs]
    )
    [unresolved] = make_plan(cluster).unresolved
    assert "is in use by imp.test:8443" in unresolved.advice
    assert not any("reuse" in option or "delete" in option for option in unresolved.options)


def test_the_advice_names_who_uses_the_rival_ca_of_one_name() -> None:
    # Given a node of a CA that has the name of another CA, which a second node needs
    twin = issue("steven-DC-CA", ca=True, key_name="twin", organization="Other")
    of_twin = issue("imp.test", twin, names=("imp.test",))
    nodes = [endpoint(NODE, rsa=[signed, issuing]), endpoint("imp.test", ecdsa=[of_twin, twin])]
    [unresolved] = make_plan(snapshot([peer(1, [root])], nodes, [*pki, twin, of_twin])).unresolved
    assert unresolved.cause is Cause.COMMON_NAME_CONFLICT
    assert f"is in use by {NODE}:8443" in unresolved.advice
    assert "signed by a CA that the peers trust" in unresolved.options[0]
    assert "Move the endpoints that need 'CN=steven-DC-CA,O=Lab'" in unresolved.options[1]


def test_the_other_key_family_resolves_a_common_name_conflict() -> None:
    tomcat, callmanager = issue(NODE, names=(NODE,), key_name="tomcat"), issue(NODE, names=(NODE,), key_name="callmanager")
    cluster = snapshot(
        [peer(1, [root])],
        [
            endpoint(NODE, 8443, ecdsa=[tomcat]),
            endpoint(NODE, 6972, ecdsa=[callmanager], rsa=[signed, issuing]),
        ],
        [*pki, tomcat, callmanager],
    )
    plan = make_plan(cluster)
    assert all(verified(plan))
    assert len(only(plan, SetCiphers)) == 1
    assert list(trusted_by(plan)) == [NODE]


def test_a_renewed_self_signed_certificate_replaces_the_old_one() -> None:
    old = issue("cucm-EC.steven.lab", names=(NODE,), key_name="the old key")
    cluster = snapshot([peer(1, [old])], [endpoint(NODE, ecdsa=[own])], [own, old], vouched=[own])
    # Without the switch: nothing is planned, and the way out is told
    plan = make_plan(cluster)
    assert plan.actions == ()
    assert plan.unresolved[0].cause is Cause.COMMON_NAME_CONFLICT
    assert any("--allow-removal" in option for option in plan.unresolved[0].options)
    assert plan.alternatives[0].switch == "--allow-removal"
    # With it: out with the old, in with the new, in this order
    allowed = make_plan(cluster, Policy(allow_removal=True))
    assert [action.kind for action in allowed.actions[:2]] == ["remove-certificate", "trust-certificate"]
    assert verified(allowed) == [True]


def test_a_shadowing_certificate_is_removed_only_with_the_switch() -> None:
    stale = issue("steven-issuing", root, ca=True, starts=-3 * YEAR, lasts=YEAR)
    cluster = snapshot([peer(1, [root, stale], removal="rest")], [endpoint(NODE, rsa=[signed, issuing])], [*pki, stale])
    plan = make_plan(cluster)
    assert (plan.actions, plan.unresolved[0].cause) == ((), Cause.SHADOWED)
    description = f"'CN=steven-issuing,O=Lab' ({stale.certificate.fingerprint[:19]}…)"
    assert f"Plan again with --allow-removal: it removes {description} first." in plan.unresolved[0].options
    allowed = make_plan(cluster, Policy(allow_removal=True))
    [removal] = only(allowed, RemoveCertificate)
    assert isinstance(removal, RemoveCertificate)
    assert (removal.certificate, removal.by, removal.because) == (stale.certificate.fingerprint, "rest", (f"{NODE}:8443",))
    assert verified(allowed) == [True]


def test_an_addition_that_would_break_an_endpoint_is_not_planned() -> None:
    # Given a node that verifies by the intermediate it presents, and another one that needs the expired copy of nothing else
    stale = issue("steven-issuing", root, ca=True, starts=-3 * YEAR, lasts=YEAR)
    other_leaf = issue("imp.steven.lab", issuing, names=("imp.steven.lab",))
    cluster = snapshot(
        [peer(1, [root])],
        [endpoint(NODE, rsa=[signed, issuing]), endpoint("imp.steven.lab", rsa=[other_leaf, stale])],
        [*pki, other_leaf, stale],
        vouched=[stale, issuing],
    )
    plan = make_plan(cluster)
    # Then the good copy is chosen, which mends the second without touching the first
    assert all(verified(plan))
    assert [action.certificate for action in plan.actions if isinstance(action, TrustCertificate)] == [
        issuing.certificate.fingerprint
    ]


def test_a_verified_endpoint_is_not_given_up_for_two_refused_ones() -> None:
    # Given a node that may present either of its certificates, both good, and a CA that two other nodes need:
    # it has the name of the one that the first node presents, and would win over it
    good, twin = (issue("Issuer", root, ca=True, key_name=name, key_ids=False) for name in ("good", "twin"))
    rsa, ecdsa = issue("rsa", root, names=(NODE,)), issue("ecdsa", good, names=(NODE,), key_ids=False)
    shadowed_nodes = [issue(name, twin, names=(name,), key_ids=False) for name in ("b.lab", "c.lab")]
    nodes = [
        endpoint(NODE, rsa=[rsa], ecdsa=[ecdsa, good], tls13=None),
        *(endpoint(entity.certificate.common_name, ecdsa=[entity]) for entity in shadowed_nodes),
    ]
    cluster = snapshot([peer(1, [root], RSA_FIRST)], nodes, [root, good, twin, rsa, ecdsa, *shadowed_nodes], available=[twin])
    plan = make_plan(cluster)
    # Then what verifies stays, and nothing is added for the two
    assert [forecast.before.ok for forecast in plan.endpoints if forecast.address == NODE] == [True]
    assert plan.actions == ()


def test_a_change_is_followed_by_a_restart_and_then_a_refresh() -> None:
    cluster = snapshot([peer(1, [root]), peer(2, [])], [endpoint(NODE, rsa=[signed, issuing])], pki)
    plan = make_plan(cluster)
    assert [type(action) for action in plan.actions] == [TrustCertificate, RestartPeer, RefreshDiscovery]
    restart = plan.actions[1]
    assert isinstance(restart, RestartPeer)
    assert restart.peers == ("expc2.test",)
    assert [action.id for action in plan.actions] == ["a1", "a2", "a3"]


def unreachable(address: str) -> Endpoint:
    return replace(endpoint(address), error="unreachable: connection timed out")


def test_an_unreachable_peer_or_endpoint_makes_the_plan_incomplete() -> None:
    cluster = snapshot(
        [peer(1, [root]), replace(peer(2, []), error="unreachable: no route to host", rest_port=8443)],
        [endpoint(NODE, rsa=[signed, issuing]), unreachable("down.steven.lab")],
        pki,
    )
    plan = make_plan(cluster)
    assert not plan.complete
    assert [(unresolved.address, unresolved.port, unresolved.cause) for unresolved in plan.unresolved] == [
        ("expc2.test", 8443, Cause.UNREACHABLE),
        ("down.steven.lab", 8443, Cause.UNREACHABLE),
    ]
    assert plan.unresolved[1].advice == "It could not be checked (unreachable: connection timed out)."
    assert list(plan.base) == ["expc1.test"]
    causes = {(str(forecast.peer), str(forecast.address)): forecast.after.cause for forecast in plan.endpoints}
    assert causes["expc2.test", NODE] is Cause.UNREACHABLE
    assert causes["expc1.test", "down.steven.lab"] is Cause.UNREACHABLE


def test_a_failed_handshake_is_not_unreachable() -> None:
    failed = replace(unreachable(NODE), error="handshake-failed: not TLS", failure=Cause.HANDSHAKE_FAILED)
    cluster = snapshot([peer(1, [])], [failed], [])
    assert make_plan(cluster).unresolved[0].cause is Cause.HANDSHAKE_FAILED


def test_an_endpoint_without_a_shared_cipher_stays_unresolved() -> None:
    only_ecdsa = CipherList("ECDHE-ECDSA-AES256-GCM-SHA384")
    cluster = snapshot([peer(1, [root], only_ecdsa)], [endpoint(NODE, rsa=[signed, issuing])], pki)
    plan = make_plan(cluster, Policy(ciphers="keep"))
    assert plan.unresolved[0].cause is Cause.HANDSHAKE_FAILED
    assert verified(make_plan(cluster)) == [True]


def test_without_an_observed_peer_nothing_is_planned() -> None:
    cluster = snapshot([replace(peer(1, []), error="unreachable: timed out")], [endpoint(NODE, rsa=[signed])], pki)
    plan = make_plan(cluster)
    assert plan.actions == ()
    assert "No peer could be checked, so nothing is planned." in plan.notes


@pytest.mark.parametrize(
    ("certificate", "trusted", "cause"),
    [
        (issue("a", root, names=(NODE,), starts=-3 * YEAR, lasts=YEAR), [root], Cause.EXPIRED),
        (issue("a", root, names=(NODE,), starts=YEAR, lasts=YEAR), [root], Cause.NOT_YET_VALID),
        (issue("a", issue("not a CA", root), names=(NODE,)), [root], Cause.ISSUER_UNKNOWN),
        (own, [], Cause.SELF_SIGNED_UNTRUSTED),
    ],
)
def test_each_cause_has_its_advice(certificate: Entity, trusted: list[Entity], cause: Cause) -> None:
    cluster = snapshot([peer(1, trusted)], [endpoint(NODE, rsa=[certificate])], [*pki, certificate])
    [unresolved] = make_plan(cluster, Policy(trust_self_signed=False)).unresolved
    assert unresolved.cause is cause
    assert unresolved.advice.endswith(".")
    assert unresolved.options


def test_a_certificate_that_is_no_ca_cannot_sign() -> None:
    false_ca = issue("not a CA", root)
    leaf = issue("a", false_ca, names=(NODE,))
    cluster = snapshot([peer(1, [root])], [endpoint(NODE, rsa=[leaf, false_ca])], [*pki, leaf, false_ca])
    [unresolved] = make_plan(cluster).unresolved
    assert unresolved.cause is Cause.CHAIN_INVALID
    assert "invalid CA certificate (error 24 at depth 1)" in unresolved.advice


def test_a_plan_that_was_edited_is_refused() -> None:
    cluster = snapshot([peer(1, [])], [endpoint(NODE, rsa=[signed, issuing])], pki, available=[root], vouched=[root])
    text = make_plan(cluster).to_json()
    with pytest.raises(FormatError, match="does not match its id"):
        Plan.from_json(text.replace("expc1.test", "expc9.test"))


def test_the_time_of_making_is_not_part_of_the_id() -> None:
    cluster = snapshot([peer(1, [])], [endpoint(NODE, rsa=[signed, issuing])], pki, available=[root], vouched=[root])
    later = replace(cluster, taken_at=NOW + timedelta(hours=1))
    assert make_plan(cluster).id == make_plan(later).id
    assert Snapshot.from_json(cluster.to_json()) == cluster


def test_advice_besides_trust_covers_the_name_too() -> None:
    old = issue("a", root, names=("other.steven.lab",), starts=-3 * YEAR, lasts=YEAR)
    [unresolved] = make_plan(snapshot([peer(1, [root])], [endpoint(NODE, rsa=[old])], [*pki, old])).unresolved
    assert unresolved.cause is Cause.EXPIRED
    assert "Its name would also fail: Clients use cucm.steven.lab" in unresolved.advice


def test_every_peer_counts_also_where_several_are_alike() -> None:
    # Given two peers that could be mended by one certificate of a node, and a third one that could by the other alone:
    # each holds a namesake of the other root, which stays
    first, second = issue("First", ca=True), issue("Second", ca=True)
    no_first, no_second = issue("First", ca=True, organization="B"), issue("Second", ca=True, organization="B")
    rsa, ecdsa = issue("rsa", first, names=(NODE,)), issue("ecdsa", second, names=(NODE,))
    peers = [peer(1, [no_second]), peer(2, [no_second]), peer(3, [no_first])]
    entities = [first, second, no_first, no_second, rsa, ecdsa]
    cluster = snapshot(peers, [endpoint(NODE, rsa=[rsa], ecdsa=[ecdsa])], entities, available=[first, second], vouched=entities)
    # When it is planned, Then the list is changed for the sake of the two
    plan = make_plan(cluster)
    assert trusted_by(plan) == {"First": ("expc1.test", "expc2.test")}
    assert [forecast.peer for forecast in plan.endpoints if forecast.after.ok] == ["expc1.test", "expc2.test"]


def test_peers_with_one_list_and_different_ciphers_are_treated_apart() -> None:
    # Given two peers that trust the same, and a prefix that has not come to the second one
    peers = [peer(1, [root], RSA_FIRST), peer(2, [root])]
    cluster = snapshot(peers, [endpoint(NODE, rsa=[signed, issuing], ecdsa=[own])], pki)
    # When it is planned with the lists as they are
    plan = make_plan(cluster, Policy(ciphers="keep"))
    # Then the second gets what it is shown, and the first nothing
    assert trusted_by(plan) == {"cucm-EC.steven.lab": ("expc2.test",)}
    assert verified(plan) == [True, True]


def test_an_unobserved_peer_does_not_rule_out_a_cipher_list() -> None:
    lost_ca = issue("lost", ca=True)
    rsa = issue(NODE, lost_ca, names=(NODE,))
    down = replace(peer(2, []), error="unreachable: no route to host")
    cluster = snapshot([peer(1, [own]), down], [endpoint(NODE, rsa=[rsa], ecdsa=[own])], [*pki, rsa])

    why = " ".join(alternative.why_not for alternative in make_plan(cluster).alternatives)

    assert f"would break endpoints that verify today ({NODE}:8443)" in why


def test_planning_leaves_the_garbage_collector_alone() -> None:
    # Given a collector that runs after every few objects, and a list of its runs
    runs: list[str] = []
    thresholds = gc.get_threshold()
    gc.callbacks.append(lambda phase, _: runs.append(phase))
    gc.set_threshold(10)
    try:
        make_plan(snapshot([peer(1, [root])], [endpoint(NODE, rsa=[signed, issuing])], pki))
    finally:
        gc.set_threshold(*thresholds)
        gc.callbacks.pop()
    # Then it runs while the plan is made
    assert len(runs) > 10
