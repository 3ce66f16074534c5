"""Names in a refusal: what was looked for in the certificate, against the host that the request was for."""

from __future__ import annotations

from remediate.model.evidence import BadGateway, Evidence, LoggedFailure
from remediate.planner.diagnosis import diagnose
from tests.pki import NOW, issue
from tests.planner.diagnosis.builders import HOST, IP, findings, make_handshake


def make_mismatch(sni: str, server: str) -> LoggedFailure:
    differ = sni != server
    return LoggedFailure(
        "name", "vcsc", sni, IP, None, f"SNI ({sni}) not in certificate", None, enforced=True,
        sni=sni if differ else None, server=server if differ else None,
    )  # fmt: skip


def test_a_mismatch_is_about_the_name_that_was_looked_for() -> None:
    line = make_mismatch("proxy.steven.lab", HOST)

    (finding,) = diagnose(Evidence((line,), (BadGateway("vcsc", HOST, 8443),)), None, NOW).findings

    assert finding.address == "proxy.steven.lab"
    assert f"The request was for {HOST}, but the name that is sent (SNI) and looked for" in finding.remarks[0]
    assert "Clients use proxy.steven.lab" in finding.advice[0]
    assert [gateway.port for gateway in finding.bad_gateways] == [8443]


def test_a_request_without_sni_is_compared_by_its_address() -> None:
    (finding,) = findings(make_mismatch(IP, HOST))

    assert f"The request was for {HOST}, but no name was sent (SNI)" in finding.remarks[0]
    assert f"Clients use the IP address {IP}" in finding.advice[0]


def test_a_trailing_dot_is_not_to_be_reissued_first() -> None:
    (finding,) = findings(make_mismatch(f"{HOST}.", f"{HOST}."))

    assert "The trailing dot is compared too" in finding.advice[0]
    assert f"to {HOST}, if the certificate has that name" in finding.advice[1]
    assert f"with {HOST} among" in finding.advice[-1]


def test_no_artificial_or_wildcard_name_is_taken_for_a_node() -> None:
    # Given a capture without a hello, so that what was asked for is not known
    many = issue("cucm-ms.steven.lab", names=("*.steven.lab", "cucm1.steven.lab"))

    (finding,) = findings(handshakes=(make_handshake(many.certificate, server_name=None, offered_suites=()),), trusted=())

    assert not any("to cucm-ms" in sentence or "to *" in sentence for sentence in finding.advice)
