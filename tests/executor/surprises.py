"""An exception at a moment of a run, as memory that ends raises one between any two instructions. Nothing is replaced."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Literal


@contextmanager
def surprise_in(
    code: CodeType, error: Callable[[], Exception], at: Literal["call", "return"] = "call", number: int = 1
) -> Iterator[list[str]]:
    """Raise `error` where the function of `code` is called, or returns, for the n-th time in this thread; yield each time before."""
    times: list[str] = []

    def profile(frame: FrameType, event: str, _argument: object) -> None:
        if frame.f_code is code and event == at:
            times.append(event)
            if len(times) == number:
                raise error()

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        yield times
    finally:
        sys.setprofile(before)
