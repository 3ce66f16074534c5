"""Logs with captures: the endpoint and the chain that a logged refusal is about."""

from __future__ import annotations

from remediate.model.evidence import BadGateway, Evidence
from remediate.planner.diagnosis import diagnose
from tests.pki import NOW, issue
from tests.planner.diagnosis.builders import (
    ACCEPTED,
    CA,
    EC,
    HOST,
    IP,
    REFUSED,
    RSA,
    findings,
    make_failure,
    make_handshake,
)


def test_a_capture_settles_which_of_two_ports_was_refused() -> None:
    gateways = (BadGateway("vcsc", HOST, 6972, 3), BadGateway("vcsc", HOST, 8443, 1))

    finding = diagnose(Evidence((make_failure(),), gateways, (ACCEPTED, REFUSED)), None, NOW).findings[0]

    assert (finding.ports, [gateway.port for gateway in finding.bad_gateways]) == ((6972,), [6972])


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


def test_without_a_hello_no_name_mismatch_is_reported() -> None:
    # Given what only the server said, and a line about the same host
    one_way = make_handshake(RSA.certificate, port=8443, server_name=None, offered_suites=())

    (judged,) = findings(handshakes=(one_way,), trusted=(CA.certificate,))
    (finding,) = findings(make_failure("unable to get local issuer certificate"), handshakes=(one_way,))

    assert (judged.status, judged.address, judged.verdict) == ("accepted", IP, None)
    assert any("No ClientHello was captured" in remark for remark in judged.remarks)
    assert (finding.address, finding.captured_endpoints[0].port) == (HOST, 8443)


def test_an_untrusted_root_matches_the_chain_that_presents_it() -> None:
    alone, with_root = make_handshake(EC.certificate, port=6972), make_handshake(RSA.certificate, CA.certificate, port=8443)

    finding = findings(make_failure("self signed certificate in certificate chain", 1), handshakes=(alone, with_root))[0]

    assert finding.captured_endpoints[0].port == 8443


def test_an_unexplained_502_blames_no_presented_certificate() -> None:
    gateways = (BadGateway("vcsc", HOST, 8443, 2),)

    (finding,) = diagnose(Evidence((), gateways, (ACCEPTED,)), None, NOW).findings

    assert (finding.verdict, finding.captured_endpoints[0].port) == (None, 8443)
    assert f"no line that says why {HOST}:8443" in finding.advice[0]
