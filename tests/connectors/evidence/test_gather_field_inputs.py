"""Logs as a ticket really has them: through relays, tools and editors, cut, joined and packed. Each is read, or it is said why not."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from pathlib import Path

import pytest

from remediate.connectors.evidence import gather
from remediate.model.evidence import Evidence
from remediate.model.limits import Limits
from tests.connectors.evidence.logs import EXPRESSWAY, NAME, SELF_SIGNED
from tests.connectors.evidence.packing import pack_tar, pack_zip

CHAIN, MISMATCH = EXPRESSWAY + SELF_SIGNED, EXPRESSWAY + NAME
ONE, BOTH = [("cucm.steven.lab", "chain")], [("cucm.steven.lab", "chain"), ("10.48.36.215", "name")]
SIP = (
    'Event="Outbound TLS Negotiation Error" Service="SIP" Src-ip="10.1.1.1" Src-port="25697" Dst-ip="2001:db8::1" Dst-port="5061" '
    'Detail="self signed certificate" Protocol="TLS" Common-name="cucm.steven.lab" Level="1"'
)
COLOURED = SELF_SIGNED.replace("self signed", "\x1b[01;31m\x1b[Kself signed\x1b[m\x1b[K")
FILLER = "2022-07-26T17:20:45.560+02:00 vcsc httpd[1]: nothing"


def read(folder: Path, **files: bytes) -> Evidence:
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return gather([folder], Limits())


def lines(*text: str) -> bytes:
    return "".join(f"{line}\n" for line in text).encode()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(lines(f"<131>1 2026-11-20T10:00:00.000+01:00 vcsc traffic_server 99 - - {SELF_SIGNED}"), id="rfc5424"),
        pytest.param(lines(f"<131>Nov 20 10:00:00 vcsc traffic_server[99]: {SELF_SIGNED}"), id="rfc3164 with a priority"),
        pytest.param(lines(f"Nov 20 10:00:01 relay rsyslogd: {CHAIN}"), id="a relay with a process"),
        pytest.param(lines(f"2026-11-20T10:00:01Z relay.lab 10.1.1.1 {CHAIN}"), id="a relay without"),
        pytest.param(lines(f"2026-11-20T10:00:00.000000000Z stderr F {CHAIN}"), id="a container"),
        pytest.param(lines(f"snapshot.txt:123:{CHAIN}", "--", "snapshot.txt-124-nothing"), id="grep -n"),
        pytest.param(lines(EXPRESSWAY + COLOURED), id="grep --color"),
        pytest.param(lines('"_time","_raw"', f'"2026","{CHAIN}"'), id="csv"),
        pytest.param(lines(json.dumps({"host": "vcsc", "message": CHAIN}, indent=2)), id="json"),
        pytest.param(lines("log: |", f"  {CHAIN}"), id="yaml"),
        pytest.param(lines(f"+{CHAIN}"), id="a diff"),
        pytest.param(lines(CHAIN.replace(" ", "\u00a0")), id="blanks that do not break"),
        pytest.param(lines(CHAIN).replace(b"vcsc", b"z\xfcrich"), id="latin-1"),
        pytest.param(lines(CHAIN.replace("(10.48.36.215)", "(2001:db8::11)")), id="ipv6"),
        pytest.param(lines(*[CHAIN] * 300), id="the same line often"),
        pytest.param(lines("x" * 3_000_000 + " " + CHAIN), id="a huge line"),
    ],
)
def test_a_refusal_is_read_out_of_what_a_tool_made(tmp_path: Path, data: bytes) -> None:
    evidence = read(tmp_path, log=data)

    assert [(failure.address, failure.kind) for failure in evidence.logged_failures] == ONE
    assert {failure.error for failure in evidence.logged_failures} == {"self signed certificate"}
    assert evidence.unread_sources == ()


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"log": lines(CHAIN, MISMATCH).replace(b"\n", b"\r\n")}, id="crlf"),
        pytest.param({"log": f"{CHAIN}\r\n{MISMATCH}\r\n".encode("utf-16")}, id="utf-16 with a mark"),
        pytest.param({"log": f"{CHAIN}\n{MISMATCH}\n".encode("utf-16-be")}, id="utf-16 without"),
        pytest.param({"log": lines(CHAIN) + b"\xef\xbb\xbf" + lines(MISMATCH)}, id="a mark in the middle"),
        pytest.param({"log": lines(CHAIN) + f"{MISMATCH}\r\n".encode("utf-16")}, id="utf-16 behind ascii"),
        pytest.param({"log": lines(CHAIN) + bytes(3000) + lines(MISMATCH)}, id="a hole"),
        pytest.param({"log": bytes(10_000) + lines(CHAIN, MISMATCH)}, id="a hole in front"),
        pytest.param({"log": lines(f"{CHAIN} {MISMATCH}")}, id="two in a line"),
        pytest.param({"log": json.dumps([CHAIN] * 200 + [MISMATCH]).encode()}, id="an array in a line"),
        pytest.param({"log": lines(f"2021{CHAIN[4:]}", MISMATCH)}, id="another year"),
        pytest.param({"log.gz": gzip.compress(lines(CHAIN)) + gzip.compress(lines(MISMATCH))}, id="gzip behind gzip"),
        pytest.param(
            {
                "messages.1": lines(CHAIN),
                "messages.2.gz": gzip.compress(lines(MISMATCH)),
                "messages.3.xz": lzma.compress(b"\n"),
            },
            id="a rotation",
        ),
        pytest.param(
            {"log.zip": pack_zip({"a": pack_tar({"b": bz2.compress(lines(CHAIN, MISMATCH))})})}, id="bz2 in tar in zip"
        ),
    ],
)
def test_both_refusals_are_read_from_files_of_any_kind(tmp_path: Path, files: dict[str, bytes]) -> None:
    evidence = read(tmp_path, **files)

    assert [(failure.address, failure.kind) for failure in evidence.logged_failures] == BOTH
    assert evidence.unread_sources == ()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(lines(SELF_SIGNED.partition(". ")[2]), id="its end alone"),
        pytest.param(lines(CHAIN.lower()), id="lower case"),
        pytest.param(lines(CHAIN)[:-60], id="its beginning alone"),
        pytest.param(gzip.compress(lines(*[FILLER] * 3_000))[:-20], id="gzip that was cut"),
        pytest.param(b"snoop\x00\x00\x00" + bytes(200), id="a capture of snoop"),
    ],
)
def test_what_cannot_be_read_is_reported(tmp_path: Path, data: bytes) -> None:
    evidence = read(tmp_path, log=data)

    assert evidence.logged_failures == ()
    assert len(evidence.unread_sources) == 1


@pytest.mark.parametrize(
    ("line", "moment"),
    [(SIP, None), (f'{SIP} UTCTime="2026-11-20 09:00:00,000"', "2026-11-20T09:00:00+00:00")],
)
def test_a_line_of_the_event_log_has_no_prefix(tmp_path: Path, line: str, moment: str | None) -> None:
    (failure,) = read(tmp_path, log=lines(line)).logged_failures

    at = failure.first_seen.at if failure.first_seen else None
    assert (failure.kind, failure.address, failure.port) == ("sip", "cucm.steven.lab", 5061)
    assert (at.isoformat() if at else None) == moment
