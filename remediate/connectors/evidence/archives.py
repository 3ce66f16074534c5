"""The opener of nested archives, as streams: nothing is extracted, and a member's name is only text."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Final, Self, cast

from remediate.connectors.evidence.budget import BROKEN, Budget, CannotRead, LimitReached, Readable, count_reads, describe_error
from remediate.connectors.evidence.content_kind import HEAD, Kind, kind_of
from remediate.connectors.evidence.mails import split_mail
from remediate.model.evidence import UnreadSource
from remediate.model.limits import Limits
from remediate.model.text import mask_and_escape

_MAX_HEADER: Final = 16 * 1024
_BLOCKS: Final = 128 * tarfile.BLOCKSIZE
_EXTENDED_HEADERS: Final = frozenset(
    {tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE}
)
_ENCRYPTED: Final = 0x1
# APPNOTE.TXT 4.3.16: the end of the central directory, its size at 12, behind it a comment; before it, in a zip64, a locator.
_END, _END_BYTES, _MAX_COMMENT, _ZIP64_LOCATOR = b"PK\x05\x06", 22, 65_535, b"PK\x06\x07"
_MAX_DIRECTORY: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Leaf:
    """A log, a capture, or another file that is no archive; it must be read before the next one is requested."""

    name: str
    kind: Kind
    stream: io.BufferedReader


class _BoundedTarInfo(tarfile.TarInfo):
    """A tar header that refuses large extended headers, which tarfile reads whole at any claimed size."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        # tarfile's own comments name this method as the one to override.
        if self.type in _EXTENDED_HEADERS and self.size > _MAX_HEADER:
            raise tarfile.ReadError(f"a header of {self.size} bytes")
        return cast("tarfile.TarInfo", super()._proc_member(archive))  # type: ignore[misc]  # the stubs leave it out

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        """Return the next header. tarfile takes one that it cannot read, but for the first, for the end of the archive."""
        try:
            return super().fromtarfile(archive)
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as error:  # type: ignore[attr-defined]  # the stubs leave both out
            raise tarfile.ReadError(str(error)) from error


