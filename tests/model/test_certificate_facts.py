"""The facts are OpenSSL's, also where a stricter reader refuses the certificate whole, and each stands by itself."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from remediate import Certificate
from tests.der import (
    BASIC_CONSTRAINTS,
    BMP,
    COMMON_NAME,
    GENERALIZED_TIME,
    IA5,
    NUMERIC,
    ORGANIZATION,
    PRINTABLE,
    SAN,
    T61,
    UNIVERSAL,
    UTC_TIME,
    UTF8,
    alternative,
    authority,
    called,
    certificate,
    extension,
    name,
    tlv,
)
from tests.pki import NOW, YEAR, issue, key


def test_an_underscore_in_a_printable_string_empties_nothing() -> None:
    # Given what many a Unified CM made of a host name with an underscore
    example = certificate(called("cucm_pub.lab"), extensions=(authority(), alternative(b"cucm_pub.lab")))

    assert (example.subject, example.issuer, example.common_name) == ("CN=cucm_pub.lab", "CN=cucm_pub.lab", "cucm_pub.lab")
    assert (example.not_before, example.not_after) == (NOW - YEAR, NOW + YEAR)
    assert (example.san_dns, example.is_ca, example.self_issued, example.self_signed) == (("cucm_pub.lab",), True, True, True)
    assert (example.serial, example.key_family, example.key_bits) == (7, "ecdsa", 256)


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        (PRINTABLE, "a_b"),
        (IA5, "é"),
        (T61, "Zürich"),
        (BMP, "東京"),
        (UNIVERSAL, "𝄞"),
        (UTF8, "Żółć"),
        (NUMERIC, "no digits"),
    ],
)
def test_every_type_of_string_is_read(tag: int, text: str) -> None:
    example = certificate(called(text, tag))

    assert (example.common_name, example.subject) == (text, f"CN={text}")
    assert example.self_issued


def test_names_are_compared_as_openssl_does() -> None:
    # Given one name in two string types, cases and spacings
    example = certificate(called("Corp  Root", UTF8), called("corp root"))

    assert example.self_issued
    assert example.subject != example.issuer


def test_control_characters_are_escaped_in_a_name_as_text() -> None:
    example = certificate(name((ORGANIZATION, PRINTABLE, b"a,b"), (COMMON_NAME, UTF8, b"\x1b[2J\n\0x")))

    assert example.subject == "CN=\\1B[2J\\0A\\00x,O=a\\,b"
    assert example.common_name == "\x1b[2J\n\0x"


def test_names_may_be_empty_and_many() -> None:
    assert (certificate(name()).subject, certificate(name()).common_name, certificate(name()).self_issued) == ("", "", True)
    two_names = certificate(name((COMMON_NAME, UTF8, b"first"), (COMMON_NAME, UTF8, b"second")))
    assert (two_names.common_name, two_names.subject) == ("first", "CN=second,CN=first")


@pytest.mark.parametrize(
    ("time", "moment"),
    [
        (tlv(GENERALIZED_TIME, b"00000101000000Z"), None),
        (tlv(GENERALIZED_TIME, b"99991231235959Z"), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (tlv(GENERALIZED_TIME, b"99991231235959-0100"), None),
        (tlv(UTC_TIME, b"260101000000+0100"), datetime(2025, 12, 31, 23, tzinfo=UTC)),
    ],
)
def test_a_date_that_cannot_be_said_leaves_the_rest(time: bytes, moment: datetime | None) -> None:
    example = certificate(called("a"), ends=time)

    assert example.not_after == moment
    assert (example.subject, example.not_before) == ("CN=a", NOW - YEAR)


def test_what_is_no_time_is_no_date_and_may_be_refused_whole() -> None:
    example = certificate(called("a"), ends=tlv(UTC_TIME, b"not a time"))

    # OpenSSL 3.5.9 and 3.6 do not read such a certificate at all.
    whole = ("CN=a", NOW - YEAR) if example.readable else ("", None)
    assert (example.not_after, (example.subject, example.not_before)) == (None, whole)


def test_an_extension_that_cannot_be_read_leaves_the_rest() -> None:
    broken = extension(SAN, b"\xff\xff")
    twice = (alternative(b"one.test"), alternative(b"two.test"))

    example = certificate(called("a"), extensions=(broken, authority()))

    assert (example.san_dns, example.is_ca, example.common_name) == ((), True, "a")
    assert certificate(called("a"), extensions=twice).san_dns == ()
    assert not certificate(called("a"), extensions=(extension(BASIC_CONSTRAINTS, b""),)).is_ca


def test_a_negative_serial_is_a_number() -> None:
    assert certificate(called("a"), serial=b"\xff").serial == -1


def test_an_issuer_is_who_has_the_name_and_the_key() -> None:
    root, namesake = issue("Root", ca=True), issue("Root", ca=True, key_name="another")
    leaf = issue("leaf.test", root).certificate

    assert root.certificate.has_issued(leaf)
    assert namesake.certificate.is_named_as_issuer_of(leaf)
    assert not namesake.certificate.has_issued(leaf)
    assert not leaf.has_issued(root.certificate)


def test_an_empty_name_names_no_one() -> None:
    nameless = certificate(name())
    unreadable = Certificate.from_der(b"\x30\x03\x02\x01\x01")

    assert not nameless.is_named_as_issuer_of(certificate(called("a"), name(), own_key=key("other")))
    assert not unreadable.is_named_as_issuer_of(unreadable)
    assert (nameless.readable, unreadable.readable) == (True, False)
