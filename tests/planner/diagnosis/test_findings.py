"""Evidence to findings: one endpoint is one finding, whoever tells of it; and the advice is the planner's own."""

from __future__ import annotations

from datetime import timedelta

import pytest

from remediate.model.evidence import Alert, Handshake, LoggedFailure, LogTime
from remediate.model.verdict import Cause
from tests.pki import YEAR, issue
from tests.planner.diagnosis.builders import (
    ACCEPTED,
    CA,
    EC,
    HOST,
    IP,
    REFUSED,
    RSA,
    RSA_FIRST,
    findings,
    make_failure,
    make_handshake,
)


def test_a_log_and_a_capture_of_one_endpoint_are_one_finding() -> None:
    # Given a line that names no port, and a capture in which only port 6972 presents a self-signed certificate
    refused, accepted = findings(make_failure(), handshakes=(ACCEPTED, REFUSED))

    assert (refused.address, refused.ports, refused.status) == (HOST, (6972,), "refused")
    assert refused.verdict
    assert (refused.verdict.cause, refused.verdict.code, refused.verdict.depth) == (Cause.SELF_SIGNED_UNTRUSTED, 18, 0)
    assert refused.captured_endpoints[0].chains[0].certificates == (EC.certificate,)
    assert f"Add 'CN=cucm-EC.steven.lab,O=Lab' ({EC.certificate.fingerprint[:19]}…)" in refused.advice[1]
    assert any("prefers ECDSA" in remark for remark in refused.remarks)
    assert (accepted.ports, accepted.status, accepted.verdict) == ((8443,), "accepted", None)


def test_a_capture_improves_the_advice_on_a_name_mismatch() -> None:
    name = LoggedFailure("name", "vcsc", IP, IP, None, f"SNI ({IP}) not in certificate", None, enforced=True)

    (alone,) = findings(name)
    with_capture = findings(name, handshakes=(ACCEPTED,))[0]

    assert alone.verdict
    assert alone.verdict.cause is Cause.NAME_MISMATCH
    assert "ignores IP SANs" in alone.advice[0]
    assert alone.advice[1].startswith("If it is Unified CM: As a change of its own, not in this window: set System > Server")
    assert "to the node's FQDN, then refresh the discovered servers." in alone.advice[1]
    assert alone.advice[2].startswith("If it is Unity Connection: Set the host name of the Voicemail and Mailstore services")
    assert "the certificate is for cucm.steven.lab" in with_capture.advice[0]
    assert with_capture.captured_endpoints == ()
    assert any("under another name" in remark for remark in with_capture.remarks)


def test_a_name_mismatch_advises_a_reissue_or_another_name() -> None:
    (finding,) = findings(LoggedFailure("name", None, HOST, IP, None, f"SNI ({HOST}) not in certificate", None, enforced=True))

    assert finding.advice[1].startswith("Reissue the certificate")
    assert "to a name that the certificate has" in finding.advice[2]
    assert f"with {HOST} among its SAN dNSNames" in finding.advice[1]


def test_with_the_list_a_capture_is_judged() -> None:
    refused, accepted = findings(handshakes=(make_handshake(RSA.certificate, port=8443), REFUSED), trusted=(CA.certificate,))

    assert [(finding.ports, finding.status) for finding in (refused, accepted)] == [((6972,), "refused"), ((8443,), "accepted")]
    assert refused.captured_endpoints[0].chains[0].verdict
    assert refused.captured_endpoints[0].chains[0].verdict.code == 18


def test_a_client_that_continues_despite_the_list_is_tolerated() -> None:
    (finding,) = findings(handshakes=(make_handshake(EC.certificate, client_accepted=True),), trusted=(CA.certificate,))

    assert finding.status == "tolerated"
    assert "verification is off there, or the client has another list" in finding.remarks[0]


def test_an_alert_against_a_chain_the_list_accepts_is_remarked() -> None:
    (finding,) = findings(handshakes=(REFUSED,), trusted=(EC.certificate,))

    assert (finding.status, "It verifies with the given list" in finding.remarks[0]) == ("refused", True)
    assert finding.advice


def test_an_expired_leaf_in_a_capture_is_dated_in_the_advice() -> None:
    late = issue(HOST, CA, names=(HOST,), lasts=YEAR - timedelta(days=1))

    (finding,) = findings(make_failure("certificate has expired"), handshakes=(make_handshake(late.certificate),))

    assert f"'CN={HOST},O=Lab' ({late.certificate.fingerprint[:19]}…) expired on 2026-11-22." in finding.advice


