"""The refusals in logs: lines with one meaning at one endpoint are one, whichever peers wrote them."""

from __future__ import annotations

from remediate.model.evidence import BadGateway, Evidence, LoggedFailure
from remediate.planner.diagnosis import diagnose
from tests.pki import NOW
from tests.planner.diagnosis.builders import (
    HOST,
    findings,
    make_failure,
)


def test_the_same_from_two_peers_is_one_finding_with_both() -> None:
    first, second = make_failure(peer="a", lines=3), make_failure(peer="b", error="self-signed certificate", lines=2)

    assert [sum(line.lines for line in finding.logged_failures) for finding in findings(first, make_failure(peer="b"))] == [4]
    # Two spellings are two OpenSSLs, so two things that were said.
    assert len(findings(first, second)) == 2


def test_the_workaround_is_tolerated_and_remarked() -> None:
    (finding,) = findings(make_failure(enforced=False))

    assert finding.status == "tolerated"
    assert "will be refused once it is on again" in finding.remarks[0]
    assert finding.commands[0] == "remediate workaround status -i INVENTORY"


def test_the_error_line_of_8_only_repeats_the_warning() -> None:
    echo = LoggedFailure("connection", "vcsc", HOST, None, None, "certificate verify failed", None, enforced=True)

    assert len(findings(make_failure(), echo)) == 1
    (alone,) = findings(echo)
    assert "does not say why" in alone.advice[0]


def test_a_502_gives_possible_ports_and_counts_requests() -> None:
    gateways = (BadGateway("vcsc", HOST, 6972, 3), BadGateway("vcsc", HOST, 8443, 1), BadGateway("vcsc", "other.lab", 8443, 2))

    first, second = diagnose(Evidence((make_failure(),), gateways), None, NOW).findings

    assert (first.ports, first.possible_ports, [gateway.requests for gateway in first.bad_gateways]) == (
        (),
        (6972, 8443),
        [3, 1],
    )
    assert (second.address, second.ports, second.verdict) == ("other.lab", (8443,), None)
    assert "no line that says why other.lab:8443" in second.advice[0]
