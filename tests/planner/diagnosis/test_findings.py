"""Evidence to findings: one endpoint is one finding, whoever tells of it; and the advice is the planner's own."""

from __future__ import annotations

from datetime import timedelta

import pytest

from remediate.model.evidence import Alert, BadGateway, Evidence, Handshake, LoggedFailure, LogTime
from remediate.model.verdict import Cause
from remediate.planner.diagnosis import diagnose
from tests.pki import NOW, YEAR, issue
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


def test_the_same_from_two_peers_is_one_finding_with_both() -> None:
    first, second = make_failure(peer="a", lines=3), make_failure(peer="b", error="self-signed certificate", lines=2)

    assert [sum(line.lines for line in finding.logged_failures) for finding in findings(first, make_failure(peer="b"))] == [4]
    # Two spellings are two OpenSSLs, so two things that were said.
    assert len(findings(first, second)) == 2


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


def test_a_host_name_that_does_not_match() -> None:
    (finding,) = findings(LoggedFailure("name", None, HOST, IP, None, f"SNI ({HOST}) not in certificate", None, enforced=True))

    assert finding.advice[1].startswith("Reissue the certificate")
    assert "to a name that the certificate has" in finding.advice[2]
    assert f"with {HOST} among its SAN dNSNames" in finding.advice[1]


def test_the_workaround_is_tolerated_and_remarked() -> None:
    (finding,) = findings(make_failure(enforced=False))

    assert finding.status == "tolerated"
    assert "will be refused once it is on again" in finding.remarks[0]
    assert finding.commands[0] == "remediate workaround status -i INVENTORY"


def test_the_error_line_of_8_only_repeats_the_warning() -> None:
    echo = LoggedFailure("connection", "vcsc", HOST, None, None, "certificate verify failed", None, enforced=True)

    assert len(findings(make_failure(), echo)) == 1
    (alone,) = findings(echo)
    assert "does not give the reason" in alone.advice[0]


def test_a_failure_without_an_alert_is_about_the_ciphers() -> None:
    (finding,) = findings(LoggedFailure("connection", "vcsc", HOST, None, None, "wrong version number", None, enforced=True))

    assert "reverse proxy cipher list" in finding.advice[0]


def test_502_names_the_port_and_counts() -> None:
    gateways = (BadGateway("vcsc", HOST, 6972, 3), BadGateway("vcsc", HOST, 8443, 1), BadGateway("vcsc", "other.lab", 8443, 2))

    first, second = diagnose(Evidence((make_failure(),), gateways), None, NOW).findings

    assert (first.ports, first.possible_ports, [gateway.requests for gateway in first.bad_gateways]) == (
        (),
        (6972, 8443),
        [3, 1],
    )
    assert (second.address, second.ports, second.verdict) == ("other.lab", (8443,), None)
    assert "no line with the reason why other.lab:8443" in second.advice[0]


def test_the_capture_says_which_of_two_ports_it_was() -> None:
    gateways = (BadGateway("vcsc", HOST, 6972, 3), BadGateway("vcsc", HOST, 8443, 1))

    finding = diagnose(Evidence((make_failure(),), gateways, (ACCEPTED, REFUSED)), None, NOW).findings[0]

    assert (finding.ports, [gateway.port for gateway in finding.bad_gateways]) == ((6972,), [6972])


def test_with_the_list_a_capture_is_judged() -> None:
    refused, accepted = findings(handshakes=(make_handshake(RSA.certificate, port=8443), REFUSED), trusted=(CA.certificate,))

    assert [(finding.ports, finding.status) for finding in (refused, accepted)] == [((6972,), "refused"), ((8443,), "accepted")]
    assert refused.captured_endpoints[0].chains[0].verdict
    assert refused.captured_endpoints[0].chains[0].verdict.code == 18


def test_a_client_that_goes_on_where_the_list_refuses() -> None:
    (finding,) = findings(handshakes=(make_handshake(EC.certificate, client_accepted=True),), trusted=(CA.certificate,))

    assert finding.status == "tolerated"
    assert "verification is off there, or the client has another list" in finding.remarks[0]


