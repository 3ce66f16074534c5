"""Diagnostic logging over REST: started and stopped on the primary, collected and downloaded from each peer."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from remediate.connectors.expressway.cluster import open_peers
from remediate.connectors.expressway.diagnostic_logging import DiagnosticLogging
from remediate.lab import Lab
from remediate.lab.faults import LoggingFault, Substitute
from remediate.model.access import ClusterAccess
from remediate.model.errors import NotOffered, ObservationError, WriteForbidden, WriteRefused
from tests.connectors.support import QUICK, Opener


def collected(logging: DiagnosticLogging) -> DiagnosticLogging:
    """Return `logging` with a log that is ready to be downloaded."""
    logging.start(tcpdump=False)
    logging.stop()
    logging.collect()
    while not logging.is_ready():
        pass
    return logging


def names_in(archive: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return opened.getnames()


def test_a_log_is_started_stopped_collected_and_downloaded(lab: Lab, open_peer: Opener) -> None:
    logging = open_peer(writable=True).diagnostic_logging()
    logging.start(tcpdump=False)
    assert lab.diagnostics.is_running
    assert logging.is_busy()
    logging.stop()
    logging.collect()
    while not logging.is_ready():
        pass
    file = io.BytesIO()
    logging.download(file)
    names = names_in(file.getvalue())
    assert {name.partition("_expc1_")[0] for name in names} == {
        "loggingsnapshot", "xconf_dump", "xstat_dump", "ca", "server"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "is_busy", "is_ready"),
    [
        ("Logging in progress", True, False),
        ("Collecting", True, False),
        ("Ready to download", False, True),
        ("Not ready to download", False, False),
        ("Log collection not started", False, False),
        ("Inactive", False, False),
        ("", False, False),
    ],
)
def test_the_status_is_read_by_its_words(lab: Lab, open_peer: Opener, status: str, is_busy: bool, is_ready: bool) -> None:
    logging = open_peer().diagnostic_logging()
    body = json.dumps({"DownLoadStatus": status}).encode()
    lab.faults.substitute(lab.peers[0].address, Substitute(200, body), containing="diagnosticlogging")
    assert (logging.is_busy(), logging.is_ready()) == (is_busy, is_ready)


def test_logs_need_no_right_to_write_anything_else(lab: Lab, cluster: ClusterAccess) -> None:
    with open_peers(cluster, QUICK, writable=False, logs=True) as opened:
        opened.peers[0].diagnostic_logging().start(tcpdump=False)
        with pytest.raises(WriteForbidden):
            opened.peers[0].append_trusted_ca(lab.pki.certificate("issuing"))
        opened.peers[0].diagnostic_logging().stop()
    assert {request.path for request in lab.requests if request.write} == {"/api/provisioning/common/diagnosticlogging"}


def test_a_peer_opened_for_reading_starts_no_log(lab: Lab, open_peer: Opener) -> None:
    with pytest.raises(WriteForbidden):
        open_peer().diagnostic_logging().start(tcpdump=False)
    assert not lab.diagnostics.is_running


def test_where_it_is_not_offered_the_page_is_named(lab: Lab, open_peer: Opener) -> None:
    lab.faults.logging = LoggingFault.NOT_OFFERED
    with pytest.raises(NotOffered) as refusal:
        open_peer(writable=True).diagnostic_logging()
    assert "Maintenance > Diagnostics > Diagnostic logging" in refusal.value.next_step
    assert not any(request.write for request in lab.requests)


def test_a_second_start_is_refused_in_the_peers_words(open_peer: Opener) -> None:
    logging = open_peer(writable=True).diagnostic_logging()
    logging.start(tcpdump=False)
    try:
        with pytest.raises(WriteRefused, match="already in progress"):
            logging.start(tcpdump=False)
    finally:
        logging.stop()


def test_a_download_that_breaks_off_is_no_log(lab: Lab, open_peer: Opener) -> None:
    logging = collected(open_peer(writable=True).diagnostic_logging())
    lab.faults.logging = LoggingFault.CUT
    with pytest.raises(ObservationError, match="closed or reset"):
        logging.download(io.BytesIO())


def test_a_broken_download_is_requested_again(lab: Lab, open_peer: Opener) -> None:
    logging = collected(open_peer(writable=True).diagnostic_logging())
    lab.faults.drop_answer(lab.peers[0].address, containing="diagnosticlogging")
    file = io.BytesIO()
    logging.download(file)
    assert names_in(file.getvalue())


def test_a_web_page_is_no_log(lab: Lab, open_peer: Opener) -> None:
    logging = collected(open_peer(writable=True).diagnostic_logging())
    lab.faults.substitute(
        lab.peers[0].address, Substitute(200, b"<html><title>Sign in</title>"), containing="diagnosticlogging"
    )
    with pytest.raises(ObservationError, match="Sign in"):
        logging.download(io.BytesIO())


def test_a_log_over_the_limit_is_not_kept(lab: Lab, open_peer: Opener, tmp_path: Path) -> None:
    limits = replace(QUICK, diagnostic_log_bytes=100, read_attempts=1)
    logging = collected(open_peer(writable=True, limits=limits).diagnostic_logging())
    with (tmp_path / "log").open("w+b") as file, pytest.raises(ObservationError, match="larger than 100 bytes"):
        logging.download(file)
    assert (tmp_path / "log").stat().st_size <= 100
