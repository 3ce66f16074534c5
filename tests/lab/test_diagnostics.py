"""Diagnostic logging of the lab: its states, and an archive with the lines of the peer's own traffic server."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable

import pytest

from remediate.lab import Lab
from remediate.lab.packets import PacketTap
from tests.lab.conftest import RestClient, ShellClient

PATH = "/api/provisioning/common/diagnosticlogging"
Rest = Callable[[int], RestClient]


def put(client: RestClient, mode: str, **more: str) -> int:
    return client("PUT", PATH, json={"Mode": mode, **more}).status_code


def download(client: RestClient) -> dict[str, str]:
    """Collect and return the files of one peer, by the first part of their names."""
    assert put(client, "collect") == 200
    while client("GET", PATH).json()["DownLoadStatus"] != "Ready to download":
        pass
    files = {}
    with tarfile.open(fileobj=io.BytesIO(client("PUT", PATH, json={"Mode": "download"}).content)) as archive:
        for member in archive:
            content = archive.extractfile(member)
            assert content
            files[member.name] = content.read().decode(errors="replace")
    return files


def test_starting_one_peer_starts_and_stopping_it_stops_all(story: Lab, rest_client: Rest) -> None:
    assert put(rest_client(0), "start") == 200
    assert {rest_client(number)("GET", PATH).json()["DownLoadStatus"] for number in range(3)} == {"Logging in progress"}
    assert put(rest_client(1), "start") == 400
    assert put(rest_client(0), "stop") == 200
    assert not story.diagnostics.is_running


def test_an_alarm_shows_that_a_log_is_written(rest_client: Rest, shell: Callable[[int], ShellClient]) -> None:
    put(rest_client(0), "start")
    assert "25019" in shell(2)("xStatus Alarm")
    put(rest_client(0), "stop")
    assert "25019" not in shell(2)("xStatus Alarm")


def test_nothing_is_downloaded_before_it_was_collected(rest_client: Rest) -> None:
    put(rest_client(0), "start")
    assert put(rest_client(0), "collect") == 400
    put(rest_client(0), "stop")
    assert put(rest_client(0), "download") == 400


def test_the_log_has_the_judges_own_lines_of_that_peer(story: Lab, rest_client: Rest) -> None:
    story.ask(0, "imp.steven.lab", 8443)
    put(rest_client(0), "start")
    refused = story.ask(0, "cucm.steven.lab", 6972)
    story.ask(0, "cucm.steven.lab", 8443)
    story.ask(1, "cucm.steven.lab", 6971)
    put(rest_client(0), "stop")
    files = download(rest_client(0))
    log = next(text for name, text in files.items() if name.startswith("loggingsnapshot_expc1_"))
    assert refused.log_line
    assert refused.log_line in log
    assert "imp.steven.lab" not in log
    assert log.count('Detail="Receive Request"') == 2
    assert log.count('Detail="Receive Response"') == 1


def test_the_archive_has_the_configuration_and_the_lists(story: Lab, rest_client: Rest) -> None:
    put(rest_client(0), "start")
    put(rest_client(0), "stop")
    files = {name.partition("_expc2_")[0] + name[-4:]: text for name, text in download(rest_client(1)).items()}
    assert set(files) == {
        "loggingsnapshot.txt", "xconf_dump.txt", "xconf_dump.xml", "xstat_dump.txt", "xstat_dump.xml", "ca.pem", "server.pem",
    }  # fmt: skip
    assert files["ca.pem"].count("BEGIN CERTIFICATE") == len(story.peers[1].trusted)
    assert story.peers[1].server_certificate.pem in files["server.pem"]
    assert '*c xConfiguration Ciphers ReverseProxyTLSCiphers Value: "EECDH' in files["xconf_dump.txt"]
    assert 'version="X14.2.1"' in files["xconf_dump.xml"]


def test_a_peer_that_restarted_while_logging_has_the_log_alone(story: Lab, rest_client: Rest) -> None:
    put(rest_client(0), "start")
    story.peers[2].restarts += 1
    put(rest_client(0), "stop")
    assert [name.partition("_expc3_")[0] for name in download(rest_client(2))] == ["loggingsnapshot"]


def test_a_capture_has_that_peers_packets_alone(story: Lab, rest_client: Rest) -> None:
    tap = PacketTap.start([])
    if tap is None:
        pytest.skip("this user may not capture packets")
    tap.stop()
    put(rest_client(0), "start", TCPDump="on")
    story.ask(0, "cucm.steven.lab", 8443)
    put(rest_client(0), "stop")
    captures = [
        len(text) for number in range(2) for name, text in download(rest_client(number)).items() if name.endswith(".pcap")
    ]
    assert captures[0] > 1000
    assert captures[1] < 30
