"""YAML document of which every value knows its file and line, so that a mistake can name them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from remediate.machine.files import read_regular_file
from remediate.model.errors import InventoryError
from remediate.model.text import count, quote

Location = tuple[str | int, ...]
"""The way to a value: keys, and positions in lists."""

STRING: Final = "tag:yaml.org,2002:str"
INTEGER: Final = "tag:yaml.org,2002:int"
_BOOLEAN = "tag:yaml.org,2002:bool"
_QUOTED = re.compile(r"""(['"])(.*?)\1""")
_MISSING_BLANK = re.compile(r"\s*(?:- +)*\w+:[^\s/]")
_DECIMAL = re.compile(r"[1-9][0-9]{0,8}")
"""YAML 1.1 reads a leading zero as octal, and Python refuses very long numbers."""
_MAX_BYTES = 16 * 1024 * 1024
"""Size limit of an inventory; hundreds of clusters take a tenth of it."""
_MAX_MISTAKES = 20
"""How many mistakes are shown at once."""
_KINDS = {"int": "a number", "float": "a number", "bool": "yes or no", "null": "no value", "timestamp": "a date"}


class Unreadable:
    """Value that is of no kind that an inventory has: a date, a fraction, nothing. It stands for itself in no message."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a file.

    Attributes:
        line: From 1.
        sentence: What is wrong, and what would be right. It never quotes what may be a password.
    """

    file: Path
    line: int
    sentence: str

    def __str__(self) -> str:
        """Return ``file:line: sentence``."""
        return f"{self.file}:{self.line}: {self.sentence}"


def combine_mistakes(mistakes: Iterable[Mistake], *, next_step: str | None = None) -> InventoryError:
    """Return one error that shows all mistakes, by file and line."""
    lines = list(dict.fromkeys(str(mistake) for mistake in sorted(mistakes, key=lambda mistake: (mistake.file, mistake.line))))
    if len(lines) > _MAX_MISTAKES:
        lines[_MAX_MISTAKES:] = [f"and {count(len(lines) - _MAX_MISTAKES, 'more mistake')}."]
    return InventoryError("\n".join(lines), next_step=next_step)


@dataclass(slots=True)
class Document:
    """One YAML document.

    Attributes:
        mistakes: Keys that stand twice, or are no text.
    """

    file: Path
    root: yaml.Node
    mistakes: list[Mistake] = field(default_factory=list)
    _values: dict[int, object] = field(default_factory=dict)

    def value(self) -> object:
        """Return the document as dict, list, str, int, bool and `Unreadable`, each node once however often an alias names it.

        A key that stands twice, or is no text, is a mistake, and is left out.
        """
        return self._value_of(self.root, "inventory")

    def node_at(self, location: Location) -> yaml.Node:
        """Return the node at `location`; where there is none, the nearest above it."""
        return self._nodes_to(location)[-1]

    def line_of(self, location: Location) -> int:
        """Return the line of the value at `location`; of its key, where the value is on a later one."""
        return int(self.node_at(location).start_mark.line) + 1

    def line_of_key(self, location: Location) -> int:
        """Return the line of the key that `location` ends with."""
        parent = self.node_at(location[:-1])
        if isinstance(parent, yaml.MappingNode):
            for key, _ in parent.value:
                if key.value == location[-1]:
                    return int(key.start_mark.line) + 1
        return self.line_of(location)

    def _nodes_to(self, location: Location) -> Sequence[yaml.Node]:
        nodes = [self.root]
        for step in location:
            node = _child(nodes[-1], step)
            if node is None:
                break
            nodes.append(node)
        return nodes

    def _value_of(self, node: yaml.Node, name: str) -> object:
        if id(node) not in self._values:
            if isinstance(node, yaml.MappingNode):
                mapping: dict[str, object] = {}
                self._values[id(node)] = mapping
                self._fill_mapping(mapping, node, name)
            elif isinstance(node, yaml.SequenceNode):
                entries: list[object] = []
                self._values[id(node)] = entries
                entries.extend(self._value_of(entry, f"{name}[{number}]") for number, entry in enumerate(node.value))
            else:
                self._values[id(node)] = _scalar(node)
        return self._values[id(node)]

    def _fill_mapping(self, mapping: dict[str, object], node: yaml.MappingNode, name: str) -> None:
        for key, value in node.value:
            line = int(key.start_mark.line) + 1
            if not isinstance(key, yaml.ScalarNode) or key.tag != STRING:
                sentence = f"a key of `{name}` must be text, and YAML reads it as {describe_kind(key)}: put it in quotes."
                self.mistakes.append(Mistake(self.file, line, sentence))
            elif key.value in mapping:
                self.mistakes.append(Mistake(self.file, line, f"`{key.value}` is listed twice in `{name}`."))
            else:
                mapping[key.value] = None
                mapping[key.value] = self._value_of(value, key.value)


def _child(node: yaml.Node, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        entry: yaml.Node = node.value[step]
        return entry
    return None


def _scalar(node: yaml.Node) -> object:
    if node.tag == STRING:
        return str(node.value)
    if node.tag == INTEGER and _DECIMAL.fullmatch(node.value):
        return int(node.value)
    if node.tag == _BOOLEAN:
        return node.value.lower() in {"true", "yes", "on"}
    return Unreadable()


def read_document(file: Path) -> Document:
    """Return the one document in `file`. Raises InventoryError, which never quotes the file, since it may hold a secret."""
    text = ""
    try:
        text = read_regular_file(file, _MAX_BYTES).decode()
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except OSError as error:
        raise InventoryError(f"{file}: cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InventoryError(f"{file}: is not UTF-8 text (byte {error.start}).") from error
    except yaml.MarkedYAMLError as error:
        raise InventoryError(_describe_mistake(file, text, error)) from None
    except RecursionError:
        raise InventoryError(f"{file}: is nested too deeply to be an inventory.") from None
    except yaml.YAMLError:
        raise InventoryError(f"{file}: is not YAML: it has a character that YAML does not allow.") from None
    if node is None:
        raise InventoryError(f"{file}:1: is empty: an inventory begins with `version: 1`.")
    return Document(file, node)


def _describe_mistake(file: Path, text: str, error: yaml.MarkedYAMLError) -> str:
    """Return where and why `text` is no YAML; PyYAML names the line after a key whose blank is missing."""
    line, problem = error.problem_mark.line + 1 if error.problem_mark else 1, error.problem or ""
    if "'\\t'" in problem:
        return f"{file}:{line}: is not YAML: it has a tab where YAML takes blanks only."
    key_line, key = next(((number, key) for number, key in reversed(_number_lines(text)) if number < line), (1, ""))
    if _MISSING_BLANK.match(key):
        return f"{file}:{key_line}: is not YAML: a blank is missing after the colon of its key."
    reason = _remove_quotes(problem) if problem else "cut short"
    return f"{file}:{line}: is not YAML: {reason}."


def _number_lines(text: str) -> list[tuple[int, str]]:
    """Return the lines that are not empty with their numbers."""
    return [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]


def _remove_quotes(problem: str) -> str:
    """Return PyYAML's words without the alias or tag that they may quote, which may be a password; a single character is not."""
    return quote(_QUOTED.sub(lambda match: match[0] if len(match[2]) <= 1 or match[2].startswith("<") else "…", problem))


def describe_kind(node: yaml.Node) -> str:
    """Return what kind of value YAML reads: ``a list``, ``a number``, ``a string``."""
    if isinstance(node, yaml.MappingNode):
        return "keys and values"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return _KINDS.get(node.tag.rpartition(":")[2], "a string")
