"""Connection errors in words, and addresses in text."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator

from remediate.model.identity import Address, is_ip
from remediate.model.masking import reveals
from remediate.model.text import mask_and_escape, quote

_NO_SHARED_VERSION = "it has no TLS version in common with this machine"
_TLS_FAILURES = {
    "TLSV1_ALERT_PROTOCOL_VERSION": _NO_SHARED_VERSION,
    "UNSUPPORTED_PROTOCOL": _NO_SHARED_VERSION,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "it has no cipher in common with this machine",
    "WRONG_VERSION_NUMBER": "what answers there does not speak TLS",
}
"""Failures of a handshake in words, by OpenSSL's name of the reason."""
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?")


def describe_failure(error: BaseException) -> str:
    """Describe in a few words why a connection failed, from whatever `error` wraps."""
    for cause in _iterate_causes(error):
        if isinstance(cause, socket.gaierror | UnicodeError):
            return "its name does not resolve"
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
        if isinstance(cause, TimeoutError):
            return "no answer in time"
        # Python up to 3.11.3 has no SSLEOFError for it.
        is_cut_off = isinstance(cause, ssl.SSLError) and cause.reason == "UNEXPECTED_EOF_WHILE_READING"
        if is_cut_off or isinstance(cause, ConnectionError | ssl.SSLEOFError):
            return "the connection was closed or reset"
        if isinstance(cause, ssl.SSLError):
            return _TLS_FAILURES.get(cause.reason or "") or quote(cause.strerror or str(cause))
        if isinstance(cause, OSError) and cause.strerror:
            return mask_and_escape(cause.strerror)
    return quote(f"{type(error).__name__}: {error}", 120)


def parse_address(text: str) -> Address | None:
    """Return the host name or IP address that a system named; None when it is neither, or repeats a secret."""
    text = text.strip()
    if reveals(text):
        return None
    return Address(text) if is_ip(text) or _HOST.fullmatch(text) else None


def _iterate_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield `error` and all that it wraps.

    urllib3 keeps the first cause in `reason` or among the arguments.
    """
    waiting, visited = [error], set[int]()
    while waiting:
        cause = waiting.pop(0)
        if id(cause) in visited:
            continue
        visited.add(id(cause))
        yield cause
        wrapped = [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]
        waiting += [inner for inner in wrapped if isinstance(inner, BaseException)]
