"""Callbacks from OpenSSL into Python: an exception inside one must not read as an answer.

ctypes reports an exception in a callback to `sys.unraisablehook` and returns 0 to the C code, which OpenSSL takes for "no". Ctrl-C at
the wrong moment would then become a wrong verdict. So while callbacks are in use, such an exception is kept and raised afterwards.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

CALLBACK_LOCK = threading.RLock()
"""Held while callbacks are in use: the hook belongs to the whole interpreter."""


@contextmanager
def raising_from_callbacks() -> Iterator[None]:
    """Raise, at the end of the block, what was raised inside a callback. `CALLBACK_LOCK` is held by the caller."""
    raised: list[BaseException] = []
    previous = sys.unraisablehook

    def keep(unraisable: UnraisableHookArgs) -> None:
        # An object's finaliser also reports here: that is none of ours.
        if unraisable.exc_value is not None and _is_from_callback(unraisable):
            raised.append(unraisable.exc_value)
        else:
            previous(unraisable)

    sys.unraisablehook = keep
    try:
        yield
    finally:
        sys.unraisablehook = previous
    if raised:
        raise raised[0]


def _is_from_callback(unraisable: UnraisableHookArgs) -> bool:
    message = unraisable.err_msg or ""
    return "ctypes callback" in message or getattr(unraisable.object, "__module__", None) == "remediate.openssl.openssl111"
