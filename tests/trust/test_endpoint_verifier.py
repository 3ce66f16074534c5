"""The endpoint verifier: what each endpoint of a snapshot gets from each of its peers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from remediate.model.identity import Address, CipherList
from remediate.model.snapshot import Preference, Snapshot
from remediate.model.verdict import Cause
from remediate.trust.endpoint_verifier import verify_snapshot
from tests.pki import issue
from tests.planner.build import endpoint, peer, snapshot

ROOT = issue("Root", ca=True)
RSA = issue("cucm.test", ROOT, names=("cucm.test",), family="rsa")
OWN = issue("cucm.test", names=("cucm.test",))
BOTH = endpoint("cucm.test", rsa=[RSA], ecdsa=[OWN])


def cluster(ciphers: str, preferred: Preference = BOTH.preferred) -> Snapshot:
    return snapshot([peer(1, [ROOT], CipherList(ciphers))], [replace(BOTH, preferred=preferred)], [ROOT, RSA, OWN])


@pytest.mark.parametrize(
    ("ciphers", "key", "ok"), [("aRSA:aECDSA", "rsa", True), ("aECDSA:aRSA", "ecdsa", False), ("aECDSA", "ecdsa", False)]
)
def test_the_cipher_list_decides_which_certificate_is_judged(ciphers: str, key: str, ok: bool) -> None:
    [verdict] = verify_snapshot(cluster(ciphers)).values()
    assert (verdict.key, verdict.ok, verdict.works) == (key, ok, ok)


def test_the_worse_of_two_possible_certificates_counts() -> None:
    # Given a node of which it is not known whose order it follows, or which certificate it prefers
    [verdict] = verify_snapshot(cluster("aRSA:aECDSA", Preference())).values()
    # Then the refused one counts; what it is expected to present works today
    assert (verdict.key, verdict.ok, verdict.works) == ("ecdsa", False, True)


def test_without_a_shared_cipher_there_is_no_handshake() -> None:
    observed = snapshot([peer(1, [ROOT], CipherList("aRSA"))], [endpoint("cucm.test", ecdsa=[OWN])], [ROOT, OWN])
    [verdict] = verify_snapshot(observed).values()
    assert (verdict.cause, verdict.error) == (Cause.HANDSHAKE_FAILED, "no shared cipher")


def test_what_was_not_observed_is_neither_accepted_nor_refused() -> None:
    whole = cluster("aRSA")
    away = replace(whole.endpoints[0], port=6972, error="handshake-failed: reset", failure=Cause.HANDSHAKE_FAILED)
    observed = replace(
        whole,
        peers=(*whole.peers, replace(whole.peers[0], address=Address("expc2.test"), error="unreachable: away")),
        endpoints=(whole.endpoints[0], away),
    )

    verdicts = verify_snapshot(observed).values()

    assert [verdict.observed for verdict in verdicts] == [True, False, False, False]
    assert [verdict.cause for verdict in verdicts] == [None, Cause.HANDSHAKE_FAILED, Cause.UNREACHABLE, Cause.UNREACHABLE]
