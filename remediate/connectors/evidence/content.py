"""What a file is, by its first bytes and never by its name."""

from __future__ import annotations

import tarfile
from enum import StrEnum
from typing import Final

HEAD: Final = 4096
"""How many bytes of a file decide."""

_PCAP: Final = tuple(bytes.fromhex(one) for one in ("a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1"))
_TAR_BLOCK: Final = 512
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")


class Kind(StrEnum):
    """What is known of how to read a file."""

    TEXT = "text"
    GZIP = "gzip"
    BZIP2 = "bzip2"
    XZ = "xz"
    TAR = "tar"
    ZIP = "zip"
    PCAP = "pcap"
    PCAPNG = "pcapng"
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
    """Return what begins with `head`, the first HEAD bytes."""
    known = next((kind for magic, kind in _MAGIC if head.startswith(magic)), None)
    if known:
        return known
    if _is_tar(head[:_TAR_BLOCK]):
        return Kind.TAR
    return Kind.TEXT if head.startswith(_UTF_16) or b"\x00" not in head else Kind.OTHER


def _is_tar(block: bytes) -> bool:
    """A tar has no magic of old: the checksum of its first header has to be right."""
    if len(block) < _TAR_BLOCK or block.count(0) == _TAR_BLOCK:
        return False
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "replace")
    except (tarfile.TarError, ValueError):
        return False
    return True
