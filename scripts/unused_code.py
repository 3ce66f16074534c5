"""Definitions of `remediate` that nothing but tests uses: the rule `unused` of `check_house`.

A function, class or constant of a module is used where its module names it outside itself, where another module imports it, or where
a module that imports its module names it. A method, a property or a field of a dataclass is used where any attribute of its name is
read. Strings that are nothing but a name count as well, and the words of a template: both reach definitions by their names.

Not looked at: the lab, which tests are made of; what a decorator registers; and the members of a class with a base that is not ours,
which calls them by itself.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

Trees = Mapping[PurePosixPath, ast.AST]
"""Syntax trees by path, such as ``remediate/model/plan.py``."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
_PLAIN_DECORATORS = frozenset(
    {"cache", "cached_property", "classmethod", "contextmanager", "dataclass", "lru_cache", "property", "staticmethod"}
)
"""Decorators that hand a definition to nobody else."""
_PLAIN_BASES = frozenset({"Protocol", "Generic", "NamedTuple", "Exception", "Enum", "IntEnum", "StrEnum"})
_EXPECTED_BY_OTHERS = frozenset(
    {
        ("remediate/connectors/exchange.py", "makefile"),  # http.client calls it on what it takes for a socket
        ("remediate/model/masking.py", "forget"),  # each test begins without the secrets of those before it
    }
)
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Definition:
    """A name that a module or a class defines; `line` counts from 1."""

    module: PurePosixPath
    line: int
    name: str


def list_unused(trees: Trees, texts: Iterable[str] = ()) -> Iterator[Definition]:
    """Yield the definitions that nothing uses.

    Args:
        trees: The modules of `remediate`, and whatever else may use them: scripts, benchmarks, the collection. No tests.
        texts: Other files that may, such as templates.
    """
    words = {word for text in texts for word in _WORD.findall(text)}
    words |= {word for tree in trees.values() for word in _list_names_in_strings(tree)}
    attributes = {name for tree in trees.values() for name in _list_attributes(tree)}
    imports = {(module, name) for tree in trees.values() for module, name in _list_imports(tree)}
    classes = {node.name: node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    for path, tree in trees.items():
        if path.parts[0] != "remediate" or path.parts[1] == "lab":
            continue
        module = ".".join(path.with_suffix("").parts)
        parent, _, last = module.rpartition(".")
        reached_by_module = (parent, last) in imports
        for definition, node in _list_definitions(path, tree):
            name = definition.name
            is_used = (
                (module, name) in imports or (reached_by_module and name in attributes) or _is_named_outside(name, node, tree)
            )
            if not is_used and name not in words and (str(path), name) not in _EXPECTED_BY_OTHERS:
                yield definition
        for definition in _list_members(path, tree, classes):
            if definition.name not in attributes | words and (str(path), definition.name) not in _EXPECTED_BY_OTHERS:
                yield definition


def _list_names_in_strings(tree: ast.AST) -> Iterator[str]:
    """Yield the names in those strings of a module that are nothing but a name, dotted or not."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _DOTTED.fullmatch(node.value):
            yield from node.value.split(".")


def _list_attributes(tree: ast.AST) -> Iterator[str]:
    """Yield the names of attributes that a module reads, patterns included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node.attr
        elif isinstance(node, ast.MatchClass):
            yield from node.kwd_attrs


def _list_imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)


def _list_definitions(path: PurePosixPath, tree: ast.AST) -> Iterator[tuple[Definition, ast.stmt]]:
    """Yield what a module defines outside classes and functions, with its node."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.stmt):
            yield from ((Definition(path, node.lineno, name), node) for name in _names_bound(node))


def _names_bound(statement: ast.stmt) -> list[str]:
    """Return the names that a statement binds, but for those that Python itself uses."""
    names: list[str] = []
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() if not _is_registered(statement):
            names = [statement.name]
        case ast.Assign(targets=targets):
            names = [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            names = [name]
    return [name for name in names if not name.startswith("__")]


def _is_registered(node: Function | ast.ClassDef) -> bool:
    """Return whether a decorator may hand the definition to somebody else."""
    return any(not _PLAIN_DECORATORS & set(_WORD.findall(ast.unparse(decorator))) for decorator in node.decorator_list)


def _is_named_outside(name: str, definition: ast.AST, tree: ast.AST) -> bool:
    """Return whether a module names what it defines in another place than the definition itself."""
    inside = {id(node) for node in ast.walk(definition)}
    return any(
        isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load) and id(node) not in inside
        for node in ast.walk(tree)
    )


def _list_members(path: PurePosixPath, tree: ast.AST, classes: Mapping[str, ast.ClassDef]) -> Iterator[Definition]:
    """Yield the methods, properties and fields of the classes that no foreign base calls."""
    for owner in ast.walk(tree):
        if isinstance(owner, ast.ClassDef) and _has_our_bases(owner, classes):
            for node in owner.body:
                yield from (Definition(path, node.lineno, name) for name in _names_bound(node))


def _has_our_bases(owner: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> bool:
    names = [ast.unparse(base).split("[")[0] for base in owner.bases]
    return all(name in _PLAIN_BASES or (name in classes and _has_our_bases(classes[name], classes)) for name in names)
