"""Callbacks: what is raised inside one is raised after the call, and is no answer."""

from __future__ import annotations

import ctypes

import pytest

from remediate.openssl.callbacks import CALLBACK_LOCK, raising_from_callbacks

COMPARE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)


def sort(compare: COMPARE) -> None:  # type: ignore[valid-type]  # made by ctypes
    """Have the C library sort two numbers by `compare`."""
    ctypes.CDLL(None).qsort((ctypes.c_int * 2)(2, 1), 2, ctypes.sizeof(ctypes.c_int), compare)


def test_an_exception_in_a_callback_is_raised_after_the_call() -> None:
    def interrupted(_first: int, _second: int) -> int:
        raise KeyboardInterrupt

    with CALLBACK_LOCK, pytest.raises(KeyboardInterrupt), raising_from_callbacks():
        sort(COMPARE(interrupted))


def test_a_callback_that_answers_raises_nothing() -> None:
    pairs = []

    def compare(first: int, second: int) -> int:
        pairs.append((first, second))
        return 0

    with CALLBACK_LOCK, raising_from_callbacks():
        sort(COMPARE(compare))
    assert pairs
