"""The gathering of evidence from files and folders."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from remediate.connectors.evidence.archives import Leaf, Opener
from remediate.connectors.evidence.budget import Budget, CannotRead, LimitReached, describe_error
from remediate.connectors.evidence.capture_reader import CaptureReader
from remediate.connectors.evidence.content_kind import HEAD, Kind, unsupported_document
from remediate.connectors.evidence.log_reader import read_log
from remediate.connectors.evidence.peer_files import PeerFileReader, parse_name
from remediate.connectors.evidence.tally import Tally
from remediate.machine.files import open_regular_file
from remediate.model.errors import RemediateError
from remediate.model.evidence import Coverage, Evidence, UnreadSource
from remediate.model.limits import Limits
from remediate.model.text import count

_NEITHER = "it is neither a log nor an archive or a capture of a supported type"


def gather(paths: Sequence[Path], limits: Limits, on_file: Callable[[str], None] = lambda _name: None) -> Evidence:
    """Return the evidence in the files in `paths`, and in those below its folders.

    Args:
        paths: Files and folders.
        limits: The limits on bytes, members and memory.
        on_file: Called with the name of each file before it is read.

    Raises:
        RemediateError: A path does not exist. Nothing was read.
    """
    for path in paths:
        if not _exists(path):
            raise RemediateError(f"{format_path(path)}: there is no such file or folder.", next_step="Check the path.")
    gatherer = _Gatherer(limits)
    for file in (file for path in paths for file in _list_files(path, gatherer.unread_sources)):
        on_file(format_path(file))
        gatherer.read(file)
    return gatherer.finish()


def _describe_gaps(coverage: Coverage, before: Coverage) -> Iterator[str]:
    """Yield what could not be read of a log, by the counts before and after it."""
    places = coverage.unread_refusals - before.unread_refusals
    if places:
        yield (
            f"fragments of a refusal at {count(places, 'place')} could not be joined to a message: give the original log of "
            "the peer"
        )
    answers = coverage.unknown_bad_gateways - before.unknown_bad_gateways
    if answers:
        yield (
            f"{count(answers, 'answer')} with 502 without its node: give a log that begins before the request, and the log "
            "of Expressway-C, which alone has the reason"
        )


def format_path(path: Path) -> str:
    """Return `path` as text, of whatever bytes it is."""
    return str(path).encode(errors="replace").decode()


def _exists(path: Path) -> bool:
    """Whether `path` exists, also where it may not be read."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        return True
    return True


def _list_files(path: Path, unread_sources: list[UnreadSource]) -> Iterator[Path]:
    """Yield the regular files at or below `path`, by name; links in folders are not followed."""
    waiting = [path]
    while waiting:
        entry = waiting.pop()
        try:
            mode = entry.stat().st_mode
            if stat.S_ISREG(mode):
                yield entry
            elif stat.S_ISDIR(mode):
                waiting += sorted((child for child in entry.iterdir() if not child.is_symlink()), reverse=True)
            else:
                unread_sources.append(UnreadSource(format_path(entry), "it is not a regular file"))
        except OSError as error:
            unread_sources.append(UnreadSource(format_path(entry), describe_error(error)))


class _Gatherer:
    """Reads files one after the other into one tally, and records those that it could not read."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._budget = Budget(limits)
        self._opener = Opener(limits, self._budget)
        self._tally = Tally(limits)
        self.unread_sources: list[UnreadSource] = []
        self._capture_reader = CaptureReader(limits, self._tally)
        self._peer_files = PeerFileReader(limits.max_response_bytes)
        self._logs = self._captures = self._lines = 0

    def read(self, file: Path) -> None:
        """Read one plain file."""
        name = format_path(file)
        try:
            with open_regular_file(file) as stream:
                self._budget.begin_file(os.fstat(stream.fileno()).st_size)
                for leaf in self._opener.open(name, stream):
                    self._read_leaf(leaf)
        except LimitReached as error:
            self.unread_sources.append(UnreadSource(name, str(error)))
        except OSError as error:
            self.unread_sources.append(UnreadSource(name, describe_error(error)))

    def finish(self) -> Evidence:
        """Return the evidence in all files that were read."""
        self._capture_reader.finish()
        if self._tally.has_overflowed:
            self.unread_sources.append(
                UnreadSource(
                    "the rest",
                    f"more than {self._limits.evidence_kinds} different failures, or too many certificates: the rest is not counted",
                )
            )
        self.unread_sources += self._capture_reader.unread_sources
        tally = self._tally
        return Evidence(
            logged_failures=tuple(tally.list_logged_failures()),
            bad_gateways=tuple(tally.list_bad_gateways()),
            handshakes=tuple(tally.list_handshakes()),
            unread_sources=tuple(self.unread_sources),
            logs_read=self._logs,
            captures_read=self._captures,
            lines_read=self._lines,
            packets_read=self._capture_reader.packets,
            coverage=tally.coverage,
            other_failures=tuple(tally.list_other_failures()),
            answered_requests=tuple(tally.list_answered_requests()),
            archived_peers=self._peer_files.finish(),
            openssl_signs=tuple(tally.list_openssl_signs()),
        )

    def _read_leaf(self, leaf: Leaf | UnreadSource) -> None:
        if isinstance(leaf, UnreadSource):
            self.unread_sources.append(leaf)
            return
        try:
            self._read_content(leaf)
        except LimitReached:
            raise
        except CannotRead as error:
            self.unread_sources.append(UnreadSource(leaf.name, str(error)))

    def _read_content(self, leaf: Leaf) -> None:
        peer_file = parse_name(leaf.name) if leaf.kind is Kind.TEXT else None
        if peer_file:
            self._peer_files.read(leaf, peer_file)
        elif leaf.kind is Kind.TEXT:
            self._logs += 1
            self._read_log(leaf)
        elif leaf.kind in {Kind.PCAP, Kind.PCAPNG}:
            self._captures += 1
            self._capture_reader.read(leaf.name, leaf.kind, leaf.stream)
        else:
            document = unsupported_document(leaf.stream.peek(HEAD)[:HEAD])
            raise CannotRead(f"it is {document}" if document else _NEITHER)

    def _read_log(self, leaf: Leaf) -> None:
        before = self._tally.coverage
        try:
            self._lines += read_log(leaf.stream, self._tally, self._limits)
        finally:
            gaps = _describe_gaps(self._tally.coverage, before)
            self.unread_sources += [UnreadSource(leaf.name, reason) for reason in gaps]
