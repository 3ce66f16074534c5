"""What boxes and networks say, made fit for a message: bounded, on one line, nothing that a terminal would obey."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator

from remediate.model.identity import Address, is_ip
from remediate.model.masking import reveals
from remediate.model.text import mask_and_escape

_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?")


def reason_of(error: BaseException) -> str:
    """Return in a few words why a connection failed, from whatever `error` wraps."""
    for one in _inside(error):
        if isinstance(one, socket.gaierror | UnicodeError):
            return "its name does not resolve"
        if isinstance(one, ConnectionRefusedError):
            return "connection refused"
        if isinstance(one, TimeoutError):
            return "no answer in time"
        if isinstance(one, ConnectionError | ssl.SSLEOFError):
            return "the connection was closed or reset"
        if isinstance(one, OSError) and one.strerror:
            return mask_and_escape(one.strerror)
    return mask_and_escape(f"{type(error).__name__}: {error}", 120)


def address_in(text: str) -> Address | None:
    """Return the host name or IP address that a system named; None when it is neither, or repeats a secret of ours."""
    text = text.strip()
    if reveals(text):
        return None
    return Address(text) if is_ip(text) or _HOST.fullmatch(text) else None


def _inside(error: BaseException) -> Iterator[BaseException]:
    """`error` and all that it wraps; urllib3 keeps the first cause in `reason` or among the arguments."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
        waiting += [found for found in inner if isinstance(found, BaseException)]
