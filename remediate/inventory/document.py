"""A YAML document whose every value knows its file and line, so that a mistake can be shown where it stands."""

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
_MOST_DIGITS = 9
_LARGEST_BYTES = 16 * 1024 * 1024
"""Hundreds of clusters take a tenth of it."""
_KINDS = {"int": "a number", "float": "a number", "bool": "yes or no", "null": "nothing", "timestamp": "a date"}


@dataclass(frozen=True, slots=True)
class Item:
    """One value of the document.

    Attributes:
        name: what a message calls it: its key, or ``peers[1]``.
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
        """Whether keys and values stand here."""
        return isinstance(self.node, yaml.MappingNode)

    def error(self, problem: str) -> InventoryError:
        """Return (not raise) the error that says `problem` of this value, with its place."""
        return InventoryError(f"{self.place}: {problem}")

    def mapping(
        self, *, required: Collection[str] = (), optional: Collection[str] = (), secret: bool = False
    ) -> dict[str, Item]:
        """Return the keys and values.

        Args:
            secret: an unknown key that resembles no known one is not quoted, since it may be a password: ``{hunter2}``.

        Raises:
            InventoryError: an unknown, doubled or missing key.
        """
        if not isinstance(self.node, yaml.MappingNode):
            known = ", ".join((*required, *optional))
            raise self.error(f"`{self.name}` must be keys and values ({known}), not {_kind(self.node)}.")
        found: dict[str, Item] = {}
        for key_node, value_node in self.node.value:
            key = Item(key_node, self.file, self.name).text()
            if key in found:
                raise Item(key_node, self.file, key).error(f"`{key}` stands twice in `{self.name}`.")
            if key not in required and key not in optional:
                raise Item(key_node, self.file, key).error(_unknown_key(key, self.name, (*required, *optional), secret=secret))
            found[key] = Item(value_node, self.file, key)
        missing = [key for key in required if key not in found]
        if missing:
            raise self.error(f"`{self.name}` lacks the key `{missing[0]}`.")
        return found

    def sequence(self) -> tuple[Item, ...]:
        """Return the entries of a list that must have at least one."""
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.error(f"`{self.name}` must be a list, not {_kind(self.node)}.")
        if not self.node.value:
            raise self.error(f"`{self.name}` is empty: give at least one entry or leave the key out.")
        return tuple(Item(node, self.file, f"{self.name}[{number}]") for number, node in enumerate(self.node.value))

    def text(self) -> str:
        """Return a string that is not empty and can be given to the operating system: as a path, a name, an argument."""
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.error(f"`{self.name}` must be text, not {_kind(self.node)}.")
        if self.node.tag != _STRING:
            raise self.error(f"`{self.name}` must be text, and YAML reads it as {_kind(self.node)}: put it in quotes.")
        if not self.node.value.strip():
            raise self.error(f"`{self.name}` is empty.")
        if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in self.node.value):
            raise self.error(f"`{self.name}` holds a NUL character or half of a surrogate pair, which nothing meant here has.")
        return str(self.node.value)

    def integer(self) -> int:
        """Return a whole number, written in decimal."""
        value = self.node.value if isinstance(self.node, yaml.ScalarNode) else ""
        # YAML 1.1 reads a leading zero as octal, and Python refuses endless digits: both are no number a person means here.
        if self.node.tag != _INTEGER:
            raise self.error(f"`{self.name}` must be a whole number, not {_kind(self.node)}.")
        if not (value.isascii() and value.isdecimal()) or len(value) > _MOST_DIGITS or value.startswith("0"):
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
            raise self.error(f"`{self.name}` must be true or false, not {_kind(self.node)}.")
        return self.node.value.lower() in {"true", "yes", "on"}

    def choice(self, choices: Collection[str]) -> str:
        """Return one of `choices`. The nearest is named where it is none of them."""
        value = self.text()
        if value not in choices:
            raise self.error(f"`{self.name}` is `{value}`, and may be {_listed(choices)}.{_nearest(value, choices)}")
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
    """Return the one document in `file`. Raises InventoryError; what stands in the file is never quoted, it may be secret."""
    try:
        node = yaml.compose(read_regular_file(file, _LARGEST_BYTES).decode(), Loader=yaml.SafeLoader)
    except OSError as error:
        raise InventoryError(f"{file}: cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InventoryError(f"{file}: is not UTF-8 text (byte {error.start}).") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InventoryError(f"{file}:{line}: is not YAML here: {_without_quotes(error.problem or 'cut short')}.") from None
    except RecursionError:
        raise InventoryError(f"{file}: is nested too deeply to be an inventory.") from None
    except yaml.YAMLError:
        raise InventoryError(f"{file}: is not YAML: it holds a character that YAML does not allow.") from None
    if node is None:
        raise InventoryError(f"{file}:1: is empty: an inventory begins with `version: 1`.")
    return Item(node, file, "inventory")


def _unknown_key(key: str, parent: str, known: tuple[str, ...], *, secret: bool) -> str:
    nearest = _nearest(key, known)
    if secret and not nearest:
        return f"`{parent}` has an unknown key; known are {', '.join(known)}."
    return f"`{key}` is not a key of `{parent}`.{nearest or ' Known: ' + ', '.join(known) + '.'}"


def _without_quotes(problem: str) -> str:
    """What PyYAML says, without the alias or tag that it may quote: a password may stand there. One character is none."""
    return _QUOTED.sub(lambda found: found[0] if len(found[2]) <= 1 or found[2].startswith("<") else "…", problem)


def _nearest(word: str, known: Collection[str]) -> str:
    match = difflib.get_close_matches(word.replace("-", "_"), known, n=1, cutoff=0.5)
    return f" Did you mean `{match[0]}`?" if match else ""


def _listed(choices: Collection[str]) -> str:
    *head, last = (f"`{choice}`" for choice in choices)
    return f"{', '.join(head)} or {last}" if head else last


def _kind(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "keys and values"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return _KINDS.get(node.tag.rpartition(":")[2], "text")
