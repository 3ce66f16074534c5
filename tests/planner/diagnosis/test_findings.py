"""Evidence to findings: one endpoint is one finding, whoever tells of it; and the advice is the planner's own."""

from __future__ import annotations

from datetime import timedelta

import pytest

from remediate.model.evidence import Alert, BadGateway, Evidence, Handshake, Logged, Moment
from remediate.model.verdict import Cause
from remediate.planner.diagnosis import diagnose
from tests.pki import NOW, YEAR, issue
from tests.planner.diagnosis.builders import ACCEPTED, CA, EC, HOST, IP, REFUSED, RSA, RSA_FIRST, findings, logged, shaken


def test_a_log_and_a_capture_of_one_endpoint_are_one_finding() -> None:
    # Given a line that names no port, and a capture in which only port 6972 presents a self-signed certificate
    found = findings(logged(), seen=(ACCEPTED, REFUSED))

    refused, accepted = found
    assert (refused.address, refused.ports, refused.standing) == (HOST, (6972,), "refused")
    assert refused.verdict
    assert (refused.verdict.cause, refused.verdict.code, refused.verdict.depth) == (Cause.SELF_SIGNED_UNTRUSTED, 18, 0)
    assert refused.seen[0].chains[0].certificates == (EC.certificate,)
    assert f"Add 'CN=cucm-EC.steven.lab,O=Lab' ({EC.certificate.fingerprint[:19]}…)" in refused.advice[0]
    assert any("asks for ECDSA first" in remark for remark in refused.remarks)
    assert (accepted.ports, accepted.standing, accepted.verdict) == ((8443,), "accepted", None)


def test_the_same_from_two_peers_is_one_finding_with_both() -> None:
    one, two = logged(peer="a", lines=3), logged(peer="b", error="self-signed certificate", lines=2)

    assert [sum(line.lines for line in finding.logged) for finding in findings(one, logged(peer="b"))] == [4]
    # Two spellings are two OpenSSLs, so two things that were said.
    assert len(findings(one, two)) == 2


@pytest.mark.parametrize(
    ("error", "depth", "cause", "words"),
    [
        ("self signed certificate", 0, Cause.SELF_SIGNED_UNTRUSTED, "Trust that certificate on every peer"),
        ("self signed certificate in certificate chain", 2, Cause.ISSUER_UNTRUSTED, "root, at depth 2"),
        ("unable to get local issuer certificate", 0, Cause.ISSUER_UNKNOWN, "own certificate of cucm.steven.lab (depth 0)"),
        ("unable to get local issuer certificate", 1, Cause.ISSUER_UNKNOWN, "a chain up to depth 1"),
        ("unable to get issuer certificate", 1, Cause.ISSUER_UNKNOWN, "with --ca"),
        ("certificate has expired", 0, Cause.EXPIRED, "renew it"),
        ("certificate has expired", 1, Cause.EXPIRED, "old copy of it in the peer's list wins"),
        ("certificate is not yet valid", 0, Cause.NOT_YET_VALID, "NTP"),
        ("unsupported certificate purpose", 0, Cause.CHAIN_INVALID, "Server Authentication"),
        ("a new error", 3, Cause.CHAIN_INVALID, "CA certificate at depth 3"),
    ],
)
def test_every_error_has_its_cause_and_what_its_depth_means(error: str, depth: int, cause: Cause, words: str) -> None:
    (found,) = findings(logged(error, depth))

    assert found.verdict
    assert (found.verdict.cause, found.verdict.error) == (cause, error)
    assert words in " ".join(found.advice)
    assert found.commands == ("remediate plan -i INVENTORY -o plan.json",)


def test_a_name_that_does_not_match_is_advised_by_what_the_capture_shows() -> None:
    name = Logged("name", "vcsc", IP, IP, None, f"SNI ({IP}) not in certificate", None, enforced=True)

    (alone,) = findings(name)
    with_capture = findings(name, seen=(ACCEPTED,))[0]

    assert alone.verdict
    assert alone.verdict.cause is Cause.NAME_MISMATCH
    assert "ignores IP SANs" in alone.advice[0]
    assert alone.advice[1].startswith("Set System > Server on Unified CM (of Unity Connection: ")
    assert alone.advice[1].endswith(" to the node's FQDN, then refresh the discovered servers.")
    assert "the certificate is for cucm.steven.lab" in with_capture.advice[0]
    assert with_capture.seen == ()
    assert any("under another name" in remark for remark in with_capture.remarks)


def test_a_host_name_that_does_not_match() -> None:
    (found,) = findings(Logged("name", None, HOST, IP, None, f"SNI ({HOST}) not in certificate", None, enforced=True))

    assert "to a name that the certificate has" in found.advice[1]
    assert f"with {HOST} among its SAN dNSNames" in found.advice[2]


