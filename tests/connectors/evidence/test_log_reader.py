"""What is read out of a log: the lines of the facts as they stand, with every prefix there is, and nothing else."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from remediate.connectors.evidence import gather
from remediate.connectors.evidence.mra_target import Target, parse_target
from remediate.model.evidence import BadGateway, Evidence, LoggedFailure, LogTime
from remediate.model.limits import Limits
from tests.connectors.evidence.logs import AT, EXPRESSWAY, FAILED, MRA, NAME, SELF_SIGNED, encode_target, log_transaction

A_SECOND_LATER = datetime(2022, 7, 26, 15, 20, 46, 1000, tzinfo=UTC)


def read(tmp_path: Path, *lines: str, encoding: str = "utf-8") -> Evidence:
    (tmp_path / "log.txt").write_bytes("".join(f"{line}\n" for line in lines).encode(encoding))
    return gather([tmp_path / "log.txt"], Limits())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_the_three_lines_of_the_facts_are_read(tmp_path: Path, encoding: str) -> None:
    evidence = read(tmp_path, SELF_SIGNED, NAME, FAILED, encoding=encoding)

    assert evidence.logged_failures == (
        LoggedFailure("chain", None, "cucm.steven.lab", "10.48.36.215", None, "self signed certificate", 0, enforced=True),
        LoggedFailure(
            "name", None, "10.48.36.215", "10.48.36.215", None, "SNI (10.48.36.215) not in certificate", None, enforced=True
        ),
        LoggedFailure("connection", None, "cucm.steven.lab", None, None, "certificate verify failed", None, enforced=True),
    )
    assert (evidence.logs_read, evidence.lines_read, evidence.unread_sources) == (1, 3, ())


@pytest.mark.parametrize(
    ("prefix", "peer", "moment"),
    [
        (EXPRESSWAY, "vcsc", LogTime(AT, datetime(2022, 7, 26, 15, 20, 45, 560_000, tzinfo=UTC))),
        (f'{AT} vcsc traffic_server[1]: UTCTime="2022-07-26 15:20:46,001" ', "vcsc", LogTime(AT, A_SECOND_LATER)),
        ("Jul 26 17:20:45 vcsc traffic_server[18242]: ", "vcsc", LogTime("Jul 26 17:20:45")),
        ("[Nov 25 13:59:41.442] [ET_NET 0] ", None, LogTime("Nov 25 13:59:41.442")),
        ("[Feb 29 13:59:41.442] {0x7f00} ", None, LogTime("Feb 29 13:59:41.442")),
        ("2022-13-77T99:20:45.560+02:00 vcsc traffic_server[1]: ", "vcsc", LogTime("2022-13-77T99:20:45.560+02:00")),
        ("", None, None),
    ],
)  # fmt: skip
def test_every_prefix_says_when_and_where(tmp_path: Path, prefix: str, peer: str | None, moment: LogTime | None) -> None:
    logged = read(tmp_path, prefix + SELF_SIGNED).logged_failures[0]

    assert (logged.peer, logged.first_seen, logged.last_seen) == (peer, moment, moment)


def test_both_spellings_and_the_workaround_are_distinguished(tmp_path: Path) -> None:
    continued = SELF_SIGNED.replace("Terminate", "Continue").replace("self signed", "self-signed")

    evidence = read(tmp_path, SELF_SIGNED, continued).logged_failures

    assert [(failure.error, failure.enforced) for failure in evidence] == [
        ("self signed certificate", True),
        ("self-signed certificate", False),
    ]


def test_retries_within_seconds_count_as_one_request(tmp_path: Path) -> None:
    at = [f"2022-07-26T17:20:{second:02}.000+02:00 vcsc traffic_server[1]: {SELF_SIGNED}" for second in (1, 1, 2, 2, 3, 40)]

    first, both = read(tmp_path, *at[:4]).logged_failures[0], read(tmp_path, *at).logged_failures[0]

    assert (first.lines, first.requests) == (4, 1)
    # The fifth is more than the retries of one request, the sixth is long after.
    assert (both.lines, both.requests) == (6, 3)
    assert both.first_seen
    assert both.last_seen
    assert (both.first_seen.text, both.last_seen.text) == ("2022-07-26T17:20:01.000+02:00", "2022-07-26T17:20:40.000+02:00")


@pytest.mark.parametrize(
    ("times", "span"),
    [
        (("2022-07-26T17:20:40+02:00", "2022-07-26T15:20:01Z"), ("2022-07-26T15:20:01Z", "2022-07-26T17:20:40+02:00")),
        (("Jul 26 17:20:45", "Jul  9 17:20:45", "Jul 20 01:00:00"), ("Jul  9 17:20:45", "Jul 26 17:20:45")),
        (("Jan  1 00:20:45", "Dec 31 23:20:45"), ("Dec 31 23:20:45", "Jan  1 00:20:45")),
        (("2022-07-26T17:20:40", "2021-07-26T17:20:40"), ("2021-07-26T17:20:40", "2022-07-26T17:20:40")),
        # Nobody can say which of these two was first.
        (("2022-07-26T17:20:40", "2022-07-26T15:20:01Z"), ("2022-07-26T17:20:40", "2022-07-26T15:20:01Z")),
    ],
)
def test_rotated_logs_may_come_in_any_order(tmp_path: Path, times: tuple[str, ...], span: tuple[str, str]) -> None:
    logged = read(tmp_path, *(f"{time} vcsc traffic_server[1]: {SELF_SIGNED}" for time in times)).logged_failures[0]

    assert logged.first_seen
    assert logged.last_seen
    assert (logged.first_seen.text, logged.last_seen.text) == span


def test_with_the_workaround_every_line_is_a_connection(tmp_path: Path) -> None:
    logged = read(tmp_path, *[EXPRESSWAY + SELF_SIGNED.replace("Terminate", "Continue")] * 3).logged_failures[0]

    assert (logged.lines, logged.requests) == (3, 3)


def test_a_server_without_a_name_is_called_by_what_was_asked_for(tmp_path: Path) -> None:
    line = SELF_SIGNED.replace("server=cucm.steven.lab(", "server=(null)(")

    assert read(tmp_path, line).logged_failures[0].address == "cucm.steven.lab"


def test_the_request_under_way_names_the_port_and_its_502(tmp_path: Path) -> None:
    # Given a request for port 6972 that is answered with 502, and one for 8443 that is answered with 200
    failed = log_transaction(11, encode_target("steven.lab/https/cucm.steven.lab/6972"))
    accepted = log_transaction(
        12, encode_target("steven.lab/https/cucm.steven.lab/8443"), status="200 OK", verdict="NOTE: nothing"
    )

    evidence = read(tmp_path, *accepted, *failed)

    assert [failure.port for failure in evidence.logged_failures] == [6972]
    assert [(gateway.address, gateway.port, gateway.requests) for gateway in evidence.bad_gateways] == [
        ("cucm.steven.lab", 6972, 1)
    ]


def test_two_requests_under_way_leave_the_port_open(tmp_path: Path) -> None:
    first = log_transaction(11, encode_target("steven.lab/https/cucm.steven.lab/6972"))
    second = log_transaction(12, encode_target("steven.lab/https/cucm.steven.lab/8443"))

    evidence = read(tmp_path, *first[:3], *second[:3], first[6])

    assert evidence.logged_failures[0].port is None


def test_a_request_that_continues_names_the_port_by_the_ip_address(tmp_path: Path) -> None:
    sending = f'{AT} vcsc traffic_server[18242]: Module="network.http.trafficserver": Detail="Sending Request" Txn-id="3028"'

    evidence = read(tmp_path, f'{sending} TrackingID="f" Dst-ip="10.48.36.215" Dst-port="6972" ', EXPRESSWAY + SELF_SIGNED)

    assert evidence.logged_failures[0].port == 6972


def test_the_next_process_ends_a_message(tmp_path: Path) -> None:
    request = log_transaction(11, encode_target("steven.lab/https/cucm.steven.lab/6972"))

    evidence = read(
        tmp_path, *request[:3], *request[7:9], f"{AT} vcsc httpd[1]: something else", "|HTTP/1.1 502 of another server"
    )

    assert evidence.bad_gateways == ()


@pytest.mark.parametrize(
    "line",
    [
        f"1432194201.810 8 10.1.1.1 ERR_CONNECT_FAIL/502 512 GET http://vcsc:8443/{MRA}/cucm-uds/servers - DIRECT/x",
        f'10.1.1.1 - CANARY-user [26/Jul/2022:17:20:45 +0200] "GET https://vcse:8443/{MRA}/cucm-uds/servers HTTP/1.1" 502 0',
    ],
)
def test_an_access_log_has_the_502_beside_the_request(tmp_path: Path, line: str) -> None:
    assert read(tmp_path, line).bad_gateways == (BadGateway(None, "10.48.36.215", 8443),)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        (f"/{MRA}/cucm-uds/servers", Target("10.48.36.215", 8443)),
        (f"https://vcse.steven.lab:8443/{MRA}", Target("10.48.36.215", 8443)),
        (f"/{MRA}==?x", Target("10.48.36.215", 8443)),
        ("/" + encode_target("steven.lab/https/cucm.steven.lab/65536") + "/x", None),
        ("/" + encode_target("steven.lab/https/cucm.steven.lab/0") + "/x", None),
        ("/" + encode_target("steven.lab/ftp/cucm.steven.lab/8443") + "/x", None),
        ("/" + encode_target("steven.lab/https/cu\x1b[2Jcm/8443") + "/x", None),
        ("/" + encode_target("steven.lab/https/8443") + "/x", None),
        ("/cucm-uds/servers/and/more", None),
        ("/aaaaaaaaaaaaa/x", None),
    ],
)
def test_the_target_of_a_url(url: str, target: Target | None) -> None:
    assert parse_target(url) == target


def test_nothing_that_clients_sent_is_kept(tmp_path: Path) -> None:
    evidence = read(tmp_path, *log_transaction(11, encode_target("steven.lab/https/cucm.steven.lab/6972")))

    assert "CANARY" not in repr(evidence)


def test_a_line_of_any_length_is_read_to_its_end(tmp_path: Path) -> None:
    evidence = read(tmp_path, EXPRESSWAY + SELF_SIGNED + " x" * 500_000 + SELF_SIGNED, EXPRESSWAY + NAME)

    # The second stands so far behind the prefix that nobody can say whose it is.
    assert [(failure.kind, failure.peer, failure.lines) for failure in evidence.logged_failures] == [
        ("chain", "vcsc", 1),
        ("chain", None, 1),
        ("name", "vcsc", 1),
    ]
    assert (evidence.lines_read >= 2, evidence.unread_sources) == (True, ())


@pytest.mark.parametrize(
    ("line", "number"),
    [
        (EXPRESSWAY + "NOTE: nothing", 1),
        ("[Nov 25 13:59:41.442] [ET_NET 0] NOTE: nothing", 1),
        ("1432194201.810 8 10.1.1.1 TCP_MISS/200 512 GET http://vcsc:8443/x/cucm-uds/servers - DIRECT/x", 1),
        (SELF_SIGNED, 1),
        (f'{AT} vcsc tvcs: UTCTime="2022-07-26 15:20:46,001" Event="x"', 0),
        ("all is well", 0),
    ],
)
def test_lines_of_a_traffic_server_are_counted(tmp_path: Path, line: str, number: int) -> None:
    assert read(tmp_path, line, "something else", line).coverage.traffic_server_lines == 2 * number


def test_lines_before_a_read_error_are_counted(tmp_path: Path) -> None:
    whole = gzip.compress("".join(f"{EXPRESSWAY}{number}\n" for number in range(9_000)).encode())
    (tmp_path / "log.gz").write_bytes(whole[: len(whole) // 2])

    assert 1_000 < gather([tmp_path], Limits()).coverage.traffic_server_lines < 9_000


def test_kinds_over_the_limit_are_reported(tmp_path: Path) -> None:
    lines = [SELF_SIGNED.replace("cucm.steven.lab", f"host{number}.lab") for number in range(30)]
    (tmp_path / "log.txt").write_text("\n".join(lines))

    evidence = gather([tmp_path], Limits(evidence_kinds=20))

    assert len(evidence.logged_failures) == 20
    assert ["more than 20 different failures" in failure.reason for failure in evidence.unread_sources] == [True]
