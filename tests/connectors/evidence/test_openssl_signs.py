"""Which OpenSSL a peer runs, by the numbers and the spelling in its own log."""

from __future__ import annotations

from pathlib import Path

import pytest

from remediate.connectors.evidence import gather
from remediate.connectors.evidence.openssl_signs import find_generation
from remediate.model.evidence import Evidence, LogTime, OpenSSLSign
from remediate.model.limits import Limits
from tests.connectors.evidence.logs import EXPRESSWAY, FAILED, SELF_SIGNED

NEW = FAILED.replace("1416F086", "0A000086")
SIP = (
    '2022-07-11T18:55:26.000+02:00 vcsc tvcs: Event="Outbound TLS Negotiation Error" Service="SIP" Dst-ip="10.0.0.1" '
    'Dst-port=" 5061 " Detail= "self-signed certificate" Protocol="TLS" Common-name="cucm.lab"'
)


def read(tmp_path: Path, *lines: str) -> Evidence:
    (tmp_path / "log.txt").write_text("".join(f"{line}\n" for line in lines))
    return gather([tmp_path / "log.txt"], Limits())


@pytest.mark.parametrize(
    ("text", "generation"),
    [
        (FAILED, "1.1.1"),
        ("error:14094418: SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca", "1.1.1"),
        (NEW, "3.x"),
        ("error:0A000418:SSL routines::tlsv1 alert unknown ca", "3.x"),
        ("error:14090086:SSL routines:SSL3_GET_SERVER_CERTIFICATE:certificate verify failed", None),
        ("error:14089086:SSL routines:ssl3_get_client_certificate:certificate verify failed", None),
        ("error:02002002:system library:fopen:No such file or directory", None),
        (SELF_SIGNED, "1.1.1"),
        (SELF_SIGNED.replace("self signed", "self-signed"), "3.x"),
        ("certificate has expired", None),
    ],
)
def test_numbers_and_spelling_show_the_generation(text: str, generation: str | None) -> None:
    assert find_generation(text) == generation


def test_each_peer_has_its_own_openssl(tmp_path: Path) -> None:
    evidence = read(tmp_path, EXPRESSWAY + SELF_SIGNED, EXPRESSWAY + FAILED, (EXPRESSWAY + NEW).replace("vcsc", "expc2"))

    assert [(sign.peer, sign.generation, sign.lines) for sign in evidence.openssl_signs] == [
        ("vcsc", "1.1.1", 2),
        ("expc2", "3.x", 1),
    ]
    assert (evidence.find_openssl("VCSC"), evidence.find_openssl("expc2"), evidence.find_openssl("expc3")) == (
        "1.1.1",
        "3.x",
        None,
    )


def test_a_line_of_sip_shows_it_too(tmp_path: Path) -> None:
    evidence = read(tmp_path, SIP)

    assert [(sign.peer, sign.generation) for sign in evidence.openssl_signs] == [("vcsc", "3.x")]
    assert [(failure.kind, failure.port) for failure in evidence.logged_failures] == [("sip", 5061)]


def test_after_an_upgrade_the_latest_lines_count(tmp_path: Path) -> None:
    evidence = read(tmp_path, (EXPRESSWAY + NEW).replace("2022-", "2025-"), EXPRESSWAY + FAILED)

    assert evidence.find_openssl("vcsc") == "3.x"


def test_two_generations_without_times_are_not_known() -> None:
    no_zone = LogTime("Jul 26 17:20:45")
    signs = (OpenSSLSign("expc1", "1.1.1", last_seen=no_zone), OpenSSLSign("expc1", "3.x", last_seen=no_zone))

    assert Evidence(openssl_signs=signs).find_openssl("expc1") is None
