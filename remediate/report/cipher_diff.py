"""Difference of two cipher lists, entry by entry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from remediate.model.identity import CipherList

_CONTEXT = 4
"""How many entries that stay are shown beside a change."""


@dataclass(frozen=True, slots=True)
class CipherPart:
    """A run of entries.

    Attributes:
        change: They stay, come or go; *skipped* represents entries that stay and are not shown.
        entries: The entries; of skipped ones how many there are, in one word.
    """

    change: Literal["same", "added", "removed", "skipped"]
    entries: tuple[str, ...]


def compare_ciphers(before: CipherList, after: CipherList) -> tuple[CipherPart, ...]:
    """Return what becomes of each entry of `before`, in order, and what comes in between; long runs that stay are cut."""
    old, new = before.split(":"), after.split(":")
    parts: list[CipherPart] = []
    for operation, old_start, old_end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if operation == "equal":
            parts += _shorten(old[old_start:old_end], is_first=old_start == 0, is_last=old_end == len(old))
            continue
        parts += [CipherPart("removed", tuple(old[old_start:old_end]))] if old_end > old_start else []
        parts += [CipherPart("added", tuple(new[new_start:new_end]))] if new_end > new_start else []
    return tuple(parts)


def _shorten(entries: list[str], *, is_first: bool, is_last: bool) -> Iterator[CipherPart]:
    head = 0 if is_first else _CONTEXT
    tail = 0 if is_last else _CONTEXT
    hidden = len(entries) - head - tail
    if hidden <= 1:
        yield CipherPart("same", tuple(entries))
        return
    if head:
        yield CipherPart("same", tuple(entries[:head]))
    yield CipherPart("skipped", (str(hidden),))
    if tail:
        yield CipherPart("same", tuple(entries[-tail:]))
