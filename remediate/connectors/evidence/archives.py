"""Archives, and archives in archives, as streams: nothing is extracted, and a member's name is only text."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Final, cast

from remediate.connectors.evidence.budget import BROKEN, Budget, CannotRead, LimitReached, Readable, counted, reason_of
from remediate.connectors.evidence.content_kind import HEAD, Kind, kind_of
from remediate.connectors.evidence.mails import parts_of
from remediate.model.evidence import Unread
from remediate.model.limits import Limits
from remediate.model.text import mask_and_escape

_LARGEST_HEADER: Final = 16 * 1024
_HEADERS: Final = frozenset(
    {tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE}
)
_ENCRYPTED: Final = 0x1
# APPNOTE.TXT 4.3.16: the end of the central directory, its size at 12, behind it a comment; before it, in a zip64, a locator.
_END, _END_BYTES, _LONGEST_COMMENT, _ZIP64_LOCATOR = b"PK\x05\x06", 22, 65_535, b"PK\x06\x07"
_LARGEST_DIRECTORY: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Leaf:
    """A log, a capture, or something else than an archive. To be read before the next one is asked for."""

    name: str
    kind: Kind
    stream: io.BufferedReader


class _Member(tarfile.TarInfo):
    """A header that cannot make us hold it: extended headers are read whole, whatever size they claim."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        # tarfile's own comments name this method as the one to override.
        if self.type in _HEADERS and self.size > _LARGEST_HEADER:
            raise tarfile.ReadError(f"a header of {self.size} bytes")
        return cast("tarfile.TarInfo", super()._proc_member(archive))  # type: ignore[misc]  # the stubs leave it out


