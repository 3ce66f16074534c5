"""The kind of a file, by its first bytes."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from remediate.connectors.evidence.content_kind import HEAD, Kind, encoding_of, is_archive, kind_of, unsupported_document

LINE = b"2026-11-23T10:00:00 expc1 traffic_server[1]: WARNING\n"


def tar() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("log.txt"))
    return stream.getvalue()[:HEAD]


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (LINE, Kind.TEXT),
        (b"", Kind.TEXT),
        (LINE.decode().encode("utf-16-le"), Kind.TEXT),
        (LINE + bytes(200) + LINE, Kind.TEXT),  # a log that was cut while it was written
        (gzip.compress(LINE), Kind.GZIP),
        (tar(), Kind.TAR),
        (b"PK\x03\x04" + bytes(30), Kind.ZIP),
        (bytes.fromhex("d4c3b2a1") + bytes(20), Kind.PCAP),
        (bytes.fromhex("0a0d0d0a") + bytes(20), Kind.PCAPNG),
        (b"From a@b.test Mon\nSubject: log\nContent-Type: text/plain\n\nx", Kind.MAIL),
        (b"Subject: no header that only mails have\n\n", Kind.TEXT),
        (b"%PDF-1.7\n", Kind.OTHER),
        (b"Rar!\x1a\x07\x01 without a zero", Kind.OTHER),
        (bytes.fromhex("28b52ffd2c") + b"without a zero", Kind.OTHER),
        (b"\x7fELF\x02\x01\x01" + bytes(9), Kind.OTHER),
    ],
)
def test_first_bytes_decide_the_kind(head: bytes, kind: Kind) -> None:
    assert kind_of(head) is kind
    assert is_archive(head) is (kind in {Kind.GZIP, Kind.TAR, Kind.ZIP})


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_wide_text_is_known_without_a_mark(encoding: str) -> None:
    assert encoding_of(LINE.decode().encode(encoding)) == encoding
    assert encoding_of(LINE) is None


def test_a_document_that_has_to_be_saved_again_says_as_what() -> None:
    assert unsupported_document(b"%PDF-1.7") == "a PDF: save it as plain text, and give that"
    assert unsupported_document(LINE) is None
