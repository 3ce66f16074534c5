"""The canonical form of a value: JSON, digests and times."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

_PART: Final = 1_000
"""How many entries of a list are written at a time."""


def canonical_json(value: Any) -> str:
    """Return `value` in the one form that digests are made of: sorted keys, no white space, UTF-8 (the shape of RFC 8785)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def document_json(document: Mapping[str, Any]) -> str:
    """Return `document` as files hold it: sorted keys, one line for each member of its lists and objects, one newline at the end.

    So a person can read and compare it, and it is still written at the speed of the compact form.
    """
    return "{\n" + ",\n".join(f"{json.dumps(key)}: {_block(value)}" for key, value in sorted(document.items())) + "\n}\n"


def _block(value: Any) -> str:
    if isinstance(value, list) and value:
        return "[\n  " + ",\n  ".join(canonical_json(item) for item in value) + "\n]"
    if isinstance(value, dict) and value:
        return (
            "{\n  " + ",\n  ".join(f"{json.dumps(key)}: {canonical_json(item)}" for key, item in sorted(value.items())) + "\n}"
        )
    return canonical_json(value)


def sha256_of(text: str) -> str:
    """Return ``sha256:HEX`` of `text` in UTF-8."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def sha256_of_members(members: Mapping[str, Any]) -> str:
    """Return ``sha256:HEX`` of `canonical_json` of `members`, without the whole text of a long list in memory."""
    digest = hashlib.sha256()
    separator = "{"
    for key, value in sorted(members.items()):
        digest.update(f"{separator}{canonical_json(key)}:".encode())
        for part in _canonical_parts(value):
            digest.update(part.encode())
        separator = ","
    digest.update(b"}" if members else b"{}")
    return "sha256:" + digest.hexdigest()


def _canonical_parts(value: Any) -> Iterator[str]:
    if not isinstance(value, list) or len(value) <= _PART:
        yield canonical_json(value)
        return
    for start in range(0, len(value), _PART):
        yield f"{',' if start else '['}{canonical_json(value[start : start + _PART])[1:-1]}"
    yield "]"


def utc_now() -> datetime:
    """Return the present moment, with its time zone."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """Return an aware `moment` as RFC 3339 UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_rfc3339(text: str) -> datetime:
    """Return the aware moment in `text`. Raises ValueError when it is no RFC 3339 time with a zone."""
    # RFC 3339, 5.6: the letters may be small ones.
    moment = datetime.fromisoformat(text.upper())
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone: write it as `2026-11-23T10:00:00Z`")
    return moment
