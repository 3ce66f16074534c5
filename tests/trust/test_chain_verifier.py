"""The chain verifier: one chain against one list, and the entries that shadow what is presented."""

from __future__ import annotations

from remediate import Cause, Certificate, verify_chain
from tests.pki import NOW, YEAR, issue
from tests.trust.chains import ADDRESS, issuing, judged, own, root, signed


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