class _Content:
    """What is in a member of a tar that is read as a stream. tarfile's own reader loses what stands before a break."""

    def __init__(self, archive: IO[bytes], member: tarfile.TarInfo) -> None:
        self._archive = archive
        self._archive.seek(member.offset_data)
        self._left = member.size

    def read1(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes."""
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._archive.read(wanted) if wanted else b""
        if wanted and not data:
            raise tarfile.ReadError("unexpected end of data")
        self._left -= len(data)
        return data


class Opener:
    """Finds the leaves of one file after the other, within the limits."""

    def __init__(self, limits: Limits, budget: Budget) -> None:
        self._limits = limits
        self._budget = budget

    def leaves(self, name: str, source: Readable, depth: int = 0) -> Iterator[Leaf | Unread]:
        """Give what is in `source`, itself included where it is no archive; in its place what cannot be opened.

        Raises:
            LimitReached: nothing more of this file is to be read.
        """
        try:
            self._budget.member()
            stream = counted(source, self._budget)
            kind = kind_of(stream.peek(HEAD)[:HEAD])
            yield from self._inside(name, kind, stream, source, depth)
        except LimitReached:
            raise
        except CannotRead as error:
            yield Unread(name, str(error))
        except BROKEN as error:
            yield Unread(name, reason_of(error))

    def _inside(
        self, name: str, kind: Kind, stream: io.BufferedReader, source: Readable, depth: int
    ) -> Iterator[Leaf | Unread]:
        if kind in _ARCHIVES and depth >= self._limits.evidence_depth:
            raise CannotRead(f"archives more than {self._limits.evidence_depth} deep are not opened")
        if kind in _UNPACKERS:
            yield from self.leaves(name, _UNPACKERS[kind](stream), depth + 1)
        elif kind is Kind.TAR:
            yield from self._in_tar(name, stream, depth)
        elif kind is Kind.ZIP:
            yield from self._in_zip(name, self._seekable(stream, source), depth)
        elif kind is Kind.MAIL:
            yield from self._in_mail(name, stream, depth)
        else:
            yield Leaf(name, kind, stream)

    def _in_tar(self, name: str, stream: io.BufferedReader, depth: int) -> Iterator[Leaf | Unread]:
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Member, encoding="utf-8", errors="replace") as archive:
            for member in archive:
                archive.members = []  # type: ignore[attr-defined]  # it would remember every header; we never go back
                where = f"{name} > {member.name}"
                claims_too_much = member.size > self._budget.left
                if member.issparse():
                    yield Unread(where, "sparse members are not read")
                elif member.isreg():
                    yield from self.leaves(where, _Content(cast("IO[bytes]", archive.fileobj), member), depth + 1)
                if claims_too_much:
                    # tarfile would skip to the next member by this number, past the end of the file, however long that takes.
                    raise CannotRead(
                        f"{mask_and_escape(member.name)!r} in it claims {member.size} bytes, more than are read of this file"
                    )

    def _in_mail(self, name: str, stream: io.BufferedReader, depth: int) -> Iterator[Leaf | Unread]:
        held = stream.read(self._limits.evidence_mail_bytes + 1)
        if len(held) > self._limits.evidence_mail_bytes:
            raise CannotRead(f"mails of more than {self._limits.evidence_mail_bytes} bytes are not read: save what is attached")
        for part in parts_of(held):
            where = f"{name} > {part.name}"
            yield from self.leaves(where, io.BytesIO(part.data), depth + 1)

    def _in_zip(self, name: str, file: IO[bytes], depth: int) -> Iterator[Leaf | Unread]:
        _check_directory(file)
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                where = f"{name} > {member.filename}"
                if member.flag_bits & _ENCRYPTED:
                    yield Unread(where, "it is encrypted")
                elif not member.is_dir():
                    yield from self._zip_member(where, archive, member, depth)

    def _zip_member(self, where: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo, depth: int) -> Iterator[Leaf | Unread]:
        try:
            opened = archive.open(member)
        except BROKEN as error:
            yield Unread(where, reason_of(error))
            return
        with opened:
            yield from self.leaves(where, cast("Readable", opened), depth + 1)

    def _seekable(self, stream: io.BufferedReader, source: Readable) -> IO[bytes]:
        """A zip is read from its end: a file can be, a member of an archive only once it is held."""
        if isinstance(source, io.BufferedReader) and isinstance(source.raw, io.FileIO):
            source.seek(0)
            return source
        held = stream.read(self._limits.evidence_in_memory_bytes + 1)
        if len(held) > self._limits.evidence_in_memory_bytes:
            raise CannotRead(
                f"a zip of more than {self._limits.evidence_in_memory_bytes} bytes in another archive is not opened"
            )
        return io.BytesIO(held)


def _check_directory(file: IO[bytes]) -> None:
    """Refuse a zip whose directory would have to be held and is too large, before anything reads it. Raises CannotRead."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - _END_BYTES - _LONGEST_COMMENT - 20))
    tail = file.read()
    end = tail.rfind(_END, 0, len(tail) - _END_BYTES + len(_END))
    file.seek(0)
    if end < 0:
        raise CannotRead("it is a zip that ends too early")
    if (
        tail[max(0, end - 20) :].startswith(_ZIP64_LOCATOR)
        or int.from_bytes(tail[end + 12 : end + 16], "little") > _LARGEST_DIRECTORY
    ):
        raise CannotRead("it is a zip64, or its directory is too large: unpack it first")


def _gunzip(stream: io.BufferedReader) -> Readable:
    return gzip.GzipFile(fileobj=stream)


def _bunzip2(stream: io.BufferedReader) -> Readable:
    return bz2.BZ2File(stream)


def _unxz(stream: io.BufferedReader) -> Readable:
    return lzma.LZMAFile(stream)


_UNPACKERS: Final[dict[Kind, Callable[[io.BufferedReader], Readable]]] = {
    Kind.GZIP: _gunzip,
    Kind.BZIP2: _bunzip2,
    Kind.XZ: _unxz,
}
_ARCHIVES: Final = frozenset({*_UNPACKERS, Kind.TAR, Kind.ZIP, Kind.MAIL})
