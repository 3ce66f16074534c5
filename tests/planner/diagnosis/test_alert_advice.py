"""What an alert means: by its number, by who sent it to whom, and by the certificate that was shown where a capture has it."""

from __future__ import annotations

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from remediate.model.certificate import Certificate
from remediate.model.diagnosis import Finding
from remediate.model.evidence import Alert, Evidence, Handshake, LoggedFailure, alert_code, alert_name
from remediate.model.verdict import Cause
from remediate.planner.diagnosis import diagnose
from tests.pki import NOW, YEAR, issue
from tests.planner.diagnosis.builders import CA, HOST, RSA, make_handshake

OWN = issue("expc01.corp.example", CA, usage=(ExtendedKeyUsageOID.SERVER_AUTH,))
EXPIRED = issue("expc02.corp.example", CA, starts=-2 * YEAR, lasts=YEAR)
MEANINGS = {
    42: "its key may be too weak",
    43: "lacks Client Authentication (1.3.6.1.5.5.7.3.2)",
    44: "has revoked it",
    45: "Renew the certificate of Expressway-C on every peer",
    46: "the node's own log does",
    48: "as tomcat-trust and CallManager-trust",
    49: "does not accept the name in it",
    116: "Expressway-C presented none",
    40: "or it lacks a certificate that it requests",
    70: "offers no TLS version that it supports",
    71: "offers no cipher that is strong enough",
    80: "which is not about a certificate",
}


def find_in_log(alert: int) -> Finding:
    line = LoggedFailure("connection", "vcsc", HOST, None, 6972, f"alert {alert_name(alert)}", None, enforced=True, alert=alert)
    (finding,) = diagnose(Evidence((line,)), None, NOW).findings
    return finding


def find_in_capture(handshake: Handshake) -> Finding:
    (finding,) = diagnose(Evidence(handshakes=(handshake,)), None, NOW).findings
    return finding


@pytest.mark.parametrize("alert", MEANINGS)
def test_each_alert_of_a_node_has_its_own_meaning(alert: int) -> None:
    logged = find_in_log(alert)
    captured = find_in_capture(
        make_handshake(
            RSA.certificate, requests_client_certificate=True, client_accepted=True, alerts=(Alert("server", alert),)
        )
    )

    assert logged.verdict
    assert (logged.status, logged.verdict.cause, captured.status) == ("refused", Cause.HANDSHAKE_FAILED, "refused")
    assert logged.advice == captured.advice
    advice = " ".join(logged.advice)
    assert MEANINGS[alert] in advice
    assert f"{HOST} sent the alert '{alert_name(alert)}' ({alert}) to Expressway-C" in advice
    assert [other_alert for other_alert, words in MEANINGS.items() if other_alert != alert and words in advice] == []
    assert "No change on Expressway-C helps" not in advice


@pytest.mark.parametrize("alert", [42, 43, 44, 45, 46, 48, 49])
def test_the_advice_says_that_expressways_own_certificate_failed(alert: int) -> None:
    assert "refuses the certificate that Expressway-C itself presents" in find_in_log(alert).advice[0]
    assert "CSCvz45074" in find_in_log(alert).advice[0]


@pytest.mark.parametrize(
    ("chain", "alert", "words"),
    [
        ((OWN.certificate,), 43, "to 2027-11-23, for Server Authentication."),
        ((EXPIRED.certificate, CA.certificate), 45, "to 2025-11-23 (expired by then), for every purpose."),
    ],
)
def test_advice_names_the_certificate_that_expressway_presented(chain: tuple[Certificate, ...], alert: int, words: str) -> None:
    handshake = make_handshake(
        RSA.certificate, requests_client_certificate=True, alerts=(Alert("server", alert),), client_chain=chain
    )

    finding = find_in_capture(handshake)

    assert finding.captured_endpoints[0].client_chains == (chain,)
    assert f"Expressway-C presented '{chain[0].subject}' ({chain[0].fingerprint[:19]}…), valid from" in finding.advice[1]
    assert words in finding.advice[1]


