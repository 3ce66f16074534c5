"""The answers of 1.1.1 on a 3.x: the choice of an issuer, in a callback of OpenSSL's."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from types import FrameType

import pytest

from remediate.model.library import openssl
from remediate.openssl.openssl111 import IssuerChoice
from remediate.openssl.trust_store import TrustStore
from tests.pki import NOW, issue


def press_ctrl_c_in(name: str) -> Callable[[FrameType, str, object], None]:
    """Return a profiler that sends this process SIGINT when the function `name` is called."""

    def profile(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code.co_name == name:
            signal.raise_signal(signal.SIGINT)

    return profile


def test_an_interrupt_inside_a_callback_is_no_verdict() -> None:
    # Given two issuers of one name, so that the choice is made in a callback, and Ctrl-C at that moment
    twins = [issue("Twin", ca=True, key_name=number) for number in ("one", "two")]
    leaf = issue("leaf.test", twins[1]).certificate
    store = TrustStore(openssl(), [twin.certificate.der for twin in twins])
    before = sys.getprofile()
    sys.setprofile(press_ctrl_c_in(IssuerChoice._pick.__name__))
    # Then it is raised, instead of reading as an issuer that was not found
    try:
        with pytest.raises(KeyboardInterrupt):
            store.verify([leaf.der], int(NOW.timestamp()))
    finally:
        sys.setprofile(before)
    assert store.verify([leaf.der], int(NOW.timestamp()))[0] == 0
