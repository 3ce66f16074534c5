"""Limits that keep tests fast, the type of the fixture that opens peers of the lab, and a secret with a fixed value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from remediate.connectors.expressway.peer import ExpresswayPeer
from remediate.model.access import MraAccess
from remediate.model.limits import Limits
from remediate.model.secret import Login, Secret

QUICK = Limits(connect_s=2, read_s=2, slow_write_s=3, shell_answer_s=2, shell_silence_s=0.3, handshake_s=1, read_pause_s=0.01)

Opener = Callable[..., ExpresswayPeer]


@dataclass(frozen=True)
class FixedSecret:
    """A secret that a test gives."""

    value: str

    def describe(self) -> str:
        return "the test"

    def read(self) -> Secret:
        return Secret(self.value)


def with_password(access: MraAccess, password: str) -> MraAccess:
    """Return the same way with another password."""
    assert access.login is not None
    return replace(access, login=Login(access.login.username, FixedSecret(password)))
