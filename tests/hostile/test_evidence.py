"""Files from anybody: reading ends, raises nothing, stays in its limits, and prints nothing that a terminal obeys."""

from __future__ import annotations

import gzip
import json
import os
import tempfile
import time
import unicodedata
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from remediate.connectors.evidence import gather
from remediate.connectors.evidence.content_kind import Kind
from remediate.model.canonical import canonical_json
from remediate.model.diagnosis import Diagnosis
from remediate.model.limits import Limits
from remediate.planner.diagnosis import diagnose
from remediate.report.diagnosis import show_diagnosis
from remediate.report.diagnosis_document import diagnosis_document
from remediate.report.terminal import make_console
from tests.connectors.evidence.captures import ETHERNET, SLL, SLL2, Parties, Speech, capture, pcap, record_handshake, segments
from tests.connectors.evidence.encapsulations import FRAMES, TUNNELS, ethernet, fragmented
from tests.connectors.evidence.logs import FAILED, NAME, SELF_SIGNED
from tests.connectors.evidence.mail_files import make_mail
from tests.connectors.evidence.packing import LOG, pack_tar, pack_zip
from tests.pki import NOW, issue

SMALL = Limits(
    evidence_bytes=4_000_000, evidence_grace_bytes=1_000_000, evidence_members=200, evidence_in_memory_bytes=500_000,
    capture_connections=50, capture_buffered_bytes=500_000, evidence_kinds=50,
)  # fmt: skip
EXAMPLES = int(os.environ.get("REMEDIATE_EXAMPLES", "100"))
TOO_LONG_S = 20.0

CA = issue("Root", ca=True)
LEAF = issue("cucm.steven.lab", CA, names=("cucm.steven.lab",))
SPOKEN = record_handshake([[LEAF, CA]], trusted=[CA], client_cas=[CA], client_chain=[LEAF])
FILES = [
    LOG,
    gzip.compress(LOG * 50),
    pack_tar({"a": LOG, "b.gz": gzip.compress(LOG), "n" * 300: LOG}),
    pack_tar({"a": LOG, "c": capture(segments(SPOKEN))}, "w:xz"),
    pack_zip({"a": LOG, "b": gzip.compress(LOG)}),
    capture(segments(SPOKEN)),
    capture(segments(SPOKEN), kind=Kind.PCAPNG),
    capture(segments(SPOKEN, Parties("2001:db8::1", "2001:db8::2")), SLL2, Kind.PCAPNG, vlan=3),
    capture(segments(SPOKEN), SLL),
    *(pcap(map(wrap, segments(SPOKEN)), link) for link, wrap in FRAMES.values()),
    pcap(
        (ethernet(piece) for packet in segments(SPOKEN) for piece in fragmented(TUNNELS["ERSPAN II"](packet), 128)), cut_to=140
    ),
    make_mail(f"> {SELF_SIGNED}\n", f"<p>{NAME}</p>", "quoted-printable").as_bytes(),
    json.dumps([SELF_SIGNED.replace(" ", "\n"), NAME, FAILED]).encode(),
]
often = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


def diagnose_bytes(data: bytes) -> Diagnosis:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "file"
        file.write_bytes(data)
        started_at = time.process_time()
        diagnosis = diagnose(gather([file], SMALL), (CA.certificate,), NOW)
        assert [path.name for path in Path(folder).iterdir()] == ["file"]
    assert time.process_time() - started_at < TOO_LONG_S
    return diagnosis


def render(diagnosis: Diagnosis) -> str:
    """Both views; the document has to be one that UTF-8 can hold."""
    canonical_json(diagnosis_document(diagnosis)).encode()
    stream = StringIO()
    show_diagnosis(make_console(stream, color=False), diagnosis, every_fact=True)
    return stream.getvalue()


def find_harmful(text: str) -> set[str]:
    return {
        character
        for character in text
        if character != "\n" and unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    }


