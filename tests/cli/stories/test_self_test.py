"""An OpenSSL that judges otherwise than the appliance's is named where verdicts are given, and the one that judges in `doctor`."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from remediate.lab import Lab
from remediate.model.library import openssl
from remediate.openssl import selftest
from tests.cli.conftest import Remediate
from tests.pki import NOW, issue

FAILED = "does not behave as the appliance's 1.1.1 does, so verdicts here may be wrong. It fails the self-test on: "


@pytest.fixture
def wrong_library(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This Python's library, taken for a 1.1.1: nothing is corrected then, and 3.x differs from 1.1.1."""
    uncorrected = replace(openssl(), is_3_or_later=False)
    monkeypatch.setattr(selftest, "default_libcrypto", lambda: uncorrected)
    selftest.default_failures.cache_clear()
    yield
    selftest.default_failures.cache_clear()


@pytest.fixture
def explain(tmp_path: Path) -> list[str | Path]:
    root = issue("Root", ca=True)
    leaf = issue("cucm.test", root, names=("cucm.test",))
    chain, store = tmp_path / "chain.pem", tmp_path / "store.pem"
    chain.write_text(leaf.certificate.pem)
    store.write_text(root.certificate.pem)
    return ["explain", "--chain", chain, "--store", store, "--address", "cucm.test", "--at", NOW.isoformat()]


def test_doctor_names_the_openssl_that_judges(remediate: Remediate, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    ended, document = remediate("doctor", "-i", lab.inventory), remediate("doctor", "-i", lab.inventory, "--json").document

    version = f"OpenSSL {ssl.OPENSSL_VERSION.split()[1]}"
    assert document["openssl"]["said"].startswith(version)
    assert document["openssl"] | {"said": ""} == {"subject": "verdicts", "said": "", "code": 0, "next_step": ""}
    assert f"✓ verdicts {version}" in " ".join(ended.out.split())
    assert "passes the self-test" in ended.out


@pytest.mark.usefixtures("wrong_library")
def test_doctor_warns_of_an_openssl_that_judges_wrongly(
    remediate: Remediate, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    ended, document = remediate("doctor", "-i", lab.inventory), remediate("doctor", "-i", lab.inventory, "--json").document

    assert FAILED in document["openssl"]["said"]
    assert "a SHA-1 signature" in document["openssl"]["said"]
    assert "Use a Python with a standard OpenSSL" in document["openssl"]["next_step"]
    assert (ended.code, document["exit_code"]) == (0, 0)
    assert "! verdicts" in ended.out
    assert FAILED in ended.out


@pytest.mark.usefixtures("wrong_library")
def test_explain_warns_of_an_openssl_that_judges_wrongly(remediate: Remediate, explain: list[str | Path]) -> None:
    ended, document = remediate(*explain), remediate(*explain, "--json").document

    assert FAILED in " ".join(ended.out.split())
    assert FAILED in document["remarks"][0]


def test_explain_does_not_mention_an_openssl_that_passes(remediate: Remediate, explain: list[str | Path]) -> None:
    assert remediate(*explain, "--json").document["remarks"] == []
    assert "self-test" not in remediate(*explain).out
