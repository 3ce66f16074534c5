"""Verdicts, one story each."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

import pytest
from cryptography.x509 import ObjectIdentifier
from cryptography.x509.oid import ExtendedKeyUsageOID

from remediate import Cause, Verdict, verify_chain
from tests.pki import NOW, Entity, issue
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
