"""Blocks of ``xStatus``: ``*s Zones:`` and what is indented below it, up to ``*s/end``. No I/O.

Strict where `shell_text.parse_status` is not: these blocks show that something is not there, so they must be whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from remediate.model.text import mask_and_escape

_MAX_DEPTH = 8
_MAX_NAME_CHARACTERS = 100


class StatusNotUnderstood(Exception):
    """An answer in an unknown form; `str()` describes it as a clause."""


@dataclass(slots=True)
class StatusGroup:
    """A block, or a group within one.

    Attributes:
        name: As printed: ``Zones``, ``Zone 1``.
        values: The values directly in it, by name in lower case.
        groups: The groups directly in it, in the order printed; ``Call 1: /`` is one too.
    """

    name: str
    values: dict[str, str] = field(default_factory=dict)
    groups: list[StatusGroup] = field(default_factory=list)

    @property
    def first_word(self) -> str:
        """The name without its number, in lower case."""
        return self.name.casefold().split(" ")[0]

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it: ``*s Calls: /``."""
        return not self.values and not self.groups

    def value(self, *names: str) -> str | None:
        """Return the value under the first of these names that it has; None where it has none."""
        return next((self.values[name] for name in names if name in self.values), None)


def parse_blocks(lines: Iterable[str], *names: str) -> tuple[StatusGroup, ...]:
    """Return the blocks in an answer; there is at least one.

    Args:
        lines: The answer, echo and ``OK`` included.
        names: The first words that the names of its blocks may have, in lower case: ``zones``.

    Raises:
        StatusNotUnderstood: There is no block, one of another name, or one that is not whole.
    """
    blocks = tuple(_iterate_blocks(lines))
    if not blocks:
        raise StatusNotUnderstood("it prints no status")
    for block in blocks:
        if block.first_word not in names:
            raise StatusNotUnderstood(f"it prints `{mask_and_escape(block.name, 40)}` instead")
    return blocks


def _iterate_blocks(lines: Iterable[str]) -> Iterator[StatusGroup]:
    levels: list[tuple[int, StatusGroup]] = []
    for line in lines:
        start = line[: len("*s/end")].lower()
        if start == "*s/end":
            if levels:
                yield levels[0][1]
            levels = []
        elif start.startswith("*s "):
            if levels:
                raise StatusNotUnderstood("one status begins within another")
            levels = [(-1, StatusGroup(" ".join(line[3:].partition(":")[0].split())[:_MAX_NAME_CHARACTERS]))]
        elif levels and line.strip():
            _add_line(levels, line)
    if levels:
        raise StatusNotUnderstood(f"its `{mask_and_escape(levels[0][1].name, 40)}` has no end")


def _add_line(levels: list[tuple[int, StatusGroup]], line: str) -> None:
    """Add a line to the group that it is in; `levels` are the open groups, each with its indentation."""
    head, colon, value = line.partition(":")
    name, value = head.strip(), value.strip()
    if not colon or not line.startswith((" ", "\t")) or not name or len(name) > _MAX_NAME_CHARACTERS:
        raise StatusNotUnderstood(f"`{mask_and_escape(line.strip(), 60)}` is not a line of a status")
    indent = len(head) - len(head.lstrip())
    while levels[-1][0] >= indent:
        levels.pop()
    group = levels[-1][1]
    if value in ("", "/"):
        if len(levels) > _MAX_DEPTH:
            raise StatusNotUnderstood("it is nested too deeply")
        member = StatusGroup(name)
        group.groups.append(member)
        levels.append((indent, member))
    else:
        quoted = len(value) >= 2 and value[0] == value[-1] == '"'
        group.values.setdefault(name.casefold(), value[1:-1] if quoted else value)
