"""The notes of a plan: what expires, what verdicts rest on, alarms."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from remediate import make_plan
from remediate.model.expressway import MAX_TRUSTED_CA, RSA_PREFIX
from remediate.model.health import Health, PeerAlarm, UpgradeState
from remediate.model.identity import CipherList
from remediate.model.plan import (
    Policy,
    TrustCertificate,
)
from remediate.model.snapshot import Alarm, DiscoveryGap, Preference, Snapshot
from tests.pki import YEAR, issue, signed_with_sha1
from tests.planner.build import endpoint, peer, snapshot, verified
from tests.properties.clusters import DEFAULT_CIPHERS

NODE = "cucm.steven.lab"
root = issue("steven-DC-CA", ca=True)
issuing = issue("steven-issuing", root, ca=True)
signed = issue("cucmms.steven.lab", issuing, names=(NODE,))
own = issue("cucm-EC.steven.lab", names=(NODE,))
pki = [root, issuing, signed, own]
FORGED = issue("cucm.test", names=("cucm.test",), key_name="in the middle")
ALARM = Alarm(FORGED.certificate.fingerprint, "cucm.test:8443 presents another certificate than its own management names.")


@pytest.mark.parametrize(("key_name", "says"), [("steven-DC-CA/Lab", "a successor is available"), ("newer", "another key")])
def test_only_a_certificate_with_the_same_key_is_a_successor(key_name: str, says: str) -> None:
    ending = issue("steven-DC-CA", ca=True, key_name="steven-DC-CA/Lab", starts=-YEAR, lasts=YEAR + YEAR / 12)
    later = issue("steven-DC-CA", ca=True, key_name=key_name, lasts=9 * YEAR)
    signed_by_it = issue(NODE, ending, names=(NODE,))
    nodes = [endpoint(NODE, ecdsa=[signed_by_it])]

    plan = make_plan(snapshot([peer(1, [ending])], nodes, [ending, later, signed_by_it], available=[later]))

    [note] = [note for note in plan.notes if "expires in 30 days" in note and "steven-DC-CA" in note]
    assert says in note
    assert ("replace the old one" in note) == (says == "a successor is available")


def test_a_soon_expiring_certificate_is_noted_with_its_successor() -> None:
    ending = issue("steven-DC-CA", ca=True, starts=-YEAR, lasts=YEAR + timedelta(days=20), key_name="steven-DC-CA/Lab")
    cluster = snapshot([peer(1, [ending])], [endpoint(NODE, rsa=[signed, issuing])], [*pki, ending], available=[root])
    notes = make_plan(cluster).notes
    assert any("expires in 20 days; a successor is available" in note for note in notes), notes


def test_a_ca_with_a_successor_is_noted_early_and_stays_listed() -> None:
    # Given a root that a second peer alone uses, with 300 days left, and its successor with the same key
    ending = issue("steven-DC-CA", ca=True, starts=-YEAR, lasts=YEAR + timedelta(days=300), key_name="steven-DC-CA/Lab")
    cluster = snapshot(
        [peer(1, [root]), peer(2, [ending])], [endpoint(NODE, rsa=[signed, issuing])], [*pki, ending], available=[root]
    )
    plan = make_plan(cluster, Policy(allow_removal=True))
    # Then it is said, with the days left, and nothing is taken out for it
    [note] = [note for note in plan.notes if "expires in" in note]
    assert f"expires in 300 days; a successor is available ({root.certificate.fingerprint[:19]}…)" in note
    assert plan.actions == ()


def test_a_ca_that_is_valid_for_years_has_no_note_on_its_successor() -> None:
    ending = issue("steven-DC-CA", ca=True, starts=-YEAR, lasts=YEAR + timedelta(days=366), key_name="steven-DC-CA/Lab")
    later = issue("steven-DC-CA", ca=True, lasts=9 * YEAR, key_name="steven-DC-CA/Lab")
    signed_by_it = issue(NODE, ending, names=(NODE,))
    nodes = [endpoint(NODE, ecdsa=[signed_by_it])]

    plan = make_plan(snapshot([peer(1, [ending])], nodes, [ending, later, signed_by_it], available=[later]))

    assert not any("successor" in note for note in plan.notes)


def test_an_expired_certificate_is_not_noted_as_expiring() -> None:
    over = issue("steven-DC-CA", ca=True, starts=-2 * YEAR, lasts=YEAR, key_name="steven-DC-CA/Lab")
    cluster = snapshot([peer(1, [over])], [endpoint(NODE, rsa=[signed, issuing])], [*pki, over], available=[root])
    assert not any("expires in" in note for note in make_plan(cluster).notes)


def test_a_server_certificate_that_is_valid_for_long_is_not_noted() -> None:
    renewed = issue("cucm-EC.steven.lab", names=(NODE,), lasts=3 * YEAR)
    cluster = snapshot([peer(1, [own])], [endpoint(NODE, ecdsa=[own])], [own, renewed], available=[renewed])
    assert not any("expires in" in note for note in make_plan(cluster).notes)


def test_notes_name_unused_ports_and_differing_cipher_lists() -> None:
    # Given peers with two cipher lists and one whose list could not be read, and endpoints that nobody uses
    blind = replace(peer(3, [root]), ciphers={})
    peers = [peer(1, [root]), peer(2, [root], CipherList("HIGH")), blind]
    cluster = replace(snapshot(peers, [endpoint(NODE, rsa=[signed, issuing])], pki), not_in_use=("imp.test:8443",))

    notes = " ".join(make_plan(cluster).notes)

    assert "Not in use, so not checked: imp.test:8443." in notes
    assert "ReverseProxyTLSCiphers could not be read on every peer" in notes
    assert "The peers differ in ReverseProxyTLSCiphers" in notes


def test_a_discovery_gap_is_noted_or_makes_the_plan_incomplete() -> None:
    gap = DiscoveryGap(NODE, "axl", "not-asked", incomplete=True, message="It is away.")
    hearsay = replace(gap, service="uds", kind="no-login-needed", incomplete=False, message="Named by a stranger.")
    cluster = replace(snapshot([peer(1, [root])], [endpoint(NODE, rsa=[signed, issuing])], pki), undiscovered=(hearsay, gap))

    plan, other_plan = make_plan(cluster), make_plan(replace(cluster, undiscovered=(gap, hearsay)))

    assert (plan.complete, plan.undiscovered, plan.id) == (False, (gap, hearsay), other_plan.id)
    assert plan.notes == ("Named by a stranger.",)
    assert make_plan(replace(cluster, undiscovered=(hearsay,))).complete


def test_a_note_names_a_chain_that_openssl_3_refuses() -> None:
    # Given a chain that still has a SHA-1 signature in it
    old = issue("Old root", ca=True, family="rsa")
    weak = signed_with_sha1(issue(NODE, old, names=(NODE,)), old)

    plan = make_plan(snapshot([peer(1, [old])], [endpoint(NODE, rsa=[weak])], [old, weak]))

    assert verified(plan) == [True]
    assert any(f"{NODE}:8443 passes on the appliance's OpenSSL 1.1.1 only" in note for note in plan.notes)


def test_a_note_warns_of_a_list_beyond_expressways_limit() -> None:
    # Given a list with room for no more, and a node whose root is not in it
    full = [issue(f"root {number}", ca=True, key_name="one key for all") for number in range(MAX_TRUSTED_CA)]
    cluster = snapshot([peer(1, full)], [endpoint(NODE, rsa=[signed, issuing])], [*pki, *full], available=[root])

    [note] = [note for note in make_plan(cluster).notes if "would hold" in note]

    assert "expc1.test would hold 1001 certificates, and Expressway allows 1000" in note


def test_a_note_counts_the_crls_in_a_list() -> None:
    cluster = snapshot([peer(1, [root]), peer(2, [root])], [endpoint(NODE, rsa=[signed, issuing])], pki)
    counted = replace(cluster, peers=(replace(cluster.peers[0], crls=2), replace(cluster.peers[1], crls=0)))

    assert any(
        "CRLs in the trusted CA list of expc1.test (2). Revocation may count" in note for note in make_plan(counted).notes
    )
    assert not any("CRL" in note for note in make_plan(cluster).notes)


def test_a_note_names_nodes_without_the_suite_of_the_prefix() -> None:
    # Given a node that was asked with the prefix and presents ECDSA all the same, and one that follows the prefix
    lacking, following = (endpoint(name, rsa=[signed, issuing], ecdsa=[own]) for name in ("lacking.test", NODE))
    prefixed = CipherList(RSA_PREFIX + DEFAULT_CIPHERS)
    nodes = [
        replace(lacking, preferred=Preference(client_order=True, measured={DEFAULT_CIPHERS: "ecdsa", prefixed: "ecdsa"})),
        replace(following, preferred=Preference(client_order=True, measured={DEFAULT_CIPHERS: "ecdsa", prefixed: "rsa"})),
    ]

    [note] = [note for note in make_plan(snapshot([peer(1, [root])], nodes, pki)).notes if "do not offer that suite" in note]

    assert "ECDHE-RSA-AES256-GCM-SHA384" in note
    assert note.endswith("lacking.test:8443.")


def alarmed() -> Snapshot:
    """Build a cluster where one peer trusts the forged certificate already, and where it is vouched for."""
    cluster = snapshot(
        [peer(1, [FORGED]), peer(2, [])], [endpoint("cucm.test", rsa=[FORGED])], [FORGED], available=[], vouched=[FORGED]
    )
    return replace(cluster, alarms=(ALARM,))


def approvals(policy: Policy) -> list[str]:
    return [action.approval for action in make_plan(alarmed(), policy).actions if isinstance(action, TrustCertificate)]


def test_a_certificate_with_an_alarm_is_planned_once_approved() -> None:
    assert approvals(Policy()) == []
    assert approvals(Policy(approved=frozenset({ALARM.certificate}))) == ["granted"]


def test_an_alarm_names_the_service_to_restart() -> None:
    [unresolved] = make_plan(alarmed()).unresolved

    assert "no reason to trust it" in unresolved.advice
    assert "restart Cisco Tomcat on cucm.test" in unresolved.options[0]
    assert not any(option.startswith("Trust") for option in unresolved.options)


def test_the_alarm_is_the_first_note() -> None:
    assert make_plan(alarmed()).alarms == (ALARM.message,)


def test_a_snapshot_keeps_its_alarms() -> None:
    assert Snapshot.from_json(alarmed().to_json()).alarms == (ALARM,)


def test_no_plan_depends_on_the_health_of_a_peer() -> None:
    """Its own certificate may be signed by a CA that would be a successor of one in use."""
    ending = issue("steven-DC-CA", ca=True, starts=-YEAR, lasts=YEAR + timedelta(days=20), key_name="steven-DC-CA/Lab")
    own_leaf = issue("expc1.test", root)
    observed = snapshot([peer(1, [ending])], [endpoint(NODE, rsa=[signed, issuing])], [ending, issuing, signed])
    health = Health(started_at=observed.taken_at, alarms=(PeerAlarm("20009"),), upgrade=UpgradeState.NONE, zones={})
    chain = (own_leaf.certificate.fingerprint, root.certificate.fingerprint)
    healthy = replace(observed.peers[0], health=health, server_certificate=chain)
    certificates = {**observed.certificates, chain[0]: own_leaf.certificate, chain[1]: root.certificate}

    plan = make_plan(replace(observed, peers=(healthy,), certificates=certificates))

    assert plan.id == make_plan(observed).id


def test_a_note_warns_of_a_staged_upgrade() -> None:
    observed = snapshot([peer(1, [root])], [endpoint(NODE, rsa=[signed, issuing])], pki)
    staged = replace(observed.peers[0], health=Health(upgrade=UpgradeState.STAGED))

    plan = make_plan(replace(observed, peers=(staged,)))

    assert any(note.startswith("An upgrade is staged on expc1.test") for note in plan.notes)


def test_a_note_names_a_peer_whose_log_shows_openssl_3() -> None:
    peers = [peer(1, [root, issuing]), replace(peer(2, [root, issuing]), openssl="3.x")]
    cluster = snapshot(peers, [endpoint(NODE, ecdsa=[signed])], pki)

    (note,) = [note for note in make_plan(cluster).notes if "runs OpenSSL 3.x" in note]

    assert note.startswith(f"By its own log, {peers[1].address} runs OpenSSL 3.x")
    assert Snapshot.from_json(cluster.to_json()).peers[1].openssl == "3.x"