def test_an_alert_in_a_log_is_explained_by_a_capture_of_it() -> None:
    line = LoggedFailure("connection", "vcsc", HOST, None, 6972, "alert certificate expired", None, enforced=True, alert=45)
    handshake = make_handshake(
        RSA.certificate, requests_client_certificate=True, alerts=(Alert("server", 45),), client_chain=(EXPIRED.certificate,)
    )

    advice = " ".join(
        sentence
        for finding in diagnose(Evidence((line,), handshakes=(handshake,)), None, NOW).findings
        for sentence in finding.advice
    )

    assert "Expressway-C presented 'CN=expc02.corp.example,O=Lab'" in advice


@pytest.mark.parametrize(
    ("alert", "words"),
    [
        (48, "Else have the CA of the certificate of"),
        (45, "Renew the certificate of"),
        (42, "checks the certificate of"),
        (47, "not about"),
    ],
)
def test_an_alert_of_expressway_is_about_the_node(alert: int, words: str) -> None:
    # Given a capture that lacks what the node presented
    finding = find_in_capture(make_handshake(alerts=(Alert("client", alert),)))

    assert "Expressway-C sent the alert" in finding.advice[0]
    assert words in " ".join(finding.advice)


def test_names_of_alerts_lead_back_to_their_numbers() -> None:
    assert [alert_code(alert_name(number)) for number in MEANINGS] == list(MEANINGS)
    assert (alert_code("nothing known"), alert_name(199)) == (None, "number 199")


def test_purposes_are_read_as_openssl_reads_them() -> None:
    both = issue("x", usage=(ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH))

    assert both.certificate.extended_key_usages == ("1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1")
    assert (CA.certificate.extended_key_usages, Certificate(b"0\x00").extended_key_usages) == (None, None)


@pytest.mark.parametrize(
    ("port", "words", "absent"),
    [
        (6972, "tomcat-trust and CallManager-trust", "cup-xmpp"),
        (5061, "to the node, as CallManager-trust.", "CSCvz45074"),
        (7400, "to the node, as cup-xmpp-trust.", "CallManager"),
        (8443, "a node does not request one by default", "CSCvz45074"),
    ],
)
def test_an_unknown_ca_names_the_store_behind_the_port(port: int, words: str, absent: str) -> None:
    advice = " ".join(find_in_capture(make_handshake(port=port, alerts=(Alert("server", 48),))).advice)

    assert words in advice
    assert absent not in advice
    # What changes nothing comes first, and the change has its price.
    assert advice.index("Look for it in") < advice.index("Else upload") < advice.index("Then restart")


@pytest.mark.parametrize(
    ("alert", "words"),
    [
        (Alert("server", 51), "another CA certificate with the name of the CA of Expressway-C"),
        (Alert("server", 112), "it serves no host with the name that Expressway-C requested (SNI)"),
        (Alert("client", 51), "another CA certificate with the name of the node's CA"),
        (Alert("client", 70), "the node chose a TLS version that is below the peer's minimum"),
        (Alert("client", 40), "it accepts nothing that the node chose"),
        (Alert("client", 46), "the certificate is most likely not for cucm.steven.lab"),
        (Alert("client", 80), "the certificate is most likely not for cucm.steven.lab"),
        (Alert("client", 49), "it refuses the certificate that the node presents"),
    ],
)
def test_an_alert_has_its_meaning_in_each_direction(alert: Alert, words: str) -> None:
    finding = find_in_capture(make_handshake(alerts=(alert,)))

    assert words in " ".join(finding.advice)


def test_with_tls_1_3_captures_only_the_advice_names_the_loggers() -> None:
    finding = find_in_capture(make_handshake(version=0x0304))

    assert finding.status == "unknown"
    assert "set developer.trafficserver.http, developer.trafficserver.http_trans" in finding.advice[0]
    assert "back to INFO" in finding.advice[0]
