"""The pause of the garbage collector."""

from __future__ import annotations

import gc

import pytest

from remediate.cli.collector import pause_collector


def test_the_collector_is_paused_and_enabled_again() -> None:
    def fail() -> None:
        with pause_collector():
            assert not gc.isenabled()
            raise RuntimeError

    assert gc.isenabled()
    with pytest.raises(RuntimeError):
        fail()
    assert gc.isenabled()


def test_a_collector_that_was_disabled_stays_disabled() -> None:
    gc.disable()
    try:
        with pause_collector():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
