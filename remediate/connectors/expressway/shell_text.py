"""What the command shell prints, read: leaves of the configuration and blocks of status. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from remediate.model.errors import WriteRefused

MAX_VALUE = 2048
"""The longest string that an ``xConfiguration`` leaf of ours takes (Expressway reference, X15.0: Ciphers)."""

_ANSI = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\^_=>])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_ERROR = re.compile(r"\W*(error|command not|unknown|unrecogni[sz]ed|invalid|ambiguous|failed)\b", re.IGNORECASE)
_READS = re.compile(r"xstatus\b[^:\n\r]*|xconfiguration\b[^:\n\r]*|(xcommand )?\?", re.IGNORECASE)
_MORE = re.compile(r"-- ?more ?--|\(more\)", re.IGNORECASE)
_ANY_KEY = "press any key"
_YES_OR_NO = re.compile(r"[\[(<] ?(y|yes|n|no)\b[^\])>]{0,40}[\])>][ :?>]*", re.IGNORECASE)
_LONGEST_NAME = 100
_DEEPEST = 8
"""What is deeper, or called by a longer name, is no status of an Expressway; without a limit, paths would grow with the square."""
_VALUE = re.compile(r"[A-Za-z0-9:+!@=_.,\- ]*")


def plain(raw: bytes) -> str:
    """Return what a terminal would show: no escape sequences, no carriage returns."""
    return _CONTROL.sub("", _ANSI.sub("", raw.decode("utf-8", errors="replace")).replace("\r", ""))


def lines_of(text: str) -> list[str]:
    """Return the lines of `text` without what a pager put between them."""
    return [without_pager(line) for line in text.split("\n")]


def without_pager(line: str) -> str:
    """Return what stands behind the last sign of a pager, or the whole line."""
    ends = [match.end() for match in _MORE.finditer(line)]
    return line[ends[-1] :].lstrip() if ends else line


def asks_for_more(text: str) -> bool:
    """Whether a pager waits for a key: `text` is what was printed last."""
    last = text.rpartition("\n")[2].rstrip().casefold()
    return last.endswith(("--more--", "-- more --", "(more)")) or _ANY_KEY in last


def is_question(line: str, *, finished: bool) -> bool:
    """Whether a line that nothing follows wants an answer from a person, by its shape.

    A colon alone makes a question of a line whose end (`finished`) did not come: ``New password:``.
    """
    shown = line.rstrip()
    if shown.lower().startswith(("*c", "*s")):
        return False
    yes_or_no = any(match.end() == len(shown) for match in _YES_OR_NO.finditer(shown))
    return shown.endswith("?") or yes_or_no or (shown.endswith(":") and not finished)


def only_reads(command: str) -> bool:
    """Whether a command can change nothing: ``xStatus``, ``xConfiguration`` without a value, ``?``."""
    return _READS.fullmatch(command) is not None


def is_ok(line: str) -> bool:
    """Whether the box says that an answer is complete."""
    return line.strip().casefold() == "ok"


class ErrorFinder:
    """Finds the line that says that `command` failed, lines given one after the other."""

    def __init__(self, command: str) -> None:
        self._command = command
        self._inside = False

    def is_error(self, line: str) -> bool:
        """Whether the next line says so; never the echo of the command, a leaf or what stands in a status block."""
        start = line[: len("*s/end")].lower()
        if start.startswith("*s"):
            self._inside = start != "*s/end"
            return False
        return not self._inside and not start.startswith("*c") and self._command not in line and _ERROR.match(line) is not None


def error_in(lines: Iterable[str], command: str) -> str | None:
    """Return the first line that says that a command failed, echo, leaves and status left out; None when there is none."""
    finder = ErrorFinder(command)
    return next((line.strip() for line in lines if finder.is_error(line)), None)


def leaves(lines: Iterable[str]) -> dict[str, str]:
    """Return path to value of the ``*c xConfiguration`` lines; stored secrets as ``***``."""
    found = {}
    for line in lines:
        head, colon, value = line.partition(":")
        words = head.split()
        if colon and len(words) > 2 and [word.lower() for word in words[:2]] == ["*c", "xconfiguration"]:
            found[" ".join(words[2:])] = _value(value)
    return found


def status(lines: Iterable[str]) -> dict[str, str]:
    """Return path (``SystemUnit/Software/Version``) to value of the ``*s`` blocks."""
    return {"/".join(path): value for path, value in _status_leaves(lines)}


def _status_leaves(lines: Iterable[str]) -> Iterator[tuple[list[str], str]]:
    levels: list[tuple[int, str]] = []
    for line in lines:
        head, colon, value = line.partition(":")
        if line.lower().startswith("*s/end"):
            levels = []
        elif colon and line[:3].lower() == "*s ":
            levels = [(0, head[3:].strip()[:_LONGEST_NAME])]
        elif levels and colon and line.startswith(" "):
            name = head.strip()
            indent = len(head) - len(head.lstrip(" "))
            levels = [level for level in levels if level[0] < indent]
            if not name or len(name) > _LONGEST_NAME or len(levels) >= _DEEPEST:
                continue
            levels.append((indent, name))
            if value.strip() != "/":
                yield [level_name for _, level_name in levels], _value(value)


def setting(path: str, value: str, *, quoted: bool = True) -> str:
    """Return the command that sets one leaf.

    Raises:
        WriteRefused: the value holds what the shell could take for something else; nothing was sent.
    """
    if not _VALUE.fullmatch(value) or len(value) > MAX_VALUE:
        raise WriteRefused(
            f"The new value of {path} was not sent: it must be at most {MAX_VALUE} characters of an OpenSSL cipher list, "
            "without quotes and line breaks.",
            next_step="Make the plan again; do not edit it by hand.",
        )
    return f'xConfiguration {path}: "{value}"' if quoted else f"xConfiguration {path}: {value}"


def _value(text: str) -> str:
    value = text.strip()
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = value[1:-1]
    return "***" if value.startswith("{cipher}") else value
