"""The kind of a file, by its first bytes and never by its name."""

from __future__ import annotations

import re
import tarfile
from enum import StrEnum
from typing import Final

HEAD: Final = 4096
"""The number of bytes that decide."""

_PCAP: Final = tuple(bytes.fromhex(magic) for magic in ("a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1", "a1b2cd34", "34cdb2a1"))
_TAR_BLOCK: Final = 512
_BYTE_ORDER_MARKS: Final = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
"""Byte order marks, the longer ones first."""
_TEXT_BYTES: Final = frozenset({9, 10, 13, *range(32, 127)})
_HEADER: Final = re.compile(rb"[A-Za-z][A-Za-z0-9-]{0,60}:(?:[ \t]|$)")
_MAIL_HEADERS: Final = (
    b"mime-version:", b"content-type:", b"content-transfer-encoding:", b"received:", b"return-path:", b"message-id:",
)  # fmt: skip
_AS_TEXT, _AS_CAPTURE, _UNPACKED = "save it as plain text", "save it as pcapng, with Wireshark", "unpack it"
_UNSUPPORTED_DOCUMENTS: Final = (
    (b"%PDF-", "a PDF", _AS_TEXT),
    (b"{\\rtf", "a document in rich text format", _AS_TEXT),
    (bytes.fromhex("d0cf11e0a1b11ae1"), "a message of Outlook (.msg) or an older Office document", _AS_TEXT),
    (bytes.fromhex("28b52ffd"), "a Zstandard file", _UNPACKED),
    (bytes.fromhex("04224d18"), "an LZ4 file", _UNPACKED),
    (bytes.fromhex("377abcaf271c"), "a 7-Zip archive", _UNPACKED),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACKED),
    (b"snoop\x00\x00\x00", "a capture of snoop", _AS_CAPTURE),
    (b"GMBU", "a capture of Microsoft Network Monitor", _AS_CAPTURE),
    (b"RTSS", "a capture of Microsoft Network Monitor", _AS_CAPTURE),
    (b"TRSNIFF data", "a capture of Sniffer", _AS_CAPTURE),
)


class Kind(StrEnum):
    """The kind of a file, by how it is read."""

    TEXT = "text"
    GZIP = "gzip"
    BZIP2 = "bzip2"
    XZ = "xz"
    TAR = "tar"
    ZIP = "zip"
    PCAP = "pcap"
    PCAPNG = "pcapng"
    MAIL = "mail"
    OTHER = "other"


_MAGIC: Final[tuple[tuple[bytes, Kind], ...]] = (
    (b"\x1f\x8b", Kind.GZIP),
    (b"BZh", Kind.BZIP2),
    (b"\xfd7zXZ\x00", Kind.XZ),
    (b"PK\x03\x04", Kind.ZIP),
    (b"PK\x05\x06", Kind.ZIP),
    (b"\x0a\x0d\x0d\x0a", Kind.PCAPNG),
    *((magic, Kind.PCAP) for magic in _PCAP),
)


def kind_of(head: bytes) -> Kind:
    """Return the kind of a file that begins with `head`, its first HEAD bytes."""
    by_magic = next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)
    if by_magic:
        return by_magic
    if _is_tar(head[:_TAR_BLOCK]):
        return Kind.TAR
    if unsupported_document(head):
        return Kind.OTHER
    if is_mail(head):
        return Kind.MAIL
    return Kind.TEXT if encoding_of(head) or b"\x00" not in head or _is_text_with_holes(head) else Kind.OTHER


def is_archive(head: bytes) -> bool:
    """Return whether a file that begins with `head` is an archive or is compressed."""
    return kind_of(head) in {Kind.GZIP, Kind.BZIP2, Kind.XZ, Kind.TAR, Kind.ZIP}


def encoding_of(head: bytes) -> str | None:
    """Return the encoding of a UTF-16 or UTF-32 text, with a byte order mark or without; None for other files."""
    by_mark = next((encoding for mark, encoding in _BYTE_ORDER_MARKS if head.startswith(mark)), None)
    if by_mark or b"\x00" not in head:
        return by_mark
    even, odd = head[0::2], head[1::2]
    if _is_ascii(even) and _is_nearly_all_zero(odd):
        return "utf-16-le"
    return "utf-16-be" if _is_ascii(odd) and _is_nearly_all_zero(even) else None


def unsupported_document(head: bytes) -> str | None:
    """Return the name of a type that has to be saved as another first, and as which; None for other files."""
    return next(
        (f"{name}: {remedy}, and give that" for magic, name, remedy in _UNSUPPORTED_DOCUMENTS if head.startswith(magic)), None
    )


def is_mail(head: bytes) -> bool:
    """Whether `head` begins a mail (RFC 5322) or an mbox file (RFC 4155): header lines, one of which only mails have."""
    lines = head.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").partition(b"\n\n")[0].split(b"\n")
    if lines[0].startswith(b"From "):
        del lines[0]
    if len(head) == HEAD and b"\n\n" not in head:
        lines = lines[:-1]
    if not lines or not _HEADER.match(lines[0]):
        return False
    are_headers = all(_HEADER.match(line) or line[:1] in {b" ", b"\t"} for line in lines if line)
    return are_headers and any(line.lower().startswith(_MAIL_HEADERS) for line in lines)


def _is_ascii(data: bytes) -> bool:
    return len(data) >= 4 and sum(byte in _TEXT_BYTES for byte in data) >= 0.9 * len(data)


def _is_text_with_holes(head: bytes) -> bool:
    """Whether `head` is a text with runs of zeros: a log that was cut while it was written, or UTF-16 appended to ASCII."""
    letters = head.replace(b"\x00", b"")
    return _is_ascii(letters) and b"\n" in letters if letters else len(head) == HEAD


def _is_nearly_all_zero(data: bytes) -> bool:
    return data.count(0) >= 0.9 * len(data)


def _is_tar(block: bytes) -> bool:
    """Whether the checksum of the first header is right; old tar files have no magic."""
    if len(block) < _TAR_BLOCK or block.count(0) == _TAR_BLOCK:
        return False
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "replace")
    except (tarfile.TarError, ValueError):
        return False
    return True
