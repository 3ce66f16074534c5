"""Which lists of certificates are believed: only those that can be whole."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from remediate.connectors.expressway.trusted_list import parse_certificate_list
from remediate.model.errors import ObservationError
from tests.pki import issue, revoke_nothing

AUTHORITY = issue("First", ca=True)
FIRST, SECOND = AUTHORITY.certificate, issue("Second", ca=True).certificate
CRL = f"-----BEGIN X509 CRL-----\n{base64.b64encode(b'any').decode()}\n-----END X509 CRL-----\n"
BROKEN_CRL = "-----BEGIN X509 CRL-----\n***\n-----END X509 CRL-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"
WHAT = "The trusted CA list of 192.0.2.1"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_text_between_the_blocks_is_passed_over(end: str) -> None:
    page = f"O=Lab, CN=First\n{FIRST.pem}\nO=Größe - it's -- fine, CN=Second\n{SECOND.pem}\nthe end\n".replace("\n", end)

    assert parse_certificate_list(page, WHAT).certificates == (FIRST, SECOND)


def test_revocation_lists_are_kept_apart_in_their_order() -> None:
    page = CRL + FIRST.pem + BROKEN_CRL + SECOND.pem.replace("CERTIFICATE", "X509 CERTIFICATE")

    parsed = parse_certificate_list(page, WHAT)

    assert parsed.certificates == (FIRST, SECOND)
    assert parsed.revocation_lists == (CRL, BROKEN_CRL)


def test_a_long_revocation_list_is_kept_in_lines_that_openssl_reads() -> None:
    crl = revoke_nothing(AUTHORITY).public_bytes(Encoding.PEM).decode()
    on_one_line = crl.replace("\n", "").replace("CRL-----M", "CRL-----\nM").replace("-----END", "\n-----END")

    [revocation_list] = parse_certificate_list(FIRST.pem + on_one_line, WHAT).revocation_lists

    assert revocation_list == crl


def test_a_list_cut_anywhere_inside_a_block_is_not_believed() -> None:
    # Given a list, cut after every single byte of its second block
    page = FIRST.pem + SECOND.pem
    for length in range(len(FIRST.pem) + 1, len(page.rstrip())):
        # When it is read, then it is never taken for a shorter list
        with pytest.raises(ObservationError, match="cannot be read"):
            parse_certificate_list(page[:length], WHAT)
    assert parse_certificate_list(page.rstrip(), WHAT).certificates == (FIRST, SECOND)


BROKEN = {
    "nothing": ("", "an empty answer came instead of PEM"),
    "blanks": (" \r\n\n", "an empty answer came instead of PEM"),
    "text alone": ("no certificates", "`no certificates` came instead of PEM"),
    "a web page": ("<!DOCTYPE html>\n<html><title>Sign in</title></html>", "“Sign in”"),
    "a web page around it": (f"<html><pre>\n{FIRST.pem}</pre></html>", r"a web page \(HTML\)"),
    "an END without BEGIN": (
        FIRST.pem + "-----END CERTIFICATE-----\n",
        "a line of dashes that begins no block follows PEM block 1",
    ),
    "a BEGIN without END": (FIRST.pem + "-----BEGIN CERTIFICATE-----\nMIIB\n", "PEM block 2 has no matching END"),
    "dashes alone": (FIRST.pem + "-----\n" + SECOND.pem, "a line of dashes"),
    "dashes within a line": (FIRST.pem + "x -----BEGIN CERTIFICATE-----\n", "a line of dashes"),
    "an END of another kind": (FIRST.pem.replace("END CERT", "END X509 CERT"), "no matching END"),
    "two blocks on one line": (FIRST.pem.rstrip() + SECOND.pem, "ends on the line on which the next begins"),
    "a key": (FIRST.pem + KEY, "PEM block 2 is a PRIVATE KEY"),
    "no base64": (FIRST.pem + SECOND.pem.replace("M", "*", 1), "PEM block 2 is broken"),
    "no ASCII": (SECOND.pem.replace("M", "\u00e9", 1), "PEM block 1 is broken: it has a character that is not base64"),
    "a lone surrogate": (SECOND.pem.replace("M", "\ud800", 1), "PEM block 1 is broken"),
    "no DER": ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "PEM block 1 is broken"),
    "CRLs alone": (CRL, "it contains no certificate"),
}


@pytest.mark.parametrize(("page", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_list_that_cannot_be_whole_has_one_clear_reason(page: str, reason: str) -> None:
    with pytest.raises(ObservationError, match=reason) as caught:
        parse_certificate_list(page, WHAT)

    text = str(caught.value)
    assert text.startswith(f"{WHAT} cannot be read: ")
    assert text.endswith(".")
    assert "\n" not in text