@often
@given(
    st.sampled_from(FILES), st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 255)), max_size=12), st.integers(0, 3)
)
@example(FILES[5], [(20, 255)], 0)
def test_bytes_changed_at_random(whole: bytes, changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(whole)
    for at, value in changes:
        data[at % len(data)] = value

    assert find_harmful(render(diagnose_bytes(bytes(data[: len(data) - cut * 37])))) == set()


@often
@given(
    st.sampled_from(
        [b"", b"\x1f\x8b\x08\x00", b"BZh9", b"\xfd7zXZ\x00", b"PK\x03\x04", b"PK\x05\x06", b"\x0a\x0d\x0d\x0a", b"\xff\xfe",
         *(file[:size] for file in FILES for size in (4, 24, 40, 512))]
    ),
    st.binary(max_size=3_000),
)  # fmt: skip
def test_the_beginning_of_something_and_then_anything(head: bytes, tail: bytes) -> None:
    assert find_harmful(render(diagnose_bytes(head + tail))) == set()


@often
@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=300)), max_size=6), st.sampled_from([0, 20, 21, 22, 23]))
def test_any_bytes_on_a_connection(messages: list[tuple[bool, bytes]], kind: int) -> None:
    speeches = [
        Speech(by_client, bytes([kind, 3, 3]) + len(data).to_bytes(2, "big") + data if kind else data)
        for by_client, data in messages
    ]

    render(diagnose_bytes(capture(segments(speeches))))


@often
@given(st.sampled_from(SPOKEN), st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 255)), min_size=1, max_size=5))
def test_handshakes_with_bytes_changed(target: Speech, changes: list[tuple[int, int]]) -> None:
    data = bytearray(target.data)
    for at, value in changes:
        data[at % len(data)] = value
    speeches = [Speech(target.by_client, bytes(data)) if speech is target else speech for speech in SPOKEN]

    assert find_harmful(render(diagnose_bytes(capture(segments(speeches), ETHERNET)))) == set()


LINES = [SELF_SIGNED, NAME, FAILED]


@often
@given(
    st.sampled_from(LINES), st.text(max_size=60), st.sampled_from(["cucm.steven.lab", "10.48.36.215", "certificate", "depth=0"])
)
@example(SELF_SIGNED, "\x1b]0;x\x07", "cucm.steven.lab")
@example(SELF_SIGNED, "; rm -rf $(x) `y`", "cucm.steven.lab")
@example(NAME, "\u202e\u2066", "10.48.36.215")
def test_text_of_all_kinds_in_a_line(line: str, text: str, where: str) -> None:
    assert find_harmful(render(diagnose_bytes(line.replace(where, text).encode(errors="replace")))) == set()


@often
@given(st.lists(st.text(max_size=40), max_size=5))
def test_names_of_members_are_only_text(names: Sequence[str]) -> None:
    members = {name.encode(errors="replace").decode().replace("\x00", ""): b"\x00not a log" for name in names}

    assert find_harmful(render(diagnose_bytes(pack_tar(members)))) == set()


@pytest.mark.parametrize("bomb", [b"a", b"\x00", b"a\n", SELF_SIGNED.encode() + b"\n"])
def test_bombs_end_within_their_limits(bomb: bytes) -> None:
    data = gzip.compress(bomb * (30_000_000 // len(bomb)))

    diagnosis = diagnose_bytes(gzip.compress(data))

    assert diagnosis.evidence.unread_sources


def test_a_flood_of_connections_and_of_endpoints_is_bounded() -> None:
    packets = [
        segment
        for number in range(300)
        for segment in segments(SPOKEN[:1], Parties(server=f"10.0.{number // 250}.{number % 250}"), size=2_000)
    ]

    diagnosis = diagnose_bytes(capture(packets))

    assert len(diagnosis.findings) <= SMALL.capture_connections
    assert diagnosis.evidence.unread_sources


def test_a_shell_command_that_is_printed_is_safe_to_paste() -> None:
    line = SELF_SIGNED.replace("server=cucm.steven.lab", "server=x;touch$IFS/tmp/y")

    commands = diagnose_bytes(line.encode()).findings[0].commands

    assert all(";" not in command or "'x;touch$IFS/tmp/y'" in command for command in commands)
