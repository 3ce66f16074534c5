"""The verifiers: a chain against a list, the entries that shadow what is presented, and endpoints at peers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

import pytest
from cryptography.x509 import ObjectIdentifier
from cryptography.x509.oid import ExtendedKeyUsageOID

from remediate import Cause, Certificate, Verdict, verify_chain
from remediate.model.identity import Address, CipherList
from remediate.model.snapshot import Preference, Snapshot
from remediate.trust.verifier import verify_snapshot
from tests.pki import NOW, YEAR, Entity, issue
from tests.planner.build import endpoint, peer, snapshot
from tests.trust.chains import ADDRESS, issuing, judged, own, root, signed

SERVER_AUTH, CLIENT_AUTH = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


def test_a_whole_chain_to_a_trusted_root_is_accepted() -> None:
    verdict = judged([signed.certificate, issuing.certificate], [root.certificate])
    assert verdict == Verdict(ok=True, cause=None, error=None, code=0, depth=None)


@pytest.mark.parametrize(
    ("presented", "trusted", "cause", "code", "depth"),
    [
        pytest.param([own], [], Cause.SELF_SIGNED_UNTRUSTED, 18, 0, id="self-signed, not trusted"),
        pytest.param([signed, issuing, root], [], Cause.ISSUER_UNTRUSTED, 19, 2, id="with its unknown root"),
        pytest.param([signed, issuing], [], Cause.ISSUER_UNKNOWN, 20, 1, id="root unknown"),
        pytest.param([signed], [], Cause.ISSUER_UNKNOWN, 20, 0, id="leaf alone, issuer unknown"),
        pytest.param([signed], [root], Cause.ISSUER_UNKNOWN, 20, 0, id="intermediate neither sent nor trusted"),
        pytest.param([signed], [issuing], Cause.ISSUER_UNKNOWN, 2, 1, id="only the intermediate trusted"),
        pytest.param([signed], [signed], Cause.ISSUER_UNKNOWN, 20, 0, id="a CA-issued leaf cannot be pinned"),
    ],
)
def test_a_refusal_has_openssls_number_and_depth(
    presented: list[Entity], trusted: list[Entity], cause: Cause, code: int, depth: int
) -> None:
    verdict = judged([entity.certificate for entity in presented], [entity.certificate for entity in trusted])
    assert (verdict.ok, verdict.cause, verdict.code, verdict.depth) == (False, cause, code, depth)


def test_self_signed_is_accepted_once_it_is_trusted() -> None:
    assert judged([own.certificate], [own.certificate]).ok


def test_the_error_is_spelled_as_openssl_1_1_1_spells_it() -> None:
    assert judged([own.certificate], []).error in {"self signed certificate", "self-signed certificate"}


def test_root_and_intermediate_trusted_mend_a_leaf_sent_alone() -> None:
    assert judged([signed.certificate], [root.certificate, issuing.certificate]).ok


def test_without_an_address_only_the_chain_is_judged() -> None:
    assert judged([signed.certificate, issuing.certificate], [root.certificate], None).ok


def test_not_after_is_exclusive_and_not_before_inclusive() -> None:
    start, end = signed.certificate.not_before, signed.certificate.not_after
    assert start is not None
    assert end is not None
    chain, trusted = [own.certificate], [own.certificate]
    begin, over = own.certificate.not_before, own.certificate.not_after
    assert begin is not None
    assert over is not None
    assert verify_chain(chain, trusted, None, begin).ok
    assert verify_chain(chain, trusted, None, begin - timedelta(seconds=1)).cause is Cause.NOT_YET_VALID
    assert verify_chain(chain, trusted, None, over - timedelta(seconds=1)).ok
    assert verify_chain(chain, trusted, None, over).cause is Cause.EXPIRED


@pytest.mark.parametrize(("usage", "code"), [(SERVER_AUTH, 0), (CLIENT_AUTH, 26)], ids=["for servers", "for clients"])
def test_a_certificate_is_judged_as_a_servers(usage: ObjectIdentifier, code: int) -> None:
    # Given a trusted root, and a leaf of it whose template says what it is for
    leaf = issue(ADDRESS, root, names=(ADDRESS,), usage=(usage,)).certificate
    # Then only one for servers passes, wherever the trust is
    assert judged([leaf], [root.certificate]).code == code
    itself = issue(ADDRESS, names=(ADDRESS,), usage=(usage,)).certificate
    assert judged([itself], [itself]).code == code


class Nowhere(tzinfo):
    """A time zone that does not say how far it is from UTC."""

    def _ignore(self, _moment: datetime | None) -> None:
        return None

    utcoffset = dst = tzname = _ignore


@pytest.mark.parametrize("zone", [None, Nowhere()], ids=["none", "one that says nothing"])
def test_a_moment_without_a_time_zone_is_refused(zone: tzinfo | None) -> None:
    with pytest.raises(ValueError, match="time zone"):
        verify_chain([own.certificate], [], None, datetime(2026, 11, 23, tzinfo=zone))


def test_the_verdict_on_a_malformed_address_can_be_encoded() -> None:
    verdict = verify_chain([own.certificate], [own.certificate], "\ud800.lab", NOW)
    assert (verdict.cause, verdict.error) == (Cause.NAME_MISMATCH, "SNI (\\ud800.lab) not in certificate")


def test_the_name_is_looked_at_only_on_a_good_chain() -> None:
    refused = judged([signed.certificate, issuing.certificate], [root.certificate], "10.48.36.215")
    assert (refused.cause, refused.code, refused.depth) == (Cause.NAME_MISMATCH, 0, 0)
    assert refused.error == "SNI (10.48.36.215) not in certificate"
    assert judged([signed.certificate], [], "10.48.36.215").cause is Cause.ISSUER_UNKNOWN


def test_a_stale_copy_in_the_list_shadows_the_good_one_presented() -> None:
    # Given the list holds an expired copy of the intermediate that the node presents fresh
    stale = issue("steven-issuing", root, ca=True, starts=-3 * YEAR, lasts=YEAR)
    presented = [signed.certificate, issuing.certificate]
    # Then the copy in the list wins, OpenSSL says expired at depth 1, and the copy is named
    verdict = verify_chain(presented, [root.certificate, stale.certificate], ADDRESS, NOW)
    assert (verdict.cause, verdict.code, verdict.depth) == (Cause.SHADOWED, 10, 1)
    assert verdict.shadowed_by == (stale.certificate,)
    assert [certificate.common_name for certificate in verdict.built_chain] == [
        "cucmms.steven.lab",
        "steven-issuing",
        "steven-DC-CA",
    ]


def test_two_stale_copies_in_a_row_shadow_together() -> None:
    # Given two expired copies of the intermediate in the list, either of which would do the harm alone
    stale = [issue("steven-issuing", root, ca=True, starts=-3 * YEAR, lasts=YEAR).certificate for _ in range(2)]
    presented = [signed.certificate, issuing.certificate]
    verdict = verify_chain(presented, [root.certificate, *stale], ADDRESS, NOW)
    assert verdict.cause is Cause.SHADOWED
    assert set(verdict.shadowed_by) == set(stale)


def test_of_two_self_signed_with_one_subject_only_the_first_counts() -> None:
    old = issue("cucm-EC.steven.lab", names=(ADDRESS,), key_name="the old key")
    assert judged([own.certificate], [own.certificate, old.certificate]).ok
    refused = judged([own.certificate], [old.certificate, own.certificate])
    assert (refused.cause, refused.code) == (Cause.SHADOWED, 18)


def test_seven_intermediates_pass_and_eight_do_not() -> None:
    above = root
    chain: list[Certificate] = []
    for number in range(8):
        above = issue(f"level {number}", above, ca=True)
        chain.insert(0, above.certificate)
        leaf = issue(ADDRESS, above, names=(ADDRESS,)).certificate
        verdict = judged([leaf, *chain], [root.certificate])
        assert verdict.ok == (number < 7), number
    assert (verdict.code, verdict.depth) == (22, 8)


def test_an_empty_chain_and_an_empty_list_are_verdicts_too() -> None:
    assert judged([], [root.certificate]).cause is Cause.HANDSHAKE_FAILED
    assert judged([own.certificate], []).cause is Cause.SELF_SIGNED_UNTRUSTED


def test_an_unreadable_entry_is_named_by_its_place_in_the_list() -> None:
    broken = Certificate.from_der(b"\x30\x03\x02\x01\x01")
    verdict = judged([own.certificate], [own.certificate, own.certificate, broken, broken])
    assert (verdict.cause, verdict.code) == (Cause.CHAIN_INVALID, 1)
    assert verdict.error == "the trusted CA list holds a certificate that cannot be read: number 3"


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
