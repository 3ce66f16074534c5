"""YAML document of which every value knows its file and line, so that an error can name them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import yaml

from remediate.machine.files import read_regular_file
from remediate.model.errors import InventoryError

_STRING = "tag:yaml.org,2002:str"
_INTEGER = "tag:yaml.org,2002:int"
_BOOLEAN = "tag:yaml.org,2002:bool"
_QUOTED = re.compile(r"""(['"])(.*?)\1""")
_MAX_DIGITS = 9
_MAX_BYTES = 16 * 1024 * 1024
"""Size limit of an inventory; hundreds of clusters take a tenth of it."""
_KINDS = {"int": "a number", "float": "a number", "bool": "yes or no", "null": "nothing", "timestamp": "a date"}


@dataclass(frozen=True, slots=True)
class Item:
    """One value of the document.

    Attributes:
        name: The name in messages: its key, or ``peers[1]``.
    """

    node: yaml.Node
    file: Path
    name: str

    @property
    def place(self) -> str:
        """``file:line``."""
        return f"{self.file}:{self.node.start_mark.line + 1}"

    @property
    def is_mapping(self) -> bool:
        """Whether this is a mapping."""
        return isinstance(self.node, yaml.MappingNode)

    def error(self, problem: str) -> InventoryError:
        """Return (not raise) an error that names the place of this value and `problem`."""
        return InventoryError(f"{self.place}: {problem}")

    def mapping(
        self, *, required: Collection[str] = (), optional: Collection[str] = (), secret: bool = False
    ) -> dict[str, Item]:
        """Return the keys and values.

        Args:
            required: Keys that must be present.
            optional: Keys that may be present.
            secret: An unknown key that resembles no known one is not quoted, since it may be a password: ``{hunter2}``.

        Raises:
            InventoryError: A key is unknown, doubled or missing.
        """
        if not isinstance(self.node, yaml.MappingNode):
            allowed = ", ".join((*required, *optional))
            raise self.error(f"`{self.name}` must be keys and values ({allowed}), not {_describe_kind(self.node)}.")
        items: dict[str, Item] = {}
        for key_node, value_node in self.node.value:
            key = Item(key_node, self.file, self.name).text()
            if key in items:
                raise Item(key_node, self.file, key).error(f"`{key}` stands twice in `{self.name}`.")
            if key not in required and key not in optional:
                raise Item(key_node, self.file, key).error(
                    _describe_unknown_key(key, self.name, (*required, *optional), secret=secret)
                )
            items[key] = Item(value_node, self.file, key)
        missing = [key for key in required if key not in items]
        if missing:
            raise self.error(f"`{self.name}` lacks the key `{missing[0]}`.")
        return items

    def sequence(self) -> tuple[Item, ...]:
        """Return the entries of a list that must have at least one."""
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.error(f"`{self.name}` must be a list, not {_describe_kind(self.node)}.")
        if not self.node.value:
            raise self.error(f"`{self.name}` is empty: give at least one entry or leave the key out.")
        return tuple(Item(node, self.file, f"{self.name}[{number}]") for number, node in enumerate(self.node.value))

    def text(self) -> str:
        """Return a string that is not empty and can be a path, a name or an argument for the operating system."""
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.error(f"`{self.name}` must be text, not {_describe_kind(self.node)}.")
        if self.node.tag != _STRING:
            raise self.error(f"`{self.name}` must be text, and YAML reads it as {_describe_kind(self.node)}: put it in quotes.")
        if not self.node.value.strip():
            raise self.error(f"`{self.name}` is empty.")
        if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in self.node.value):
            raise self.error(f"`{self.name}` holds a NUL character or half of a surrogate pair, which nothing meant here has.")
        return str(self.node.value)

    def integer(self) -> int:
        """Return a whole number, written in decimal."""
        value = self.node.value if isinstance(self.node, yaml.ScalarNode) else ""
        # YAML 1.1 reads a leading zero as octal, and Python refuses very long numbers.
        if self.node.tag != _INTEGER:
            raise self.error(f"`{self.name}` must be a whole number, not {_describe_kind(self.node)}.")
        if not (value.isascii() and value.isdecimal()) or len(value) > _MAX_DIGITS or value.startswith("0"):
            raise self.error(f"`{self.name}` must be a whole number from 1, in decimal and without a zero before it.")
        return int(value)

    def port(self) -> int:
        """Return a TCP port, 1 to 65535."""
        number = self.integer()
        if not 1 <= number <= 65535:
            raise self.error(f"`{self.name}` is {number}, and a port is 1 to 65535.")
        return number

    def boolean(self) -> bool:
        """Return true or false."""
        if self.node.tag != _BOOLEAN:
            raise self.error(f"`{self.name}` must be true or false, not {_describe_kind(self.node)}.")
        return self.node.value.lower() in {"true", "yes", "on"}

    def choice(self, choices: Collection[str]) -> str:
        """Return one of `choices`. The error for any other value names the nearest."""
        value = self.text()
        if value not in choices:
            raise self.error(f"`{self.name}` is `{value}`, and may be {_join_choices(choices)}.{_suggest(value, choices)}")
        return value

    def path(self) -> Path:
        """Return a path, relative to the inventory file, with ``~`` and ``~USER`` as home directories."""
        try:
            return self.file.parent / Path(self.text()).expanduser()
        except RuntimeError as error:
            raise self.error(
                f"`{self.name}` is `{self.text()}`, and this machine knows no home directory of that user."
            ) from error

    def existing_path(self) -> Path:
        """Return a path, as `path` does, to something that is there."""
        path = self.path()
        try:
            path.stat()
        except FileNotFoundError as error:
            raise self.error(f"`{self.name}` names {path}, which does not exist.") from error
        except OSError as error:
            raise self.error(f"`{self.name}` names {path}, which cannot be looked at: {error.strerror}.") from error
        return path


def read_document(file: Path) -> Item:
    """Return the one document in `file`. Raises InventoryError, which never quotes the file, since it may hold a secret."""
    try:
        node = yaml.compose(read_regular_file(file, _MAX_BYTES).decode(), Loader=yaml.SafeLoader)
    except OSError as error:
        raise InventoryError(f"{file}: cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InventoryError(f"{file}: is not UTF-8 text (byte {error.start}).") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InventoryError(f"{file}:{line}: is not YAML here: {_remove_quotes(error.problem or 'cut short')}.") from None
    except RecursionError:
        raise InventoryError(f"{file}: is nested too deeply to be an inventory.") from None
    except yaml.YAMLError:
        raise InventoryError(f"{file}: is not YAML: it holds a character that YAML does not allow.") from None
    if node is None:
        raise InventoryError(f"{file}:1: is empty: an inventory begins with `version: 1`.")
    return Item(node, file, "inventory")


def _describe_unknown_key(key: str, parent: str, known_keys: tuple[str, ...], *, secret: bool) -> str:
    nearest = _suggest(key, known_keys)
    if secret and not nearest:
        return f"`{parent}` has an unknown key; known are {', '.join(known_keys)}."
    return f"`{key}` is not a key of `{parent}`.{nearest or ' Known: ' + ', '.join(known_keys) + '.'}"


def _remove_quotes(problem: str) -> str:
    """Return PyYAML's message without the alias or tag that it may quote, which may be a password; a single character is not."""
    return _QUOTED.sub(lambda match: match[0] if len(match[2]) <= 1 or match[2].startswith("<") else "…", problem)


def _suggest(word: str, candidates: Collection[str]) -> str:
    match = difflib.get_close_matches(word.replace("-", "_"), candidates, n=1, cutoff=0.5)
    return f" Did you mean `{match[0]}`?" if match else ""


def _join_choices(choices: Collection[str]) -> str:
    *head, last = (f"`{choice}`" for choice in choices)
    return f"{', '.join(head)} or {last}" if head else last


def _describe_kind(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "keys and values"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return _KINDS.get(node.tag.rpartition(":")[2], "text")
