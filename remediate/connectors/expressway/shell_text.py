"""Text of the command shell: leaves, blocks of status, errors, questions, and the answer to one command. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable

from remediate.model.errors import WriteRefused
from remediate.model.limits import Limits

MAX_VALUE = 2048
"""The longest string that an ``xConfiguration`` leaf of ours takes (Expressway reference, X15.0: Ciphers)."""

_ANSI = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\^_=>])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_ERROR = re.compile(r"\W*(error|command not|unknown|unrecogni[sz]ed|invalid|ambiguous|failed)\b", re.IGNORECASE)
_READS = re.compile(r"xstatus\b[^:\n\r]*|xconfiguration\b[^:\n\r]*|(xcommand )?\?", re.IGNORECASE)
_MORE = re.compile(r"-- ?more ?--|\(more\)", re.IGNORECASE)
_ANY_KEY = "press any key"
_YES_OR_NO = re.compile(r"[\[(<] ?(y|yes|n|no)\b[^\])>]{0,40}[\])>][ :?>]*", re.IGNORECASE)
_MAX_NAME_CHARACTERS = 100
_MAX_DEPTH = 8
"""No status of an Expressway is deeper or has longer names; without a limit, paths would grow with the square."""
_VALUE = re.compile(r"[A-Za-z0-9:+!@=_.,\- ]*")
_MAX_PROMPT_BYTES = 400
"""A longer unfinished line is neither OK nor a question nor the prompt of a pager."""


def strip_terminal_codes(raw: bytes) -> str:
    """Return what a terminal would show: no escape sequences, no carriage returns."""
    return _CONTROL.sub("", _ANSI.sub("", raw.decode("utf-8", errors="replace")).replace("\r", ""))


def strip_pager(line: str) -> str:
    """Return what follows the last prompt of a pager, or the whole line."""
    ends = [match.end() for match in _MORE.finditer(line)]
    return line[ends[-1] :].lstrip() if ends else line


def is_pager_prompt(text: str) -> bool:
    """Return whether a pager waits for a key.

    Args:
        text: What was printed last.
    """
    last = text.rpartition("\n")[2].rstrip().casefold()
    return last.endswith(("--more--", "-- more --", "(more)")) or _ANY_KEY in last


def is_question(line: str, *, finished: bool) -> bool:
    """Return whether a line that nothing follows expects an answer from a person, by its shape.

    A colon alone makes a question only of a line that is not `finished`: ``New password:``.
    """
    text = line.rstrip()
    if text.lower().startswith(("*c", "*s")):
        return False
    yes_or_no = any(match.end() == len(text) for match in _YES_OR_NO.finditer(text))
    return text.endswith("?") or yes_or_no or (text.endswith(":") and not finished)


def is_read_only(command: str) -> bool:
    """Return whether a command can change nothing: ``xStatus``, ``xConfiguration`` without a value, ``?``."""
    return _READS.fullmatch(command) is not None


def is_ok(line: str) -> bool:
    """Return whether a line marks an answer as complete."""
    return line.strip().casefold() == "ok"


class ErrorFinder:
    """Finds the line that reports the failure of `command`, in lines given one after the other."""

    def __init__(self, command: str) -> None:
        self._command = command
        self._inside = False

    def is_error(self, line: str) -> bool:
        """Return whether the next line reports the failure.

        The echo of the command, a leaf and a line of a status block never do.
        """
        start = line[: len("*s/end")].lower()
        if start.startswith("*s"):
            self._inside = start != "*s/end"
            return False
        return not self._inside and not start.startswith("*c") and self._command not in line and _ERROR.match(line) is not None


def find_error(lines: Iterable[str], command: str) -> str | None:
    """Return the first line that reports a failure, other than echo, leaves and status; None when there is none."""
    finder = ErrorFinder(command)
    return next((line.strip() for line in lines if finder.is_error(line)), None)


def parse_leaves(lines: Iterable[str]) -> dict[str, str]:
    """Return path to value of the ``*c xConfiguration`` lines; stored secrets are ``***``."""
    values = {}
    for line in lines:
        head, colon, value = line.partition(":")
        words = head.split()
        if colon and len(words) > 2 and [word.lower() for word in words[:2]] == ["*c", "xconfiguration"]:
            values[" ".join(words[2:])] = _parse_value(value)
    return values


def parse_status(lines: Iterable[str]) -> dict[str, str]:
    """Return path (``SystemUnit/Software/Version``) to value of the ``*s`` blocks."""
    values = {}
    path = _StatusPath()
    for line in lines:
        head, colon, value = line.partition(":")
        if line.lower().startswith("*s/end"):
            path.end_block()
        elif colon and line[:3].lower() == "*s ":
            path.begin_block(head[3:].strip())
        elif colon and line.startswith(" ") and path.enter(head) and value.strip() != "/":
            values[str(path)] = _parse_value(value)
    return values


class _StatusPath:
    """The path to a key of a status block, which the indentation of its line and of those above it gives."""

    def __init__(self) -> None:
        self._keys: list[tuple[int, str]] = []

    def __str__(self) -> str:
        return "/".join(name for _, name in self._keys)

    def begin_block(self, name: str) -> None:
        self._keys = [(0, name[:_MAX_NAME_CHARACTERS])]

    def end_block(self) -> None:
        self._keys = []

    def enter(self, head: str) -> bool:
        """Go to the key in `head`, a line up to its colon; return False outside of a block, and for a key that no status has."""
        name, indent = head.strip(), len(head) - len(head.lstrip(" "))
        self._keys = [key for key in self._keys if key[0] < indent]
        if not self._keys or not name or len(name) > _MAX_NAME_CHARACTERS or len(self._keys) >= _MAX_DEPTH:
            return False
        self._keys.append((indent, name))
        return True


def format_setting(path: str, value: str, *, quoted: bool = True) -> str:
    """Return the command that sets one leaf.

    Raises:
        WriteRefused: The shell could misread the value; nothing was sent.
    """
    if not _VALUE.fullmatch(value) or len(value) > MAX_VALUE:
        raise WriteRefused(
            f"The new value of {path} was not sent: it must be at most {MAX_VALUE} characters of an OpenSSL cipher list, "
            "without quotes and line breaks.",
            next_step="Make the plan again; do not edit it by hand.",
        )
    return f'xConfiguration {path}: "{value}"' if quoted else f"xConfiguration {path}: {value}"


def _parse_value(text: str) -> str:
    value = text.strip()
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = value[1:-1]
    return "***" if value.startswith("{cipher}") else value


class AnswerTooLarge(Exception):
    """The peer prints more than an answer can be; `str()` states how much."""


class ShellAnswer:
    """The answer to one command, as far as it was received. Each byte is looked at once.

    Attributes:
        lines: The finished lines, as a terminal would show them.
        complete: The peer printed OK; after the status of the unit (`greeting`), behind a whole block of it.
        failed: A line reports that the command failed.
    """

    def __init__(self, command: str, limits: Limits, *, greeting: bool) -> None:
        self._command = command
        self._limits = limits
        self._errors = ErrorFinder(command)
        # A banner may hold a line OK: before the greeting's status block none counts.
        self._ok_counts = not greeting
        self._greeting = greeting
        self._pending = bytearray()
        self._size = 0
        self.lines: list[str] = []
        self.complete = False
        self.failed = False

    def feed(self, chunk: bytes) -> None:
        """Add the next bytes.

        Raises:
            AnswerTooLarge: The answer or a line is longer than its limit.
        """
        self._size += len(chunk)
        if self._size > self._limits.shell_answer_bytes:
            raise AnswerTooLarge(f"the answer is larger than {self._limits.shell_answer_bytes} bytes")
        *finished, beginning = chunk.split(b"\n")
        for piece in finished:
            self._pending += piece
            self._finish_line()
        self._pending += beginning
        self._require_short_line()

    @property
    def unfinished(self) -> str:
        """The line whose end has not been received; empty where it is too long to be a prompt."""
        return self._read_pending() if len(self._pending) <= _MAX_PROMPT_BYTES else ""

    @property
    def is_complete_if_quiet(self) -> bool:
        """Whether nothing more needs to follow: after an error, or an OK whose line is not ended."""
        failed = self.failed and not self._greeting
        return failed or (self._ok_counts and is_ok(self.unfinished))

    @property
    def awaits_key(self) -> bool:
        """Whether a pager waits."""
        return is_pager_prompt(strip_terminal_codes(bytes(self._pending[-_MAX_PROMPT_BYTES:])))

    @property
    def question(self) -> str | None:
        """The question that a person would have to answer now, if nothing more follows; None where there is none."""
        finished = not self._pending.strip()
        last = next((line for line in reversed(self.lines) if line.strip()), "") if finished else self.unfinished
        echo = self._command and self._command in last
        return last if not echo and is_question(last, finished=finished) else None

    def all_lines(self) -> list[str]:
        """Return the lines, with the unfinished one as the last."""
        return [*self.lines, self._read_pending()]

    def _read_pending(self) -> str:
        return strip_pager(strip_terminal_codes(bytes(self._pending)))

    def _finish_line(self) -> None:
        self._require_short_line()
        line = self._read_pending()
        self._pending.clear()
        self.lines.append(line)
        self.failed |= self._errors.is_error(line)
        if self._greeting and line.lower().startswith("*s/end"):
            self._ok_counts = True
        self.complete |= self._ok_counts and is_ok(line)

    def _require_short_line(self) -> None:
        if len(self._pending) > self._limits.shell_line_bytes:
            raise AnswerTooLarge(f"a line is longer than {self._limits.shell_line_bytes} bytes")
