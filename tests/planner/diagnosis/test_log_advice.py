"""Advice on an error in a log: what its depth means, and what to check."""

from __future__ import annotations

import pytest

from remediate.model.evidence import LoggedFailure
from remediate.model.verdict import Cause
from tests.planner.diagnosis.builders import (
    HOST,
    findings,
    make_failure,
)


@pytest.mark.parametrize(
    ("error", "depth", "cause", "words"),
    [
        ("self signed certificate", 0, Cause.SELF_SIGNED_UNTRUSTED, "Else trust that certificate on every peer"),
        ("self signed certificate in certificate chain", 2, Cause.ISSUER_UNTRUSTED, "root, at depth 2"),
        ("unable to get local issuer certificate", 0, Cause.ISSUER_UNKNOWN, "certificate of cucm.steven.lab (depth 0)"),
        ("unable to get local issuer certificate", 1, Cause.ISSUER_UNKNOWN, "complete up to depth 1"),
        ("unable to get issuer certificate", 1, Cause.ISSUER_UNKNOWN, "with --ca"),
        ("certificate has expired", 0, Cause.EXPIRED, "renew it"),
        ("certificate has expired", 1, Cause.EXPIRED, "old copy of it in the peer's list takes precedence"),
        ("certificate is not yet valid", 0, Cause.NOT_YET_VALID, "NTP"),
        ("unsupported certificate purpose", 0, Cause.CHAIN_INVALID, "Server Authentication"),
        ("a new error", 3, Cause.CHAIN_INVALID, "CA certificate at depth 3"),
    ],
)
def test_every_error_has_its_cause_and_what_its_depth_means(error: str, depth: int, cause: Cause, words: str) -> None:
    (finding,) = findings(make_failure(error, depth))

    assert finding.verdict
    assert (finding.verdict.cause, finding.verdict.error) == (cause, error)
    assert words in " ".join(finding.advice)
    assert finding.commands == ("remediate plan -i INVENTORY -o plan.json",)


def test_a_failure_without_an_alert_is_about_the_ciphers() -> None:
    (finding,) = findings(LoggedFailure("connection", "vcsc", HOST, None, None, "wrong version number", None, enforced=True))

    assert "reverse proxy cipher list" in finding.advice[0]
