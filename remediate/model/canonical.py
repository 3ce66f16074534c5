"""The canonical form of a value: JSON, digests and times."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


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


def rfc3339(moment: datetime) -> str:
    """Return an aware `moment` as RFC 3339 UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_rfc3339(text: str) -> datetime:
    """Return the aware moment in `text`. Raises ValueError when it is no RFC 3339 time with a zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone: write it as 2026-11-23T10:00:00Z")
    return moment