def test_the_workaround_lets_pass_and_is_said() -> None:
    (found,) = findings(logged(enforced=False))

    assert found.standing == "tolerated"
    assert "will be refused once it is enforced again" in found.remarks[0]
    assert found.commands[0] == "remediate workaround status -i INVENTORY"


def test_the_error_line_of_8_only_repeats_the_warning() -> None:
    echo = Logged("connection", "vcsc", HOST, None, None, "certificate verify failed", None, enforced=True)

    assert len(findings(logged(), echo)) == 1
    (alone,) = findings(echo)
    assert "does not say what is wrong" in alone.advice[0]


def test_a_handshake_without_an_alert_is_about_ciphers_and_versions() -> None:
    (told,) = findings(Logged("connection", "vcsc", HOST, None, None, "wrong version number", None, enforced=True))

    assert "reverse proxy cipher list" in told.advice[0]


def test_502_names_the_port_and_counts() -> None:
    answered = (BadGateway("vcsc", HOST, 6972, 3), BadGateway("vcsc", HOST, 8443, 1), BadGateway("vcsc", "other.lab", 8443, 2))

    one, other = diagnose(Evidence((logged(),), answered), None, NOW).findings

    assert (one.ports, one.possible_ports, [gateway.requests for gateway in one.bad_gateways]) == ((), (6972, 8443), [3, 1])
    assert (other.address, other.ports, other.verdict) == ("other.lab", (8443,), None)
    assert "no line that says why other.lab:8443" in other.advice[0]


def test_the_capture_says_which_of_two_ports_it_was() -> None:
    answered = (BadGateway("vcsc", HOST, 6972, 3), BadGateway("vcsc", HOST, 8443, 1))

    found = diagnose(Evidence((logged(),), answered, (ACCEPTED, REFUSED)), None, NOW).findings[0]

    assert (found.ports, [gateway.port for gateway in found.bad_gateways]) == ((6972,), [6972])


def test_with_the_list_a_capture_is_judged() -> None:
    found = findings(seen=(shaken(RSA.certificate, port=8443), REFUSED), trusted=(CA.certificate,))

    assert [(one.ports, one.standing) for one in found] == [((6972,), "refused"), ((8443,), "accepted")]
    assert found[0].seen[0].chains[0].verdict
    assert found[0].seen[0].chains[0].verdict.code == 18


def test_a_client_that_goes_on_where_the_list_refuses() -> None:
    (found,) = findings(seen=(shaken(EC.certificate, went_on=True),), trusted=(CA.certificate,))

    assert found.standing == "tolerated"
    assert "verification is off there, or its list is another" in found.remarks[0]


def test_above_the_leaf_nothing_is_said_of_what_was_presented_unless_it_leads_to_the_very_error() -> None:
    # Given a good intermediate that is presented, and a peer whose own copy of it has ended; and one whose list lacks the root only
    middle = issue("Middle", CA, ca=True)
    leaf = issue(HOST, middle, names=(HOST,))
    both = shaken(leaf.certificate, middle.certificate)

    (ended,) = findings(logged("certificate has expired", 1), seen=(both,))
    (partial,) = findings(logged("unable to get issuer certificate", 1), seen=(shaken(leaf.certificate),))
    (alike,) = findings(logged("unable to get local issuer certificate", 1), seen=(both,))

    assert ended.advice[0] == f"A CA certificate at depth 1 of {HOST} has expired."
    assert partial.advice[0].startswith("There is a chain up to depth 1")
    assert alike.advice[0].startswith("The CA certificate 'CN=steven-DC-CA,O=Lab', which issued 'CN=Middle,O=Lab'")


def test_an_alert_against_what_the_list_accepts_is_said() -> None:
    (found,) = findings(seen=(REFUSED,), trusted=(EC.certificate,))

    assert (found.standing, "By the list that was given it verifies" in found.remarks[0]) == ("refused", True)
    assert found.advice


def test_the_leaf_itself_has_ended() -> None:
    late = issue(HOST, CA, names=(HOST,), lasts=YEAR - timedelta(days=1))

    (found,) = findings(logged("certificate has expired"), seen=(shaken(late.certificate),))

    assert f"'CN={HOST},O=Lab' ({late.certificate.fingerprint[:19]}…) expired on 2026-11-22." in found.advice


def test_the_list_knows_what_shadows() -> None:
    # Given an expired copy of the intermediate in the list, which the log only calls expired at depth 1
    middle = issue("Middle", CA, ca=True)
    stale = issue("Middle", CA, ca=True, starts=-3 * YEAR, lasts=YEAR)
    leaf = issue(HOST, middle, names=(HOST,))
    seen = shaken(leaf.certificate, middle.certificate, alerts=(Alert("client", 45),))

    (found,) = findings(logged("certificate has expired", 1), seen=(seen,), trusted=(CA.certificate, stale.certificate))

    assert found.verdict
    assert found.verdict.cause is Cause.SHADOWED
    assert found.advice[0].startswith("Remove 'CN=Middle,O=Lab'")


