"""What the command shell prints, read: leaves of the configuration and blocks of status. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from remediate.model.errors import WriteRefused

MAX_VALUE = 2048
"""The longest string that an ``xConfiguration`` leaf of ours takes (Expressway reference, X15.0: Ciphers)."""

_ANSI = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\^_=>])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_LEAF = re.compile(r"\*c\s+xConfiguration\s+([^:]+):\s*(.*)", re.IGNORECASE)
_BLOCK = re.compile(r"\*s\s+([^:]+):\s*(.*)", re.IGNORECASE)
_STATUS = re.compile(r"( +)([^:]+):\s*(.*)")
_ERROR = re.compile(r"\W*(error|command not|unknown|unrecogni[sz]ed|invalid|ambiguous|failed)\b", re.IGNORECASE)
_READS = re.compile(r"xstatus\b[^:\n\r]*|xconfiguration\b[^:\n\r]*|(xcommand )?\?", re.IGNORECASE)
_PAGER = re.compile(r"(--\s*more\s*--|\(more\)|press any key[^\n]*)\s*$", re.IGNORECASE)
_VALUE = re.compile(r"[A-Za-z0-9:+!@=_.,\- ]*")


def plain(raw: bytes) -> str:
    """Return what a terminal would show: no escape sequences, no carriage returns."""
    return _CONTROL.sub("", _ANSI.sub("", raw.decode("utf-8", errors="replace")).replace("\r", ""))


def lines_of(text: str) -> list[str]:
    """Return the lines of `text` without what a pager put between them."""
    return [re.sub(r"^.*(--\s*more\s*--|\(more\))\s*", "", line, flags=re.IGNORECASE) for line in text.split("\n")]


def asks_for_more(text: str) -> bool:
    """Whether a pager waits for a key."""
    return _PAGER.search(text) is not None


def only_reads(command: str) -> bool:
    """Whether a command can change nothing: ``xStatus``, ``xConfiguration`` without a value, ``?``."""
    return _READS.fullmatch(command) is not None


def is_ok(line: str) -> bool:
    """Whether the box says that an answer is complete."""
    return line.strip().casefold() == "ok"


def error_in(lines: Iterable[str], command: str) -> str | None:
    """Return the first line that says that a command failed, echo, leaves and status left out; None when there is none."""
    inside = False
    for line in lines:
        if line.lower().startswith("*s"):
            inside = not line.lower().startswith("*s/end")
        elif not inside and not line.lower().startswith("*c") and command not in line and _ERROR.match(line):
            return line.strip()
    return None


def leaves(lines: Iterable[str]) -> dict[str, str]:
    """Return path to value of the ``*c xConfiguration`` lines; stored secrets as ``***``."""
    found = (match for line in lines if (match := _LEAF.match(line.strip())))
    return {" ".join(match[1].split()): _value(match[2]) for match in found}


def status(lines: Iterable[str]) -> dict[str, str]:
    """Return path (``SystemUnit/Software/Version``) to value of the ``*s`` blocks."""
    return {"/".join(path): value for path, value in _status_leaves(lines)}


def _status_leaves(lines: Iterable[str]) -> Iterator[tuple[list[str], str]]:
    levels: list[tuple[int, str]] = []
    for line in lines:
        if match := _BLOCK.match(line):
            levels = [(0, match[1].strip())]
        elif levels and (match := _STATUS.match(line)):
            indent = len(match[1])
            levels = [*(one for one in levels if one[0] < indent), (indent, match[2].strip())]
            if match[3].strip() != "/":
                yield [name for _, name in levels], _value(match[3])
        elif line.lower().startswith("*s/end"):
            levels = []


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
