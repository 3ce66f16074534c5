"""All evidence in any number of files and folders."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from remediate.connectors.evidence.archives import Leaf, Opener
from remediate.connectors.evidence.budget import Budget, CannotRead, LimitReached, reason_of
from remediate.connectors.evidence.capture_reader import Conversations
from remediate.connectors.evidence.content_kind import HEAD, Kind, foreign_document
from remediate.connectors.evidence.log_reader import read_log
from remediate.connectors.evidence.tally import Tally
from remediate.machine.files import open_regular_file
from remediate.model.errors import RemediateError
from remediate.model.evidence import Evidence, Unread
from remediate.model.limits import Limits
from remediate.model.text import count

_NEITHER = "it is neither a log, nor an archive or a capture that is understood here"


def gather(paths: Sequence[Path], limits: Limits, told: Callable[[str], None] = lambda _name: None) -> Evidence:
    """Return what the files in `paths`, and below folders of them, show. `told` is called with each file's name before it is read.

    Raises:
        RemediateError: there is no such file or folder. Nothing was read then.
    """
    for path in paths:
        if not _is_there(path):
            raise RemediateError(f"{shown(path)}: there is no such file or folder.", next_step="Name what is there.")
    gatherer = _Gatherer(limits)
    for file in (file for path in paths for file in _files(path, gatherer.unread)):
        told(shown(file))
        gatherer.read(file)
    return gatherer.evidence()


def _unread_refusals(places: int) -> str:
    return (
        f"words of a refusal stand at {count(places, 'place')}, and no whole message could be put together from them: give the log "
        "itself, as the peer wrote it"
    )


def shown(path: Path) -> str:
    """Return `path` as text, whatever bytes it is made of."""
    return str(path).encode(errors="replace").decode()


def _is_there(path: Path) -> bool:
    """Whether there is something, be it that it cannot be looked at."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        return True
    return True


def _files(path: Path, unread: list[Unread]) -> Iterator[Path]:
    """The plain files at or below `path`, in the order of their names; links in a folder are not followed."""
    waiting = [path]
    while waiting:
        one = waiting.pop()
        try:
            mode = one.stat().st_mode
            if stat.S_ISREG(mode):
                yield one
            elif stat.S_ISDIR(mode):
                waiting += sorted((below for below in one.iterdir() if not below.is_symlink()), reverse=True)
            else:
                unread.append(Unread(shown(one), "it is no plain file"))
        except OSError as error:
            unread.append(Unread(shown(one), reason_of(error)))


class _Gatherer:
    """Reads files one after the other into one tally, and notes what it could not read."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._budget = Budget(limits)
        self._opener = Opener(limits, self._budget)
        self._tally = Tally(limits)
        self.unread: list[Unread] = []
        self._conversations = Conversations(limits, self._tally)
        self._logs = self._captures = self._lines = 0

    def read(self, file: Path) -> None:
        """Read one plain file."""
        name = shown(file)
        try:
            with open_regular_file(file) as opened:
                self._budget.begin(os.fstat(opened.fileno()).st_size)
                for leaf in self._opener.leaves(name, opened):
                    self._take(leaf)
        except LimitReached as error:
            self.unread.append(Unread(name, str(error)))
        except OSError as error:
            self.unread.append(Unread(name, reason_of(error)))

    def evidence(self) -> Evidence:
        """Return all that was found."""
        self._conversations.finish()
        if self._tally.overflowed:
            self.unread.append(
                Unread(
                    "the rest",
                    f"more than {self._limits.evidence_kinds} different things, or more certificates than are held, are not counted",
                )
            )
        self.unread += self._conversations.unread
        tally = self._tally
        return Evidence(
            tuple(tally.all_logged()), tuple(tally.all_answered()), tuple(tally.all_handshakes()), tuple(self.unread),
            self._logs, self._captures, self._lines, self._conversations.packets, tally.looked_at,
            tuple(tally.all_other_failures()),
        )  # fmt: skip

    def _take(self, found: Leaf | Unread) -> None:
        if isinstance(found, Unread):
            self.unread.append(found)
            return
        try:
            self._read(found)
        except LimitReached:
            raise
        except CannotRead as error:
            self.unread.append(Unread(found.name, str(error)))

    def _read(self, leaf: Leaf) -> None:
        if leaf.kind is Kind.TEXT:
            self._logs += 1
            self._log(leaf)
        elif leaf.kind in {Kind.PCAP, Kind.PCAPNG}:
            self._captures += 1
            self._conversations.read(leaf.name, leaf.kind, leaf.stream)
        else:
            foreign = foreign_document(leaf.stream.peek(HEAD)[:HEAD])
            raise CannotRead(f"it is {foreign}: save it as plain text, and give that" if foreign else _NEITHER)

    def _log(self, leaf: Leaf) -> None:
        before = self._tally.looked_at.unread_refusals
        try:
            self._lines += read_log(leaf.stream, self._tally, self._limits)
        finally:
            places = self._tally.looked_at.unread_refusals - before
            if places:
                self.unread.append(Unread(leaf.name, _unread_refusals(places)))
