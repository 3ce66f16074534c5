"""Failed handshakes that other processes log: those of SIP are findings of their own, those of the rest are counted by process."""

from __future__ import annotations

from pathlib import Path

import pytest

from remediate.connectors.evidence import gather
from remediate.model.evidence import Evidence, OtherProcessFailures
from remediate.model.limits import Limits

AT = "2023-03-14T09:12:44.101+01:00"
SIP = (
    f'{AT} expc01 tvcs: UTCTime="2023-03-14 08:12:44,101" Event="Outbound TLS Negotiation Error" Service="SIP" '
    'Src-ip="10.20.0.5" Src-port="25697" Dst-ip="10.20.1.11" Dst-port="5061" Detail="self signed certificate" '
    'Protocol="TLS" Common-name="cucm1.corp.example" Level="1"'
)
AXL = (
    f'{AT} expc01 edgeconfigprovisioning: UTCTime="2023-03-14 08:12:46,101" Module="network.axl" Level="ERROR" '
    'Detail="Unable to retrieve server list" Error="certificate verify failed" Address="cucm1.corp.example"'
)


def read(tmp_path: Path, text: str) -> Evidence:
    (tmp_path / "log").write_text(text)
    return gather([tmp_path / "log"], Limits())


@pytest.mark.parametrize(
    ("detail", "kind", "alert"),
    [
        ("self signed certificate", "sip", None),
        ("unable to get local issuer certificate", "sip", None),
        ("Peer's TLS certificate identity was unacceptable", "sip-name", None),
        ("tlsv1 alert unknown ca", "sip", 48),
        ("sslv3 alert unsupported certificate", "sip", 43),
        ("wrong version number", "sip", None),
    ],
)
def test_a_failure_of_sip_is_read(tmp_path: Path, detail: str, kind: str, alert: int | None) -> None:
    (line,) = read(tmp_path, SIP.replace("self signed certificate", detail)).logged_failures

    assert (line.kind, line.error, line.alert) == (kind, detail, alert)
    assert (line.peer, line.address, line.ip, line.port) == ("expc01", "cucm1.corp.example", "10.20.1.11", 5061)


def test_without_a_name_the_address_is_what_it_went_to(tmp_path: Path) -> None:
    assert read(tmp_path, SIP.replace("cucm1.corp.example", "")).logged_failures[0].address == "10.20.1.11"


@pytest.mark.parametrize("broken", ["terminal", "quoted"])
def test_a_failure_of_sip_that_was_wrapped_is_read(tmp_path: Path, broken: str) -> None:
    pieces = [SIP[at : at + 80] for at in range(0, len(SIP), 80)]
    text = "".join(f"{piece}\n" for piece in pieces) if broken == "terminal" else f"> {SIP}\n".replace(" Dst-ip", "\n> Dst-ip")

    assert [(line.kind, line.port, line.error) for line in read(tmp_path, text).logged_failures] == [
        ("sip", 5061, "self signed certificate")
    ]


@pytest.mark.parametrize(
    ("line", "process"),
    [
        (AXL, "edgeconfigprovisioning"),
        (SIP.replace("Outbound", "Inbound"), "tvcs"),
        (SIP.replace('Dst-port="5061"', 'Dst-port="0"'), "tvcs"),
        (f'{AT} expc01 XCP_CM2[99]: Level="INFO" Detail="SSL routines:tls_process_cert:certificate verify failed"', "XCP_CM2"),
        (f"{AT} expc01 java[99]: javax.net.ssl.SSLHandshakeException: no", "java"),
    ],
)
def test_failures_of_other_processes_are_counted(tmp_path: Path, line: str, process: str) -> None:
    evidence = read(tmp_path, f"{line}\n{line}\n")

    assert evidence.logged_failures == ()
    assert [(failure.peer, failure.process, failure.lines) for failure in evidence.other_failures] == [("expc01", process, 2)]
    assert (evidence.coverage.other_failures, evidence.unread_sources) == (2, ())


def test_the_moments_of_what_is_counted_are_kept(tmp_path: Path) -> None:
    (failures,) = read(tmp_path, f"{AXL}\n{AXL.replace('46,101', '50,000')}\n").other_failures

    assert isinstance(failures, OtherProcessFailures)
    assert failures.first_seen
    assert failures.last_seen
    assert failures.first_seen.at
    assert failures.last_seen.at
    assert (failures.last_seen.at - failures.first_seen.at).total_seconds() == pytest.approx(3.899)


def test_processes_over_the_limit_are_reported(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("\n".join(AXL.replace("edgeconfigprovisioning", f"process{number}") for number in range(30)))

    evidence = gather([tmp_path / "log"], Limits(evidence_kinds=20))

    assert (len(evidence.other_failures), len(evidence.unread_sources)) == (20, 1)
