"""Recognition of a server: by a pin, under a CA file, or under certificates of an operator."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from remediate.connectors.tls.pinning import make_issuer_check, make_pin_check, make_tls_check
from remediate.model.access import TlsTrust
from remediate.model.errors import InventoryError
from remediate.model.identity import FAMILIES
from tests.pki import issue

ROOT = issue("Root", ca=True).certificate


def test_a_pin_alone_identifies_and_verifies_no_chain() -> None:
    check = make_tls_check(TlsTrust(fingerprint=ROOT.fingerprint, ca=Path("unused")))

    assert check.fingerprint == ROOT.fingerprint
    assert (check.context.verify_mode, check.context.check_hostname) == (ssl.CERT_NONE, False)


def test_a_ca_file_verifies_chain_and_name(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text(ROOT.pem)

    check = make_tls_check(TlsTrust(ca=path))

    assert check.context.get_ca_certs(binary_form=True) == [ROOT.der]
    assert (check.fingerprint, check.context.verify_mode, check.context.check_hostname) == (None, ssl.CERT_REQUIRED, True)
    path.write_text("nothing")
    with pytest.raises(InventoryError, match="This CA file cannot be used"):
        make_tls_check(TlsTrust(ca=path))


def test_the_environment_chooses_no_ca_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.pem"
    path.write_text(ROOT.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))

    assert ROOT.der not in make_tls_check(TlsTrust()).context.get_ca_certs(binary_form=True)


@pytest.mark.parametrize("family", FAMILIES)
def test_one_key_family_is_offered_alone(family: str) -> None:
    word = {"rsa": "RSA", "ecdsa": "ECDSA"}[family]

    for context in (make_pin_check(ROOT.fingerprint, family).context, make_issuer_check([ROOT], family).context):  # type: ignore[arg-type]  # a literal
        suites = [suite for suite in context.get_ciphers() if suite["protocol"] != "TLSv1.3"]
        assert {f"Au={word} " in suite["description"] for suite in suites} == {True}
        assert context.maximum_version == ssl.TLSVersion.TLSv1_2