def test_a_list_that_accepts_what_the_log_says_is_refused() -> None:
    found = findings(logged(), seen=(REFUSED,), trusted=(EC.certificate,))[0]

    assert (found.standing, "By the list that was given it verifies" in found.remarks[0]) == ("refused", True)
    assert found.advice


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

    (found,) = findings(seen=(shaken(*certificates, alerts=(Alert("client", code),)),))

    assert found.verdict
    assert (found.standing, found.verdict.cause) == ("refused", cause)
    assert found.advice


def test_without_a_list_it_is_said_what_a_chain_lacks_and_when_it_ends() -> None:
    late = issue("late.lab", CA, lasts=YEAR - timedelta(days=1))

    (found,) = findings(seen=(shaken(late.certificate),))

    remarks = " ".join(found.seen[0].chains[0].remarks)
    assert found.standing == "unknown"
    assert "It lacks the CA certificate 'CN=steven-DC-CA,O=Lab'" in remarks
    assert f"Its names do not hold {HOST}: late.lab" in remarks
    assert "had expired then, on 2026-11-22" in remarks


@pytest.mark.parametrize(
    ("handshake", "words"),
    [
        (shaken(went_on=True), "sessions were resumed"),
        (shaken(version=0x0304), "encrypted under TLS 1.3"),
        (shaken(incomplete=True), "lacks bytes"),
        (shaken(unreadable=True), "cannot be read as certificates"),
        (shaken(version=None, suite=None), "no answer in the capture"),
    ],
)
def test_what_a_capture_cannot_show_is_said_and_is_not_accepted(handshake: Handshake, words: str) -> None:
    (found,) = findings(seen=(handshake,))

    assert found.standing == "unknown"
    assert words in " ".join(found.remarks)


def test_without_a_hello_no_name_is_said_to_be_wrong() -> None:
    # Given what only the server said, and a line about the same host
    one_way = shaken(RSA.certificate, port=8443, server_name=None, offered=())

    (judged,) = findings(seen=(one_way,), trusted=(CA.certificate,))
    (told,) = findings(logged("unable to get local issuer certificate"), seen=(one_way,))

    assert (judged.standing, judged.address, judged.verdict) == ("accepted", IP, None)
    assert any("No hello was captured" in remark for remark in judged.remarks)
    assert (told.address, told.seen[0].port) == (HOST, 8443)


def test_a_chain_that_is_refused_at_several_ports_is_one_finding_for_all() -> None:
    other = shaken(EC.certificate, port=6971, alerts=(Alert("client", 48),))

    (found,) = findings(logged(), seen=(REFUSED, other))

    assert (found.ports, found.possible_ports, len(found.seen)) == ((6971, 6972), (), 2)


def test_a_hello_that_asks_for_rsa_first_brings_no_remark_about_ecdsa() -> None:
    (found,) = findings(seen=(shaken(EC.certificate, offered=RSA_FIRST, alerts=(Alert("client", 48),)),))

    assert found.remarks == ()


def test_nothing_is_nothing() -> None:
    assert findings() == ()


def test_moments_are_kept() -> None:
    first = Moment("2022-07-26T17:20:45+02:00")

    assert findings(logged(first=first))[0].logged[0].first is first


def test_a_certificate_of_tomorrow_is_told_apart_from_a_clock_that_is_wrong() -> None:
    early = issue(HOST, CA, names=(HOST,), starts=timedelta(days=1))
    line = logged("certificate is not yet valid")

    (found,) = findings(line, seen=(shaken(early.certificate),))
    (other,) = findings(line, seen=(shaken(RSA.certificate),))

    assert "was not valid yet." in " ".join(found.seen[0].chains[0].remarks)
    assert early.certificate.fingerprint[:19] in " ".join(found.advice)
    assert early.certificate.fingerprint[:19] not in " ".join(other.advice)


def test_a_root_in_the_chain_is_looked_for_where_the_log_says_that_it_is_untrusted() -> None:
    alone, with_root = shaken(EC.certificate, port=6972), shaken(RSA.certificate, CA.certificate, port=8443)

    found = findings(logged("self signed certificate in certificate chain", 1), seen=(alone, with_root))[0]

    assert found.seen[0].port == 8443


def test_a_502_without_a_line_is_not_laid_at_the_door_of_what_was_presented() -> None:
    answered = (BadGateway("vcsc", HOST, 8443, 2),)

    (found,) = diagnose(Evidence((), answered, (ACCEPTED,)), None, NOW).findings

    assert (found.verdict, found.seen[0].port) == (None, 8443)
    assert f"no line that says why {HOST}:8443" in found.advice[0]
