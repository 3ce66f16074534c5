"""A trusted CA list as a PEM file that a person can write back."""

from __future__ import annotations

from remediate.connectors.expressway.trusted_list import parse_certificate_list
from remediate.formats.pem_list import format_pem_list
from remediate.model.identity import Address
from tests.pki import NOW, issue

PEER = Address("expc1.test")
CRL = "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"
ROOT = issue("Root", ca=True).certificate


def test_the_file_holds_the_list_in_its_order_with_its_crls() -> None:
    second = issue("Other", ca=True).certificate

    parsed = parse_certificate_list(format_pem_list(PEER, (ROOT, second), (CRL,), "", NOW), "it")

    assert (parsed.certificates, parsed.revocation_lists) == ((ROOT, second), (CRL,))


def test_each_certificate_has_its_dates() -> None:
    text = format_pem_list(PEER, (ROOT,), (), "", NOW)

    assert "# Trusted CA list of expc1.test, read at 2026-11-23T10:00:00Z" in text
    assert "#    valid from 2025-11-23T10:00:00Z to 2027-11-23T10:00:00Z" in text


def test_what_is_missing_is_written_on_top() -> None:
    assert "# INCOMPLETE: the CRLs could not be read" in format_pem_list(PEER, (ROOT,), (), "the CRLs could not be read", NOW)


def test_a_hostile_name_adds_no_block() -> None:
    hostile = issue("x\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", ca=True).certificate

    text = format_pem_list(PEER, (hostile,), (), "", NOW)

    assert parse_certificate_list(text, "it").certificates == (hostile,)