class _MemberContent:
    """The content of a member of a tar stream; tarfile's own reader loses the data before a break."""

    def __init__(self, archive: IO[bytes], member: tarfile.TarInfo) -> None:
        self._archive = archive
        self._archive.seek(member.offset_data)
        self._remaining = member.size

    def read1(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes."""
        size = self._remaining if size < 0 else min(size, self._remaining)
        data = self._archive.read(size) if size else b""
        if size and not data:
            raise tarfile.ReadError("unexpected end of data")
        self._remaining -= len(data)
        return data


class _Remainder:
    """What follows the end of a tar, without the zeros that pad it: another tar, if two were written one after the other."""

    def __init__(self, archive: IO[bytes]) -> None:
        self._archive = archive
        self._head = b""
        while not self._head and (data := archive.read(_BLOCKS)):
            zeros = len(data) - len(data.lstrip(b"\x00"))
            self._head = data[zeros // tarfile.BLOCKSIZE * tarfile.BLOCKSIZE :] if zeros < len(data) else b""

    @property
    def kind(self) -> Kind | None:
        """What begins there; None for nothing."""
        return kind_of(self._head[:HEAD]) if self._head else None

    def read1(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes."""
        if not self._head:
            return self._archive.read(size)
        data = self._head if size < 0 else self._head[:size]
        self._head = self._head[len(data) :]
        return data


class Opener:
    """Opens archives down to their leaves, within the limits."""

    def __init__(self, limits: Limits, budget: Budget) -> None:
        self._limits = limits
        self._budget = budget

    def open(self, name: str, source: Readable, depth: int = 0) -> Iterator[Leaf | UnreadSource]:
        """Yield the leaves in `source`, or `source` itself if it is no archive; for each that cannot be opened, the reason.

        Raises:
            LimitReached: The rest of this file must not be read.
        """
        try:
            self._budget.take_member()
            stream = count_reads(source, self._budget)
            kind = kind_of(stream.peek(HEAD)[:HEAD])
            yield from self._open_kind(name, kind, stream, source, depth)
        except LimitReached:
            raise
        except CannotRead as error:
            yield UnreadSource(name, str(error))
        except BROKEN as error:
            yield UnreadSource(name, describe_error(error))

    def _open_kind(
        self, name: str, kind: Kind, stream: io.BufferedReader, source: Readable, depth: int
    ) -> Iterator[Leaf | UnreadSource]:
        if kind in _ARCHIVES and depth >= self._limits.evidence_depth:
            raise CannotRead(f"archives more than {self._limits.evidence_depth} deep are not opened")
        if kind in _UNPACKERS:
            yield from self.open(name, _UNPACKERS[kind](stream), depth + 1)
        elif kind is Kind.TAR:
            yield from self._open_tar(name, stream, depth)
        elif kind is Kind.ZIP:
            yield from self._open_zip(name, self._make_seekable(stream, source), depth)
        elif kind is Kind.MAIL:
            yield from self._open_mail(name, stream, depth)
        else:
            yield Leaf(name, kind, stream)

    def _open_tar(self, name: str, stream: io.BufferedReader, depth: int) -> Iterator[Leaf | UnreadSource]:
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=_BoundedTarInfo, encoding="utf-8", errors="replace") as archive:
            for member in archive:
                archive.members = []  # type: ignore[attr-defined]  # it would keep every header in memory
                where = f"{name} > {member.name}"
                claims_too_much = member.size > self._budget.remaining
                if member.issparse():
                    yield UnreadSource(where, "sparse members are not read")
                elif member.isreg():
                    yield from self.open(where, _MemberContent(cast("IO[bytes]", archive.fileobj), member), depth + 1)
                if claims_too_much:
                    # tarfile would skip as many bytes to the next member, past the end of the file, however long that takes.
                    raise CannotRead(
                        f"{mask_and_escape(member.name)!r} in it claims {member.size} bytes, more than is read of this file"
                    )
            remainder = _Remainder(cast("IO[bytes]", archive.fileobj))
            if remainder.kind is Kind.TAR:
                yield from self.open(name, remainder, depth + 1)
            elif remainder.kind:
                yield UnreadSource(name, "what follows the end of the archive is not read")

    def _open_mail(self, name: str, stream: io.BufferedReader, depth: int) -> Iterator[Leaf | UnreadSource]:
        data = stream.read(self._limits.evidence_mail_bytes + 1)
        if len(data) > self._limits.evidence_mail_bytes:
            raise CannotRead(
                f"mails of more than {self._limits.evidence_mail_bytes} bytes are not read: save the attachment and give that"
            )
        for part in split_mail(data):
            where = f"{name} > {part.name}"
            yield from self.open(where, io.BytesIO(part.data), depth + 1)

    def _open_zip(self, name: str, file: IO[bytes], depth: int) -> Iterator[Leaf | UnreadSource]:
        _check_directory(file)
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                where = f"{name} > {member.filename}"
                if member.flag_bits & _ENCRYPTED:
                    yield UnreadSource(where, "it is encrypted")
                elif not member.is_dir():
                    yield from self._open_zip_member(where, archive, member, depth)

    def _open_zip_member(
        self, where: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo, depth: int
    ) -> Iterator[Leaf | UnreadSource]:
        try:
            stream = archive.open(member)
        except BROKEN as error:
            yield UnreadSource(where, describe_error(error))
            return
        with stream:
            yield from self.open(where, cast("Readable", stream), depth + 1)

    def _make_seekable(self, stream: io.BufferedReader, source: Readable) -> IO[bytes]:
        """Return a seekable stream, as a zip is read from its end; a member of an archive is read into memory."""
        if isinstance(source, io.BufferedReader) and isinstance(source.raw, io.FileIO):
            source.seek(0)
            return source
        data = stream.read(self._limits.evidence_in_memory_bytes + 1)
        if len(data) > self._limits.evidence_in_memory_bytes:
            raise CannotRead(
                f"a zip of more than {self._limits.evidence_in_memory_bytes} bytes in another archive is not opened"
            )
        return io.BytesIO(data)


def _check_directory(file: IO[bytes]) -> None:
    """Check that the directory of a zip fits in memory, before anything reads it.

    Raises:
        CannotRead: It is too large, or the end of the file is missing.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - _END_BYTES - _MAX_COMMENT - 20))
    tail = file.read()
    end = tail.rfind(_END, 0, len(tail) - _END_BYTES + len(_END))
    file.seek(0)
    if end < 0:
        raise CannotRead("the zip is truncated")
    if (
        tail[max(0, end - 20) :].startswith(_ZIP64_LOCATOR)
        or int.from_bytes(tail[end + 12 : end + 16], "little") > _MAX_DIRECTORY
    ):
        raise CannotRead("it is a zip64, or its directory is too large: unpack it first")


_UNPACKERS: Final[dict[Kind, Callable[[io.BufferedReader], Readable]]] = {
    Kind.GZIP: lambda stream: gzip.GzipFile(fileobj=stream),
    Kind.BZIP2: bz2.BZ2File,
    Kind.XZ: lzma.LZMAFile,
}
_ARCHIVES: Final = frozenset({*_UNPACKERS, Kind.TAR, Kind.ZIP, Kind.MAIL})
