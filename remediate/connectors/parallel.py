"""Work on several systems at once, each in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def run_at_once(work: Callable[[_Item], _Result], items: Sequence[_Item]) -> list[_Result]:
    """Return the result of `work` for each item, in order. A single item is worked on in this thread.

    The first error in that order is raised when all of them have ended; an interrupt waits for none.
    """
    if len(items) < 2:
        return [work(item) for item in items]
    pool = ThreadPoolExecutor(len(items), thread_name_prefix="peer")
    try:
        futures = [pool.submit(work, item) for item in items]
        wait(futures)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return [future.result() for future in futures]
