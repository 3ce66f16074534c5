"""The answers of 1.1.1 on a 3.x: the choice of an issuer, in a callback of OpenSSL's."""

from __future__ import annotations

import pytest

from remediate.model.library import openssl
from remediate.openssl.openssl111 import IssuerChoice
from remediate.openssl.trust_store import TrustStore
from tests.pki import NOW, issue


def test_an_interrupt_inside_a_callback_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given two issuers of one name, so that the choice is made in a callback, and Ctrl-C at that moment
    def interrupted(*_arguments: object) -> int:
        raise KeyboardInterrupt

    twins = [issue("Twin", ca=True, key_name=number) for number in ("one", "two")]
    leaf = issue("leaf.test", twins[1]).certificate
    store = TrustStore(openssl(), [twin.certificate.der for twin in twins])
    monkeypatch.setattr(IssuerChoice, "_pick", interrupted)
    # Then it is raised, instead of reading as an issuer that was not found
    with pytest.raises(KeyboardInterrupt):
        store.verify([leaf.der], int(NOW.timestamp()))
