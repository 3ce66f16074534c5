"""Whose log it is: a client's and an Expressway-E's show a 502 and its target, and point to the Expressway-C for the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from remediate.connectors.evidence import gather
from remediate.model.evidence import BadGateway, Evidence
from remediate.model.limits import Limits
from remediate.planner.diagnosis import diagnose
from tests.connectors.evidence.logs import EXPRESSWAY, SELF_SIGNED, encode_target
from tests.pki import NOW

TARGET = encode_target("steven.lab/https/cucm.steven.lab/6972")
URL = f"https://expe.steven.lab:8443/{TARGET}/CSFemusk.cnf.xml"
JABBER = (
    "2022-07-11 18:55:26,016 INFO  [0x00001088] [ls\\src\\http\\BasicHttpClientImpl.cpp(675)] [csf.httpclient] "
    "[csf::http::performRequest] - *-----* HTTP response code 502 connect code 0 for request #101 to "
)
AT = "2022-07-11T18:55:26.000+02:00 expe traffic_server[18242]: "


def read(tmp_path: Path, *lines: str) -> Evidence:
    (tmp_path / "log.txt").write_text("".join(f"{line}\n" for line in lines))
    return gather([tmp_path / "log.txt"], Limits())


def log_edge(status: str) -> list[str]:
    return [
        f'{AT}Detail="Receive Request" Txn-id="191" Src-ip="203.0.113.9" Src-port="35766" Last-via-addr="" Msg="GET {URL} HTTP/1.1"',
        f'{AT}Detail="Sending Response" Txn-id="191" TrackingID="" Dst-ip="203.0.113.9" Dst-port="35766" Msg="HTTP/1.1 {status}"',
    ]


def advice_of(evidence: Evidence) -> str:
    return " ".join(sentence for finding in diagnose(evidence, None, NOW).findings for sentence in finding.advice)


@pytest.mark.parametrize(
    "line",
    [
        f"{JABBER}{URL}",
        f"{JABBER}PII_CED_Exception{{{URL} }}",
        f"27.03.2022 18:55:26,016 INFO {JABBER[24:]}{URL}",
        f"Jul 11 18:55:26 SEP001 Java-(httpclient): Received 502 Bad Gateway for {URL}",
    ],
)
def test_a_client_log_has_the_502_and_its_target(tmp_path: Path, line: str) -> None:
    evidence = read(tmp_path, line, line.replace("502", "200"), line.replace(TARGET, "cucm-uds"))

    (gateway,) = evidence.bad_gateways
    assert (gateway.view, gateway.address, gateway.port, gateway.requests) == ("client", "cucm.steven.lab", 6972, 1)
    assert "The log of a client shows that cucm.steven.lab:6972 was answered with 502, but not why" in advice_of(evidence)
    assert "Collect a diagnostic log on every Expressway-C peer" in advice_of(evidence)


def test_an_edge_log_points_to_expressway_c(tmp_path: Path) -> None:
    evidence = read(tmp_path, *log_edge("502 connect failed"))

    assert [(gateway.view, gateway.peer, gateway.tunnel_down) for gateway in evidence.bad_gateways] == [("edge", "expe", False)]
    assert "The log of an Expressway-E shows" in advice_of(evidence)


def test_a_tunnel_that_is_down_is_no_matter_of_certificates(tmp_path: Path) -> None:
    evidence = read(tmp_path, *log_edge("502 Next Hop Connection Failed"), EXPRESSWAY + SELF_SIGNED)

    refusal, tunnel = diagnose(evidence, None, NOW).findings
    assert (refusal.bad_gateways, tunnel.commands) == ((), ())
    assert "its SSH tunnel to Expressway-C is down" in tunnel.advice[0]


def test_a_log_of_the_peer_explains_the_502_of_a_client(tmp_path: Path) -> None:
    (finding,) = diagnose(read(tmp_path, JABBER + URL, EXPRESSWAY + SELF_SIGNED), None, NOW).findings

    assert [gateway.view for gateway in finding.bad_gateways] == ["client"]
    assert "Depth 0 is the node's own certificate" in finding.advice[0]


def test_a_502_of_the_peer_alone_is_its_own(tmp_path: Path) -> None:
    lines = [line.replace("203.0.113.9", "127.0.0.1") for line in log_edge("502 connect failed")]

    assert [gateway.view for gateway in read(tmp_path, *lines).bad_gateways] == ["peer"]
    assert BadGateway("expe", "cucm.steven.lab", 6972).view == "peer"


def test_a_502_whose_request_is_not_in_the_log_is_reported(tmp_path: Path) -> None:
    evidence = read(tmp_path, log_edge("502 connect failed")[1], *log_edge("200 OK"))

    assert (evidence.bad_gateways, evidence.coverage.unknown_bad_gateways) == ((), 1)
    assert "1 answer with 502 without its node" in evidence.unread_sources[0].reason
    assert diagnose(evidence, None, NOW).outcome == "could-not-be-read"