def test_a_presented_ca_is_blamed_only_for_the_logged_error() -> None:
    # Given a good intermediate that is presented, and a peer whose own copy of it has ended; and one whose list lacks the root only
    middle = issue("Middle", CA, ca=True)
    leaf = issue(HOST, middle, names=(HOST,))
    both = make_handshake(leaf.certificate, middle.certificate)

    (ended,) = findings(make_failure("certificate has expired", 1), handshakes=(both,))
    (partial,) = findings(make_failure("unable to get issuer certificate", 1), handshakes=(make_handshake(leaf.certificate),))
    (alike,) = findings(make_failure("unable to get local issuer certificate", 1), handshakes=(both,))

    assert ended.advice[0] == f"A CA certificate at depth 1 of {HOST} has expired."
    assert partial.advice[0].startswith("The chain is complete up to depth 1")
    assert alike.advice[0].startswith("The CA certificate 'CN=steven-DC-CA,O=Lab', which issued 'CN=Middle,O=Lab'")


def test_an_alert_against_a_chain_the_list_accepts_is_remarked() -> None:
    (finding,) = findings(handshakes=(REFUSED,), trusted=(EC.certificate,))

    assert (finding.status, "It verifies with the given list" in finding.remarks[0]) == ("refused", True)
    assert finding.advice


def test_the_leaf_itself_has_ended() -> None:
    late = issue(HOST, CA, names=(HOST,), lasts=YEAR - timedelta(days=1))

    (finding,) = findings(make_failure("certificate has expired"), handshakes=(make_handshake(late.certificate),))

    assert f"'CN={HOST},O=Lab' ({late.certificate.fingerprint[:19]}…) expired on 2026-11-22." in finding.advice


def test_the_list_knows_what_shadows() -> None:
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


def test_without_a_hello_no_name_is_called_wrong() -> None:
    # Given what only the server said, and a line about the same host
    one_way = make_handshake(RSA.certificate, port=8443, server_name=None, offered_suites=())

    (judged,) = findings(handshakes=(one_way,), trusted=(CA.certificate,))
    (finding,) = findings(make_failure("unable to get local issuer certificate"), handshakes=(one_way,))

    assert (judged.status, judged.address, judged.verdict) == ("accepted", IP, None)
    assert any("No ClientHello was captured" in remark for remark in judged.remarks)
    assert (finding.address, finding.captured_endpoints[0].port) == (HOST, 8443)


def test_a_chain_refused_at_several_ports_is_one_finding() -> None:
    second = make_handshake(EC.certificate, port=6971, alerts=(Alert("client", 48),))

    (finding,) = findings(make_failure(), handshakes=(REFUSED, second))

    assert (finding.ports, finding.possible_ports, len(finding.captured_endpoints)) == ((6971, 6972), (), 2)


def test_a_client_that_prefers_rsa_gets_no_remark_about_ecdsa() -> None:
    (finding,) = findings(handshakes=(make_handshake(EC.certificate, offered_suites=RSA_FIRST, alerts=(Alert("client", 48),)),))

    assert finding.remarks == ()


def test_no_evidence_gives_no_findings() -> None:
    assert findings() == ()


def test_moments_are_kept() -> None:
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


def test_an_untrusted_root_matches_the_chain_that_presents_it() -> None:
    alone, with_root = make_handshake(EC.certificate, port=6972), make_handshake(RSA.certificate, CA.certificate, port=8443)

    finding = findings(make_failure("self signed certificate in certificate chain", 1), handshakes=(alone, with_root))[0]

    assert finding.captured_endpoints[0].port == 8443


def test_an_unexplained_502_blames_no_presented_certificate() -> None:
    gateways = (BadGateway("vcsc", HOST, 8443, 2),)

    (finding,) = diagnose(Evidence((), gateways, (ACCEPTED,)), None, NOW).findings

    assert (finding.verdict, finding.captured_endpoints[0].port) == (None, 8443)
    assert f"no line with the reason why {HOST}:8443" in finding.advice[0]
