"""The canonical text of a document, its digest, and moments in RFC 3339."""

from __future__ import annotations

import json

import pytest

from remediate.model.canonical import canonical_json, parse_rfc3339, rfc3339, sha256_of, sha256_of_members
from tests.pki import NOW
from tests.report.large_plan import large_plan


def test_times() -> None:
    assert parse_rfc3339(rfc3339(NOW)) == parse_rfc3339(rfc3339(NOW).lower()) == NOW
    with pytest.raises(ValueError, match="no time zone"):
        parse_rfc3339("2026-11-23T10:00:00")


def test_the_digest_of_members_is_that_of_the_whole_text() -> None:
    members = json.loads(large_plan(300).to_json()) | {"empty": [], "é": "ü"}

    assert sha256_of_members(members) == sha256_of(canonical_json(members))
    assert sha256_of_members({}) == sha256_of("{}")
