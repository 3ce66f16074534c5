"""Messages as people pass them on: wrapped, quoted, escaped and encoded. They are read, or it is said that they are not."""

from __future__ import annotations

import html
import json
import quopri
import textwrap
from pathlib import Path

import pytest

from remediate.connectors.evidence import gather
from remediate.connectors.evidence.refusal_messages import find_messages, parse_message
from remediate.model.evidence import Evidence
from remediate.model.limits import Limits

AT = "2023-03-14T09:12:44.120+01:00 expc01 traffic_server[7120]: [ET_NET 1] "
ISSUER = (
    "WARNING: Core server certificate verification failed for (cucm2.corp.example). Action=Terminate "
    "Error=unable to get local issuer certificate server=cucm2.corp.example(10.20.1.12) depth=0"
)
NAME = "WARNING: SNI (10.20.1.31) not in certificate. Action=Terminate server=10.20.1.31(10.20.1.31)"
ALERT = (
    "ERROR: SSL connection failed for 'imp.corp.example': error:14094415:SSL routines:ssl3_read_bytes:"
    "sslv3 alert certificate expired"
)
OTHER = '2023-03-14T09:12:43.000+01:00 expc01 httpd[9]: UTCTime="2023-03-14 08:12:43,000" Event="something else" Level="1"'
LINES = [OTHER, AT + ISSUER, AT + NAME, AT + ALERT, OTHER]
TEXT = "".join(f"{failure}\n" for failure in LINES)


def read(tmp_path: Path, data: bytes) -> Evidence:
    (tmp_path / "excerpt").write_bytes(data)
    return gather([tmp_path / "excerpt"], Limits())


def chopped(text: str, width: int) -> str:
    """As a terminal breaks lines: at its width, in the middle of a word."""
    pieces = (failure[at : at + width] for failure in text.splitlines() for at in range(0, max(1, len(failure)), width))
    return "".join(f"{piece}\n" for piece in pieces)


def filled(text: str, width: int, quote: str = "") -> str:
    """As a mail breaks lines: between words."""
    return "".join(
        f"{quote}{piece}\n"
        for failure in text.splitlines()
        for piece in textwrap.wrap(failure, width, break_long_words=False, break_on_hyphens=False)
    )


def published(text: str) -> str:
    """As on a page of a web site: each part in a paragraph of its own, with code fences anywhere."""
    for words in ("WARNING:", "ERROR:", "(", "Action=", "depth=", "error:", "SSL routines"):
        text = text.replace(f" {words}", f"\n\n```\n{words}")
    return text.replace("). ", ")\n. ")


