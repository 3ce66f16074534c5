"""A reader of RAML 0.8 pages: the methods of each resource, and what is below each method.

The page is YAML, and is read from the parser's events, not from its objects: nothing in it is constructed, an alias is a reference
(so nothing grows), an unknown tag such as ``!include`` is skipped, and what precedes a mistake is kept. Where the page as a whole
cannot be parsed, its parts are, each by itself; a part that cannot be parsed is read by its indentation.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import yaml

MAX_PAGE_CHARACTERS = 2_000_000
_MAX_DEPTH = 64
"""Of the nesting. The parser takes time that grows with the square of it, and a dozen levels describe any interface."""
_MAX_VISITS = 200_000
"""Of pairs: aliases can expand a small page into a large one."""

_METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})
_PREFIXES = re.compile(r"^(/api)?(/v1|/\{version\})?(/provisioning)?(?=/)")
_LOADER: type = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,19})")

_RESOURCE_LINE = re.compile(r"( *)(/[^\s:]*):\s*$")
_METHOD_LINE = re.compile(r"( *)(get|post|put|patch|delete|head|options):\s*$", re.IGNORECASE)
_TEXT_FOLLOWS = re.compile(r"( *)\S.*:\s+[|>][-+0-9]*\s*$")


class Table(list[tuple[str, "Node"]]):
    """A YAML mapping: its pairs in order; a repeated key is kept each time."""

    def value_of(self, key: str) -> Node:
        """Return the value of the first such key; an empty text where there is none."""
        return next((value for name, value in self if name == key), "")


Node = str | int | list["Node"] | Table
"""A value: text, a plain whole number, a sequence, a mapping."""

Operation = tuple[str, str]
"""Method, in lower case, and the resource below ``/api/provisioning``."""


@dataclass(frozen=True, slots=True)
class Description:
    """The content of a page.

    Attributes:
        operations: What is below each method.
        schemas: The named schemas of the page, as text.
    """

    operations: Mapping[Operation, Node]
    schemas: Mapping[str, str]


def read_description(page: str) -> Description:
    """Return the content of `page`; empty where it is larger than the limit or no RAML.

    It takes time in proportion to the length.
    """
    if len(page) > MAX_PAGE_CHARACTERS:
        return Description({}, {})
    tree = _Tree()
    is_whole = tree.read(page)
    operations = _collect_operations(tree.roots)
    for part in () if is_whole else _split_top_level(page):
        part_tree = _Tree(tree.anchors)
        if part_tree.read(part):
            operations |= _collect_operations(part_tree.roots)
        else:
            operations |= _collect_operations(part_tree.roots) | _collect_operations_by_indentation(part, tree.anchors)
    return Description(operations, _collect_schemas(tree.roots))


def parse_value(text: str) -> Node:
    """Return the YAML value in `text`; an empty text where it cannot be parsed."""
    tree = _Tree()
    return tree.roots[0] if tree.read(text) and tree.roots else ""


@dataclass(slots=True)
class _Tree:
    """The values of a text, built event by event.

    Attributes:
        roots: One for each document.
    """

    anchors: dict[str, Node] = field(default_factory=dict)
    roots: list[Node] = field(default_factory=list)
    _open: list[Table | list[Node]] = field(default_factory=list)
    _keys: list[str | None] = field(default_factory=list)
    """For each open container the key whose value comes next; None where a key comes next."""

    def read(self, text: str) -> bool:
        """Read `text` and return whether all of it was read. Afterwards `roots` holds what precedes the first mistake."""
        try:
            for event in yaml.parse(text, Loader=_LOADER):
                self._handle_event(event)
                if len(self._open) > _MAX_DEPTH:
                    return False
        except (yaml.YAMLError, ValueError):
            return False
        return True

    def _handle_event(self, event: yaml.Event) -> None:
        match event:
            case yaml.ScalarEvent():
                self._add(_parse_scalar(event), event.anchor)
            case yaml.AliasEvent():
                value = self.anchors.get(event.anchor or "", "")
                # An alias of a container that is still open would have no end.
                self._add("" if any(value is container for container in self._open) else value, None)
            case yaml.MappingStartEvent():
                self._start(Table(), event.anchor)
            case yaml.SequenceStartEvent():
                self._start([], event.anchor)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._open.pop()
                self._keys.pop()

    def _start(self, container: Table | list[Node], anchor: str | None) -> None:
        # Added at once, so that it is kept even if a mistake follows.
        self._add(container, anchor)
        self._open.append(container)
        self._keys.append(None)

    def _add(self, value: Node, anchor: str | None) -> None:
        if anchor:
            self.anchors[anchor] = value
        if not self._open:
            self.roots.append(value)
            return
        container, key = self._open[-1], self._keys[-1]
        if not isinstance(container, Table):
            container.append(value)
        elif key is None:
            self._keys[-1] = str(value) if isinstance(value, str | int) else ""
        else:
            container.append((key, value))
            self._keys[-1] = None


def _parse_scalar(event: yaml.ScalarEvent) -> str | int:
    text = str(event.value)
    return int(text) if event.style in (None, "") and _NUMBER.fullmatch(text) else text


def _collect_operations(roots: list[Node]) -> dict[Operation, Node]:
    """Return every method of every resource, with the resources below others."""
    operations: dict[Operation, Node] = {}
    waiting = [(root, "", 0) for root in roots if isinstance(root, Table)]
    visits = 0
    while waiting:
        table, path, depth = waiting.pop()
        for key, value in table:
            visits += 1
            if visits > _MAX_VISITS:
                return operations
            if path and key.casefold() in _METHODS:
                operations[key.casefold(), _PREFIXES.sub("", path)] = value
            elif depth < _MAX_DEPTH:
                below = path + key if key.startswith("/") else path
                waiting.extend((resource, below, depth + 1) for resource in _iterate_resources(key, value))
    return operations


def _iterate_resources(key: str, value: Node) -> Iterator[Table]:
    """Yield the tables of a resource: below its path, or merged into it (``<<``), alone or several."""
    if key.startswith("/") or key == "<<":
        yield from (item for item in _list_items(value) if isinstance(item, Table))


def _list_items(value: Node) -> list[Node]:
    """Return the items of a sequence; a single value is one item."""
    return value if isinstance(value, list) and not isinstance(value, Table) else [value]


def _collect_schemas(roots: list[Node]) -> dict[str, str]:
    """Return the named schemas (RAML 0.8: a sequence of mappings)."""
    schemas = [group for root in roots if isinstance(root, Table) for group in _list_items(root.value_of("schemas"))]
    return {name: text for group in schemas if isinstance(group, Table) for name, text in group if isinstance(text, str)}


def _split_top_level(page: str) -> Iterator[str]:
    """Yield the page in pieces that each begin with a line that is not indented."""
    part: list[str] = []
    for line in page.splitlines(keepends=True):
        if part and line[:1] not in (" ", "\t", "\r", "\n", "#", "}", "]", "-"):
            yield "".join(part)
            part = []
        part.append(line)
    yield "".join(part)


def _collect_operations_by_indentation(part: str, anchors: dict[str, Node]) -> dict[Operation, Node]:
    """Return every method in a part that is no YAML, and what is below it where that is YAML."""
    bodies: dict[Operation, list[str]] = {}
    resources: list[tuple[int, str]] = []
    for line, body in _iterate_keys(part.splitlines()):
        indent = _count_indent(line)
        if resource := _RESOURCE_LINE.match(line):
            resources = [*(outer for outer in resources if outer[0] < indent), (indent, resource[2])]
        elif method := _METHOD_LINE.match(line):
            path = "".join(name for level, name in resources if level < indent)
            if path:
                bodies.setdefault((method[2].lower(), _PREFIXES.sub("", path)), []).extend(body)
    return {operation: _parse_root("\n".join(body), anchors) for operation, body in bodies.items()}


def _iterate_keys(lines: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield each line outside of methods and of texts; the first line of one with the lines of its body."""
    position = 0
    while position < len(lines):
        line, begin = lines[position], position + 1
        has_body = _METHOD_LINE.match(line) or _TEXT_FOLLOWS.match(line)
        position = _find_body_end(lines, begin, _count_indent(line)) if has_body else begin
        yield line, lines[begin:position]


def _find_body_end(lines: Sequence[str], begin: int, indent: int) -> int:
    """Return the number of the first line from `begin` on that is not deeper than `indent`; a blank line always is."""
    ends = (number for number in range(begin, len(lines)) if lines[number].strip() and _count_indent(lines[number]) <= indent)
    return next(ends, len(lines))


def _count_indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _parse_root(text: str, anchors: dict[str, Node]) -> Node:
    tree = _Tree(anchors)
    return tree.roots[0] if tree.read(textwrap.dedent(text)) and tree.roots else ""
