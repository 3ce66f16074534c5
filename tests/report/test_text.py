"""Fingerprints as a screen shows them."""

from __future__ import annotations

from remediate.model.identity import Fingerprint
from remediate.report.text import short_fingerprint


def test_a_short_fingerprint_keeps_both_ends() -> None:
    assert short_fingerprint(Fingerprint("sha256:" + "ab" * 31 + "cd")) == "sha256:abababab…ababcd"
