"""The log of a real traffic server, diagnosed: for every endpoint that it refuses, the cause that the plan names too."""

from __future__ import annotations

import io
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import dpkt
import pytest

from remediate import Cause
from remediate.connectors.evidence import gather
from remediate.lab import JudgeAnswer, Lab
from remediate.lab.judge import traffic_server_path
from remediate.model.limits import Limits
from remediate.planner.diagnosis import diagnose
from tests.pki import NOW

CAUSES = {
    "self-signed certificate": Cause.SELF_SIGNED_UNTRUSTED,
    "self-signed certificate in certificate chain": Cause.ISSUER_UNTRUSTED,
    "unable to get local issuer certificate": Cause.ISSUER_UNKNOWN,
    "unable to get issuer certificate": Cause.ISSUER_UNKNOWN,
    "certificate has expired": Cause.EXPIRED,
}

SO_RCVBUFFORCE, SOL_PACKET, PACKET_STATISTICS = 33, 263, 6  # asm-generic/socket.h, linux/socket.h, linux/if_packet.h

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(traffic_server_path() is None, reason="traffic_server is not installed"),
]


def _expected(answer: JudgeAnswer) -> Cause:
    line = answer.log_line or ""
    return next((cause for text, cause in CAUSES.items() if f"Error={text} server=" in line), Cause.NAME_MISMATCH)


@contextmanager
def _captured(network: str) -> Iterator[io.BytesIO]:
    """Capture what runs over the loopback interface from and to `network`, as tcpdump would; needs the right to."""
    try:
        tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
    except PermissionError:
        pytest.skip("this user may not capture packets")
    # What else runs over the interface comes too, and the usual buffer is soon full.
    with suppress(PermissionError):
        tap.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 * 1024 * 1024)
    tap.bind(("lo", 0))
    tap.settimeout(0.1)
    file, stop_event, prefix = io.BytesIO(), threading.Event(), socket.inet_aton(f"{network}.0")[:3]
    writer = dpkt.pcap.Writer(file, snaplen=262_144)

    def listen() -> None:
        while not stop_event.is_set():
            try:
                frame, where = tap.recvfrom(70_000)
            except TimeoutError:
                continue
            # Each packet passes the loopback interface twice: on its way out, and in.
            if where[2] != socket.PACKET_OUTGOING and prefix in {frame[26:29], frame[30:33]}:
                writer.writepkt(frame, time.time())

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        yield file
        time.sleep(0.3)
    finally:
        stop_event.set()
        listener.join()
        dropped = struct.unpack("II", tap.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]
        tap.close()
    if dropped:
        pytest.skip(f"this machine was too busy: {dropped} packets were not captured")


def test_a_capture_and_the_log_of_the_story_are_one_story(tmp_path: Path) -> None:
    # Given what tcpdump would capture while a peer is asked for everything, its log, and its list
    with Lab(tmp_path / "lab", judge=True) as lab, _captured(lab.peers[0].address.rpartition(".")[0]) as file:
        for target in lab.targets:
            lab.ask(0, target.address, target.port)
        trusted = tuple(lab.peers[0].trusted)
    (tmp_path / "lo.pcap").write_bytes(file.getvalue())

    findings = diagnose(
        gather([tmp_path / "lo.pcap", tmp_path / "lab" / "judge"], Limits()), trusted, datetime.now(UTC)
    ).findings

    standing = {
        (finding.address, port): (finding.status, finding.verdict and finding.verdict.cause)
        for finding in findings
        for port in finding.ports
    }
    node, sub1, sub2, imp, unity = (
        "cucm.steven.lab",
        "cucm-sub1.steven.lab",
        "cucm-sub2.steven.lab",
        "imp.steven.lab",
        "voicemail.steven.lab",
    )
    refused = {where: cause for where, (how, cause) in standing.items() if how == "refused"}
    assert refused == {
        **{(node, port): Cause.SELF_SIGNED_UNTRUSTED for port in (6971, 6972)},
        **{(sub1, port): Cause.ISSUER_UNKNOWN for port in (6971, 6972, 8443)},
        **{(sub2, port): Cause.SELF_SIGNED_UNTRUSTED for port in (6971, 6972)},
        (imp, 8443): Cause.SELF_SIGNED_UNTRUSTED,
        (unity, 8443): Cause.NAME_MISMATCH,
    }
    assert {where for where, (how, _) in standing.items() if how == "accepted"} == {(node, 8443), (sub2, 8443)}
    assert all(finding.logged_failures and finding.captured_endpoints for finding in findings if finding.status == "refused")


@pytest.mark.parametrize("scenario", ["story", "stale"])
def test_every_refusal_is_found_with_its_cause(tmp_path: Path, scenario: str) -> None:
    # Given a peer that was asked once for everything
    with Lab(tmp_path, scenario, judge=True) as lab:
        endpoints = {(target.address, target.port) for target in lab.targets}
        answers = {endpoint: lab.ask(0, *endpoint) for endpoint in endpoints}

    diagnosis = diagnose(gather([tmp_path / "judge"], Limits()), None, NOW)

    refused = {endpoint: answer for endpoint, answer in answers.items() if answer.log_line}
    causes = {(finding.address, finding.verdict.cause) for finding in diagnosis.findings if finding.verdict}
    assert causes == {(address, _expected(answer)) for (address, _), answer in refused.items()}
    assert sum(line.lines for finding in diagnosis.findings for line in finding.logged_failures) == len(refused)
    assert all(finding.status == "refused" and finding.advice for finding in diagnosis.findings)


def test_the_workaround_is_seen_in_the_log(tmp_path: Path) -> None:
    with Lab(tmp_path, judge=True) as lab:
        lab.cluster.set_leaf(lab.peers[0], "EdgeConfigServer VerifyOriginServer", "Off")
        lab.ask(0, "imp.steven.lab", 8443)

    findings = diagnose(gather([tmp_path], Limits()), None, NOW).findings

    assert {finding.status for finding in findings} == {"tolerated"}
