"""How much may be read: every layer of every archive takes from one budget, so that no nesting multiplies what a bomb unpacks to."""

from __future__ import annotations

import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from typing import Protocol

from remediate.model.limits import Limits
from remediate.model.text import mask_and_escape

# What the standard library's readers raise for files that are not what their first bytes say.
BROKEN = (
    OSError, EOFError, ValueError, RuntimeError, ArithmeticError, LookupError, MemoryError,
    zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, struct.error,
)  # fmt: skip


class CannotRead(Exception):
    """This file or member cannot be read (any further); its text says why. Others can."""


class LimitReached(CannotRead):
    """This file would unpack to more than is read of any: nothing more of it is."""


class Readable(Protocol):
    """What bytes are read from."""

    def read1(self, size: int = ..., /) -> bytes:
        """Return at most `size` bytes of what one read brings (so that a break behind them loses none); none at the end."""


class Budget:
    """What may still be read of one file, and of all."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._left = limits.evidence_bytes
        self._left_of_file = 0
        self._members = limits.evidence_members

    @property
    def left(self) -> int:
        """How many bytes may still be unpacked of this file."""
        return max(0, min(self._left, self._left_of_file))

    def begin(self, size: int) -> None:
        """A new file of `size` bytes is opened."""
        self._left_of_file = self._limits.evidence_grace_bytes + self._limits.evidence_ratio * size

    def take(self, size: int) -> None:
        """`size` bytes were unpacked. Raises LimitReached."""
        self._left -= size
        self._left_of_file -= size
        if self._left < 0:
            raise LimitReached(f"more than {self._limits.evidence_bytes} bytes in all are not read")
        if self._left_of_file < 0:
            raise LimitReached(f"it unpacks to more than {self._limits.evidence_ratio} times its size, as a bomb does")

    def member(self) -> None:
        """One more file or member is opened. Raises LimitReached."""
        self._members -= 1
        if self._members < 0:
            raise LimitReached(f"more than {self._limits.evidence_members} files and members are not read")


class _Counted(io.RawIOBase):
    """Fills what is asked for, as far as there is: what stands before a break is given first, then the break is told."""

    def __init__(self, source: Readable, budget: Budget) -> None:
        self._source = source
        self._budget = budget
        self._broken: CannotRead | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader passes
        filled = 0
        while filled < len(buffer) and (data := self._read(len(buffer) - filled)):
            buffer[filled : filled + len(data)] = data
            filled += len(data)
        if self._broken and not filled:
            raise self._broken
        return filled

    def _read(self, size: int) -> bytes:
        if self._broken:
            return b""
        try:
            data = self._source.read1(size)
            self._budget.take(len(data))
        except CannotRead as error:
            self._broken = error
            return b""
        except BROKEN as error:
            self._broken = CannotRead(reason_of(error))
            return b""
        return data


def counted(source: Readable, budget: Budget) -> io.BufferedReader:
    """Return `source` as a buffered stream whose reads raise CannotRead alone."""
    return io.BufferedReader(_Counted(source, budget), 64 * 1024)


def reason_of(error: BaseException) -> str:
    """Return in a few words why reading failed."""
    if isinstance(error, EOFError):
        return "it ends too early"
    if isinstance(error, OSError) and error.strerror:
        return mask_and_escape(error.strerror)
    return mask_and_escape(f"it is broken: {error}" if str(error) else f"it is broken ({type(error).__name__})")
