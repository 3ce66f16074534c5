"""Requests of clients in their own logs: Jabber and its kin write the URL of a request with the status of its answer."""

from __future__ import annotations

import re
from typing import Final

from remediate.connectors.evidence.log_prefix import Prefix
from remediate.connectors.evidence.mra_target import Target, parse_target

CLIENT_WORDS: Final = (b"HTTP response code 502", b"502 Bad Gateway")
"""Words of a request that was answered with 502, in lines of clients."""

# INFO [0x00000d78] [BasicHttpClientImpl.cpp(452)] [csf.httpclient] … HTTP response code 502 connect code 0 for request #12 to https://…
_URL: Final = re.compile(r"https?://[^\s{}\"'<>]{1,4096}")
_TIME: Final = re.compile(r"\[?(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)")


def parse_refused_request(line: str) -> tuple[Target, Prefix] | None:
    """Return the node that a request in a client's line was for, and when, where it was answered with 502; None for other lines."""
    if "502" not in line or not any(word.decode() in line for word in CLIENT_WORDS):
        return None
    targets = (parse_target(match[0]) for match in _URL.finditer(line))
    target = next((target for target in targets if target), None)
    if target is None:
        return None
    time = _TIME.match(line)
    return target, Prefix(None, None, time["time"]) if time else Prefix()