CARRIERS: dict[str, bytes] = {
    "as it was written": TEXT.encode(),
    "a terminal of 80 columns": chopped(TEXT, 80).encode(),
    "a terminal of 132 columns": chopped(TEXT, 132).encode(),
    "a telephone of 31 columns": chopped(TEXT, 31).encode(),
    "a terminal whose lines end in CR LF": chopped(TEXT, 80).replace("\n", "\r\n").encode(),
    "a mail that was filled": filled(TEXT, 72).encode(),
    "an answer that quotes it": filled(TEXT, 68, "> ").encode(),
    "an answer that quotes an answer": filled(TEXT, 60, "> > ").encode(),
    "an answer that quotes whole lines": "".join(f"> {failure}\n" for failure in LINES).encode(),
    "format=flowed": filled(TEXT, 70).replace("\n", " \n").encode(),
    "a page with paragraphs and code fences": published(TEXT).encode(),
    "a JSON array in one line": json.dumps(LINES).encode(),
    "a JSON array in many lines": json.dumps(LINES, indent=1).encode(),
    "one JSON string": json.dumps({"description": TEXT}).encode(),
    "JSON in JSON": json.dumps({"body": json.dumps({"log": chopped(TEXT, 80)})}).encode(),
    "one line with <br>": "<br>".join(map(html.escape, LINES)).encode(),
    "one line with <br/> and spaces that do not break": "<br/>".join(map(html.escape, LINES)).replace(" ", "&nbsp;").encode(),
    "HTML that marks what was looked for": TEXT.replace("certificate", "<mark>certificate</mark>").encode(),
    "HTML that was escaped twice": html.escape(html.escape(TEXT)).replace(" ", "&amp;nbsp;").encode(),
    "CR alone": TEXT.replace("\n", "\r").encode(),
    "spaces that do not break": TEXT.replace(" ", "\u00a0").encode(),
    "smart quotes": TEXT.replace("'", "\u2019").encode(),
    "marks that nobody sees": TEXT.replace("certificate", "certi\u200bficate\u00ad").encode(),
    "quoted-printable": quopri.encodestring(TEXT.replace("\n", "\r\n").encode()),
    "quoted-printable of a filled mail": quopri.encodestring(filled(TEXT, 100).replace(" ", "\u00a0").encode()),
    "colours of grep": TEXT.replace("certificate", "\x1b[01;31m\x1b[Kcertificate\x1b[m\x1b[K").encode(),
    "a shell that continues lines": filled(TEXT, 70).replace("\n", " \\\n").encode(),
    "an editor that shows where it wrapped": chopped(TEXT, 90).replace("\n", "\u21b5\n").encode(),
    "breaks as rsyslog writes them": filled(TEXT, 70).replace("\n", "#012").encode(),
    "breaks as a spreadsheet writes them": filled(TEXT, 70).replace("\n", "_x000D_\n").encode(),
    "bytes as Python writes them": ascii(filled(TEXT, 70).replace(" ", "\u00a0").encode().replace(b"\xc2", b"")).encode(),
    "a link of a mail program": filled(TEXT, 70).replace(" ", "%20").replace("\n", "%0D%0A").encode(),
    "UTF-8 with a mark": TEXT.encode("utf-8-sig"),
    "UTF-16 with a mark": TEXT.encode("utf-16"),
    "UTF-16, big endian, with a mark": b"\xfe\xff" + TEXT.encode("utf-16-be"),
    "UTF-16 without a mark": TEXT.encode("utf-16-le"),
    "UTF-16, big endian, without a mark": TEXT.encode("utf-16-be"),
    "UTF-32": TEXT.encode("utf-32"),
    "UTF-16 behind a plain log": f"{OTHER}\n".encode() * 60 + TEXT.encode("utf-16-le"),
    "one line that is far too long": ("x " * 300_000 + " ".join(LINES) + " y" * 300_000).encode(),
    "a wrapped log of many blocks": (chopped(f"{OTHER}\n" * 8_000, 80) + chopped(TEXT, 80)).encode(),
}  # fmt: skip


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS.keys())
def test_a_message_is_read_whatever_carried_it(tmp_path: Path, carrier: bytes) -> None:
    evidence = read(tmp_path, carrier)

    assert {
        (failure.kind, failure.address, failure.depth, failure.alert, failure.lines) for failure in evidence.logged_failures
    } == {
        ("chain", "cucm2.corp.example", 0, None, 1),
        ("name", "10.20.1.31", None, None, 1),
        ("connection", "imp.corp.example", None, 45, 1),
    }
    (chain,) = [failure for failure in evidence.logged_failures if failure.kind == "chain"]
    assert "".join(chain.error.split()) == "unabletogetlocalissuercertificate"
    assert (chain.ip, evidence.unread_sources) == ("10.20.1.12", ())
    assert evidence.coverage.traffic_server_lines >= 3


@pytest.mark.parametrize("width", [60, 66, 72, 76, 79, 80, 81, 100, 120, 150])
def test_a_break_within_a_word_is_no_space(tmp_path: Path, width: int) -> None:
    evidence = read(tmp_path, chopped(TEXT, width).encode())

    assert [failure.error for failure in evidence.logged_failures if failure.kind == "chain"] == [
        "unable to get local issuer certificate"
    ]
    assert {(failure.peer, bool(failure.first_seen and failure.first_seen.at)) for failure in evidence.logged_failures} == {
        ("expc01", True)
    }


def test_many_wrapped_messages_are_each_counted_once(tmp_path: Path) -> None:
    # Given more than one block of them, so that some block ends near each part of a message
    continued = ISSUER.replace("Terminate", "Continue")

    evidence = read(tmp_path, chopped(f"{OTHER}\n{AT}{continued}\n" * 4_001, 80).encode())

    assert [(failure.lines, failure.enforced) for failure in evidence.logged_failures] == [(4_001, False)]
    assert (evidence.coverage.joined_messages, evidence.unread_sources) == (4_001, ())