def test_a_stale_copy_in_the_list_makes_the_cause_shadowed() -> None:
    # Given an expired copy of the intermediate in the list, which the log only calls expired at depth 1
    middle = issue("Middle", CA, ca=True)
    stale = issue("Middle", CA, ca=True, starts=-3 * YEAR, lasts=YEAR)
    leaf = issue(HOST, middle, names=(HOST,))
    handshake = make_handshake(leaf.certificate, middle.certificate, alerts=(Alert("client", 45),))

    (finding,) = findings(
        make_failure("certificate has expired", 1), handshakes=(handshake,), trusted=(CA.certificate, stale.certificate)
    )

    assert finding.verdict
    assert finding.verdict.cause is Cause.SHADOWED
    assert finding.advice[0].startswith("Remove 'CN=Middle,O=Lab'")


def test_a_list_that_accepts_a_logged_refusal_is_remarked() -> None:
    finding = findings(make_failure(), handshakes=(REFUSED,), trusted=(EC.certificate,))[0]

    assert (finding.status, "It verifies with the given list" in finding.remarks[0]) == ("refused", True)
    assert finding.advice


@pytest.mark.parametrize(
    ("chain", "code", "cause"),
    [
        ((EC,), 48, Cause.SELF_SIGNED_UNTRUSTED),
        ((RSA,), 48, Cause.ISSUER_UNKNOWN),
        ((RSA, CA), 48, Cause.ISSUER_UNTRUSTED),
        ((RSA, CA), 45, Cause.EXPIRED),
        ((RSA, CA), 42, Cause.CHAIN_INVALID),
        ((issue("other.lab", CA),), 46, Cause.NAME_MISMATCH),
        ((issue("other.lab", CA),), 80, Cause.NAME_MISMATCH),
    ],
)
def test_an_alert_says_why_as_far_as_it_can(chain: tuple[object, ...], code: int, cause: Cause) -> None:
    certificates = [certificate.certificate for certificate in chain]  # type: ignore[attr-defined]  # entities, named for the test's title

    (finding,) = findings(handshakes=(make_handshake(*certificates, alerts=(Alert("client", code),)),))

    assert finding.verdict
    assert (finding.status, finding.verdict.cause) == ("refused", cause)
    assert finding.advice


def test_without_a_list_remarks_name_missing_issuer_and_expiry() -> None:
    late = issue("late.lab", CA, lasts=YEAR - timedelta(days=1))

    (finding,) = findings(handshakes=(make_handshake(late.certificate),))

    remarks = " ".join(finding.captured_endpoints[0].chains[0].remarks)
    assert finding.status == "unknown"
    assert "It lacks the CA certificate 'CN=steven-DC-CA,O=Lab'" in remarks
    assert f"{HOST} is not among its names: late.lab" in remarks
    assert "had expired by then, on 2026-11-22" in remarks


@pytest.mark.parametrize(
    ("handshake", "words"),
    [
        (make_handshake(client_accepted=True), "sessions were resumed"),
        (make_handshake(version=0x0304), "TLS 1.3 encrypts certificates"),
        (make_handshake(incomplete=True), "lacks bytes"),
        (make_handshake(malformed=True), "certificates that cannot be parsed"),
        (make_handshake(version=None, suite=None), "no answer in the capture"),
    ],
)
def test_a_limit_of_the_capture_is_remarked_and_not_accepted(handshake: Handshake, words: str) -> None:
    (finding,) = findings(handshakes=(handshake,))

    assert finding.status == "unknown"
    assert words in " ".join(finding.remarks)


def test_a_chain_refused_at_several_ports_is_one_finding() -> None:
    second = make_handshake(EC.certificate, port=6971, alerts=(Alert("client", 48),))

    (finding,) = findings(make_failure(), handshakes=(REFUSED, second))

    assert (finding.ports, finding.possible_ports, len(finding.captured_endpoints)) == ((6971, 6972), (), 2)


def test_a_client_that_prefers_rsa_gets_no_remark_about_ecdsa() -> None:
    (finding,) = findings(handshakes=(make_handshake(EC.certificate, offered_suites=RSA_FIRST, alerts=(Alert("client", 48),)),))

    assert finding.remarks == ()


def test_no_evidence_gives_no_findings() -> None:
    assert findings() == ()


def test_a_finding_keeps_the_times_of_its_log_lines() -> None:
    first = LogTime("2022-07-26T17:20:45+02:00")

    assert findings(make_failure(first_seen=first))[0].logged_failures[0].first_seen is first


def test_a_future_certificate_differs_from_a_wrong_clock() -> None:
    early = issue(HOST, CA, names=(HOST,), starts=timedelta(days=1))
    line = make_failure("certificate is not yet valid")

    (finding,) = findings(line, handshakes=(make_handshake(early.certificate),))
    (wrong_clock,) = findings(line, handshakes=(make_handshake(RSA.certificate),))

    assert "was not valid yet." in " ".join(finding.captured_endpoints[0].chains[0].remarks)
    assert early.certificate.fingerprint[:19] in " ".join(finding.advice)
    assert early.certificate.fingerprint[:19] not in " ".join(wrong_clock.advice)
