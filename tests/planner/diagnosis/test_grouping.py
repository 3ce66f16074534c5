"""Many nodes with one cause are one finding; what is a node's own stays apart."""

from __future__ import annotations

from remediate.model.diagnosis import Finding
from remediate.model.evidence import Alert, BadGateway, Evidence, Handshake, LoggedFailure, alert_name
from remediate.model.verdict import Cause
from remediate.planner.diagnosis import diagnose
from remediate.report.diagnosis_document import diagnosis_document
from tests.pki import NOW, issue

NODES = [f"cucm{number}.steven.lab" for number in range(5)]
CA = issue("Issuing", ca=True)


def make_line(address: str, error: str = "unable to get local issuer certificate", depth: int = 1) -> LoggedFailure:
    return LoggedFailure("chain", "expc1", address, None, 8443, error, depth, enforced=True)


def make_alert(address: str, alert: int) -> LoggedFailure:
    return LoggedFailure(
        "connection", "expc1", address, None, 6972, f"alert {alert_name(alert)}", None, enforced=True, alert=alert
    )


def diagnose_lines(*lines: LoggedFailure, handshakes: tuple[Handshake, ...] = ()) -> tuple[Finding, ...]:
    return diagnose(Evidence(lines, handshakes=handshakes), None, NOW).findings


def test_one_missing_ca_is_one_finding_of_many_nodes() -> None:
    (finding,) = diagnose_lines(*(make_line(address) for address in NODES))

    assert [node.address for node in finding.nodes] == NODES
    assert len(finding.logged_failures) == 5
    assert not any(address in sentence for address in NODES for sentence in finding.advice)
    assert "upload the whole chain on each node" in " ".join(finding.advice)


def test_two_nodes_keep_their_own_findings() -> None:
    assert [finding.address for finding in diagnose_lines(*(make_line(address) for address in NODES[:2]))] == NODES[:2]


def test_what_only_a_node_can_fix_stays_its_own_finding() -> None:
    self_signed = [make_line(address, "self signed certificate", 0) for address in NODES]
    expired = [make_line(address, "certificate has expired", 0) for address in NODES]

    assert len(diagnose_lines(*self_signed)) == len(diagnose_lines(*expired)) == 5


def test_another_depth_or_alert_is_another_cause() -> None:
    lines = [make_line(address) for address in NODES] + [make_line(address, depth=0) for address in NODES]
    alerts = [make_alert(address, 48) for address in NODES] + [make_alert(address, 45) for address in NODES]

    assert [len(finding.nodes) for finding in diagnose_lines(*lines)] == [5, 5]
    assert [len(finding.nodes) for finding in diagnose_lines(*alerts)] == [5, 5]
    assert diagnose_lines(*alerts)[0].advice[0].startswith("Each node sent the alert 'unknown ca' (48)")


def test_captured_chains_of_one_issuer_are_one_finding() -> None:
    # Given leaves alone, each with its own name, refused by their clients
    handshakes = tuple(
        Handshake(
            "10.0.0.1", f"10.0.1.{number}", 8443, address, (0xC02C,), 0x0303, 0xC02C,
            (issue(address, CA, names=(address,)).certificate,), alerts=(Alert("client", 48),), first_seen=NOW, last_seen=NOW,
        )
        for number, address in enumerate(NODES)
    )  # fmt: skip

    (finding,) = diagnose_lines(handshakes=handshakes)

    assert finding.verdict
    assert (finding.verdict.cause, len(finding.nodes)) == (Cause.ISSUER_UNKNOWN, 5)
    assert "'CN=Issuing,O=Lab', which issued its certificate, was neither presented nor found" in finding.advice[0]


def test_the_document_has_each_node_of_a_finding() -> None:
    evidence = Evidence(tuple(make_line(address) for address in NODES), (BadGateway("expc1", NODES[0], 8443, requests=3),))

    (finding,) = diagnosis_document(diagnose(evidence, None, NOW))["findings"]

    assert [(node["address"], node["port"], node["lines"]) for node in finding["nodes"]] == [(name, 8443, 1) for name in NODES]
    assert [node["requests"] for node in finding["nodes"]] == [3, 0, 0, 0, 0]
