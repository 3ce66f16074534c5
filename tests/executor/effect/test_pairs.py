"""The pairs that show whether a list is in effect."""

from __future__ import annotations

from dataclasses import replace

from remediate.executor.effect.pairs import find_pairs_fixed_by_list
from remediate.executor.verification import with_plan
from remediate.model.identity import Address
from remediate.model.run import Backup
from remediate.model.snapshot import Preference
from remediate.trust.verifier import verify_snapshot
from tests.executor.clusters import CUCM_EC, IMP, plan_for, story
from tests.executor.memory import MemoryCluster


def backups(cluster: MemoryCluster) -> dict[Address, Backup]:
    """The lists as they are."""
    return {
        device.address: Backup(
            device.address, tuple(certificate.fingerprint for certificate in device.trusted), dict(device.ciphers)
        )
        for device in cluster.devices
    }


def fixed(cluster: MemoryCluster) -> dict[str, list[str]]:
    """What the list of each peer fixes once the plan is applied."""
    after = with_plan(plan_for(cluster), cluster.snapshot())
    pairs = find_pairs_fixed_by_list(backups(cluster), after, verify_snapshot)
    return {peer[:5]: [str(endpoint) for endpoint in endpoints] for peer, endpoints in pairs.items()}


def test_endpoints_that_ciphers_alone_fix_prove_nothing() -> None:
    # Given peers 1 and 2 that trust the corporate root, and refuse 6972 for its ECDSA certificate alone
    imp, secure, web = "imp.example.test:8443", "cucm.example.test:6972", "cucm.example.test:8443"
    assert fixed(story()) == {"expc1": [imp], "expc2": [imp], "expc3": [secure, web, imp]}


def test_endpoints_that_may_have_passed_before_prove_nothing() -> None:
    # Given a node with a trusted RSA certificate, of which it is not known which certificate it presents
    cluster = story(1)
    (secure, *_) = cluster.endpoints
    unsure = replace(secure, preferred=Preference())
    now = replace(cluster.snapshot(), endpoints=(unsure,))
    (peer,) = now.peers
    assert [verdict.ok for verdict in verify_snapshot(now).values()] == [False]
    # When its ECDSA certificate is trusted too, Then that it is answered proves nothing
    listed = replace(peer, trusted_ca=(*peer.trusted_ca, CUCM_EC.certificate.fingerprint))
    after = replace(now, peers=(listed,))
    assert [verdict.ok for verdict in verify_snapshot(after).values()] == [True]
    assert find_pairs_fixed_by_list(backups(cluster), after, verify_snapshot) == {peer.address: ()}


def test_a_list_that_did_not_change_fixes_nothing() -> None:
    cluster = story()
    cluster.device(1).trusted.append(IMP.certificate)
    assert find_pairs_fixed_by_list(backups(cluster), cluster.snapshot(), verify_snapshot) == dict.fromkeys(
        (device.address for device in cluster.devices), ()
    )


def test_an_earlier_list_with_an_unknown_certificate_proves_nothing() -> None:
    cluster = story()
    before = backups(cluster)
    peer = cluster.device(1).address
    before[peer] = replace(before[peer], trusted_ca=("sha256:" + "0" * 64,))  # type: ignore[arg-type]  # a fingerprint
    after = with_plan(plan_for(cluster), cluster.snapshot())
    assert find_pairs_fixed_by_list(before, after, verify_snapshot)[peer] == ()


def test_peers_are_found_under_another_spelling() -> None:
    cluster = story(1)
    after = with_plan(plan_for(cluster), cluster.snapshot())
    (before,) = backups(cluster).values()
    spelled = Address(before.peer.upper())
    assert find_pairs_fixed_by_list({spelled: before}, after, verify_snapshot)[spelled]
