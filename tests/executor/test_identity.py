"""Who this process is, for the lock and the journal."""

from __future__ import annotations

import os
import socket

import pytest

from remediate.executor.identity import Operator, identify_operator


def test_the_operator_is_user_host_and_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "anna")

    operator = identify_operator()

    assert operator == Operator("anna", socket.gethostname(), os.getpid())
    assert str(Operator("anna", "jump", 7)) == "anna on jump (process 7)"