@pytest.mark.parametrize(
    "words",
    [
        "then it said certificate verify failed and no more",
        "WARNING: Core server certificate verification failed for (cucm2.corp.exa",
        "SNI (10.20.1.31)\nnot in\ncertificate",
        AT + "ERROR: SSL connection failed for 'cucm",
        "Core server certi=\nficate verification",
        "certificate&nbsp;verification&nbsp;failed",
    ],
)
def test_words_of_a_refusal_without_a_message_are_reported(tmp_path: Path, words: str) -> None:
    evidence = read(tmp_path, f"{OTHER}\n{words}\n{OTHER}\n".encode())

    assert evidence.logged_failures == ()
    assert evidence.coverage.unread_refusals == 1
    assert ["fragments of a refusal at 1 place" in source.reason for source in evidence.unread_sources] == [True]


def test_the_message_beside_a_broken_one_is_read(tmp_path: Path) -> None:
    evidence = read(tmp_path, (AT + ISSUER[:60] + "\n" + AT + NAME + "\n").encode())

    assert [failure.kind for failure in evidence.logged_failures] == ["name"]
    assert evidence.coverage.unread_refusals == 1


def test_two_half_messages_do_not_make_a_whole_one(tmp_path: Path) -> None:
    first, _, second = ISSUER.partition(" Error=")

    evidence = read(tmp_path, f"{AT}{first}\n{AT}{NAME}\n{AT}Error={second}\n".encode())

    assert [failure.kind for failure in evidence.logged_failures] == ["name"]


def test_a_url_that_was_cut_names_no_port(tmp_path: Path) -> None:
    # Given a request whose URL a terminal broke within the port, so that what is left reads as port 84
    target = "Y29ycC5leGFtcGxlL2h0dHBzL2N1Y20yLmNvcnAuZXhhbXBsZS84NDQz"
    module = '2023-03-14T09:12:44.100+01:00 expc01 traffic_server[7120]: Module="network.http.trafficserver" Level="DEBUG": '
    request = [
        f'{module}Detail="Receive Request" Txn-id="411" x',
        "HTTPMSG:",
        f"|GET http://vcs/{target[:-2]}",
        f"{target[-2:]}/x HTTP/1.1",
    ]

    evidence = read(tmp_path, "\n".join([*request, AT + ISSUER, ""]).encode())

    assert [failure.port for failure in evidence.logged_failures] == [None]


@pytest.mark.parametrize("magic", [b"%PDF-1.7\n", b"{\\rtf1\\ansi ", bytes.fromhex("d0cf11e0a1b11ae1")])
def test_a_document_is_to_be_saved_as_text(tmp_path: Path, magic: bytes) -> None:
    evidence = read(tmp_path, magic + TEXT.encode())

    assert ["save it as plain text" in source.reason for source in evidence.unread_sources] == [True]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        (ISSUER.replace("for (cucm2.corp", "for (CUCM2.corp"), ("cucm2.corp.example", None, None)),
        (ISSUER.replace("for (cucm2.corp.example)", "for (other)"), ("cucm2.corp.example", "other", "cucm2.corp.example")),
        (NAME.replace("server=10.20.1.31(", "server=cucm.lab("), ("10.20.1.31", "10.20.1.31", "cucm.lab")),
        (NAME.replace("server=10.20.1.31(", "server=(null)("), ("10.20.1.31", None, None)),
    ],
)
def test_the_sni_and_the_server_are_distinguished(line: str, names: tuple[str, str | None, str | None]) -> None:
    (broken,), message = find_messages(line), parse_message(line)

    assert message
    assert (message.address, message.sni, message.server) == (broken.address, broken.sni, broken.server) == names


@pytest.mark.parametrize("end", ["", "certif", "certificate verify"])
def test_the_number_of_an_error_counts_where_its_words_are_cut(end: str) -> None:
    line = f"{AT}ERROR: SSL connection failed for 'a.example': error:1416F086:SSL routines:tls_process_server_certificate:c{end[1:]}"

    message = parse_message(line)

    assert message
    assert message.error == "certificate verify failed"
