"""The budget of bytes to read: every layer of every archive takes from it, so that nesting cannot multiply a bomb."""

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

# The errors of the standard library's readers for files that are not of the kind that their first bytes announce.
BROKEN = (
    OSError, EOFError, ValueError, RuntimeError, ArithmeticError, LookupError, MemoryError,
    zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, struct.error,
)  # fmt: skip


class CannotRead(Exception):
    """A file or member cannot be read (further); the text is the reason. Others can be read."""


class LimitReached(CannotRead):
    """A file unpacks to more than the limit; the rest of it must not be read."""


class Readable(Protocol):
    """A source of bytes."""

    def read1(self, size: int = ..., /) -> bytes:
        """Return at most `size` bytes of a single read, so that an error behind them loses none; empty at the end."""


class Budget:
    """The bytes that may still be read, of the current file and of all."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._remaining = limits.evidence_bytes
        self._remaining_of_file = 0
        self._members = limits.evidence_members

    @property
    def remaining(self) -> int:
        """The bytes that may still be unpacked of the current file."""
        return max(0, min(self._remaining, self._remaining_of_file))

    def begin_file(self, size: int) -> None:
        """Begin a file of `size` bytes."""
        self._remaining_of_file = self._limits.evidence_grace_bytes + self._limits.evidence_ratio * size

    def take(self, size: int) -> None:
        """Take `size` unpacked bytes from the budget.

        Raises:
            LimitReached: The budget is spent.
        """
        self._remaining -= size
        self._remaining_of_file -= size
        if self._remaining < 0:
            raise LimitReached(f"more than {self._limits.evidence_bytes} bytes in all are not read")
        if self._remaining_of_file < 0:
            raise LimitReached(f"it unpacks to more than {self._limits.evidence_ratio} times its size, as a bomb does")

    def take_member(self) -> None:
        """Take a file or member from the budget.

        Raises:
            LimitReached: There were too many.
        """
        self._members -= 1
        if self._members < 0:
            raise LimitReached(f"more than {self._limits.evidence_members} files and members are not read")


class _CountedReads(io.RawIOBase):
    """A stream that returns all data before an error, and raises the error with the next read."""

    def __init__(self, source: Readable, budget: Budget) -> None:
        self._source = source
        self._budget = budget
        self._error: CannotRead | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader passes
        filled = 0
        while filled < len(buffer) and (data := self._read(len(buffer) - filled)):
            buffer[filled : filled + len(data)] = data
            filled += len(data)
        if self._error and not filled:
            raise self._error
        return filled

    def _read(self, size: int) -> bytes:
        if self._error:
            return b""
        try:
            data = self._source.read1(size)
            self._budget.take(len(data))
        except CannotRead as error:
            self._error = error
            return b""
        except BROKEN as error:
            self._error = CannotRead(describe_error(error))
            return b""
        return data


def count_reads(source: Readable, budget: Budget) -> io.BufferedReader:
    """Return `source` as a buffered stream that takes from `budget`, and whose reads raise only CannotRead."""
    return io.BufferedReader(_CountedReads(source, budget), 64 * 1024)


def describe_error(error: BaseException) -> str:
    """Return the reason of a read error in a few words."""
    if isinstance(error, EOFError):
        return "it is truncated"
    if isinstance(error, OSError) and error.strerror:
        return mask_and_escape(error.strerror)
    return mask_and_escape(f"it is broken: {error}" if str(error) else f"it is broken ({type(error).__name__})")
