"""Evidence: what its values say of themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from remediate.model.evidence import (
    Alert,
    Coverage,
    Evidence,
    LoggedFailure,
    LogTime,
    OpenSSLGeneration,
    OpenSSLSign,
    Side,
    alert_code,
    alert_name,
)
from tests.pki import NOW


def sign(peer: str, generation: OpenSSLGeneration, days: int | None) -> OpenSSLSign:
    at = None if days is None else NOW + timedelta(days=days)
    return OpenSSLSign(peer, generation, last_seen=LogTime(str(days), at))


def test_an_alert_is_found_by_its_name_in_words() -> None:
    assert (alert_name(48), alert_code("unknown ca")) == ("unknown ca", 48)
    assert (alert_name(99), alert_code("no such alert")) == ("number 99", None)


@pytest.mark.parametrize(
    ("sender", "code", "is_about_certificate", "is_fatal"),
    [
        ("client", 48, True, True),
        ("client", 80, True, True),  # a program refused it in a callback of its own
        ("server", 80, False, True),
        ("server", 40, False, True),
        ("client", 0, False, False),
    ],
)
def test_an_alert_is_about_a_certificate_or_not(sender: Side, code: int, is_about_certificate: bool, is_fatal: bool) -> None:
    alert = Alert(sender, code)
    assert (alert.is_about_certificate, alert.is_fatal) == (is_about_certificate, is_fatal)


def test_coverage_of_two_files_is_their_sum() -> None:
    both = Coverage(traffic_server_lines=2, cut_packets=1) + Coverage(traffic_server_lines=3, tls_records=4)

    assert both == Coverage(traffic_server_lines=5, tls_records=4, cut_packets=1)
    assert both.has_unread_packets
    assert not Coverage(traffic_server_lines=5).has_unread_packets


def test_a_line_names_its_node_once() -> None:
    failure = LoggedFailure("name", None, "cucm.test", None, None, "", None, True, sni="proxy.test", server="cucm.test")
    assert failure.names == ("cucm.test", "proxy.test")


def test_the_latest_lines_show_the_openssl_of_a_host() -> None:
    # Given a peer that was upgraded, another that was not, and one whose lines have no year
    signs = (
        sign("expc1.test", "1.1.1", 1),
        sign("EXPC1", "3.x", 2),
        sign("expc2", "1.1.1", 3),
        sign("expc3", "1.1.1", None),
        sign("expc3", "3.x", 4),
    )
    evidence = Evidence(openssl_signs=signs)

    assert [evidence.find_openssl(f"expc{number}") for number in (1, 2, 3, 4)] == ["3.x", "1.1.1", None, None]
