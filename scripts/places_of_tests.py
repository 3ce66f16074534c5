"""Where the tests of a module stand, and what a test file is about: the rule `test-place` of `check_house`.

A module ``remediate/a/b/c.py`` is tested in ``tests/a/b/test_c.py``, or beside it in ``tests/a/b/test_c_ASPECT.py``; where a
folder ``remediate/a/b`` is tested as a whole, in ``tests/a/test_b.py``. Two kinds of module need no file of their own:

- a part: only modules of its own folder import it, or a single module does. It is tested with one that imports it.
- values: every function in it is one statement without a loop or a branch.

A test file in a folder that stands for one of ``remediate`` begins with the name of a module or a folder there. Elsewhere it is free:
in ``stories``, for what several modules do together, and in the rooms of ``tests`` that stand for no room of ``remediate``.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

Trees = Mapping[PurePosixPath, ast.AST]
"""Syntax trees by path, such as ``remediate/model/plan.py``."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
_CONTROL = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.TryStar, ast.With, ast.AsyncWith, ast.Match)
STORIES = "stories"


def list_untested(modules: Trees, tests: frozenset[PurePosixPath]) -> Iterator[PurePosixPath]:
    """Yield the modules that no test file is found from; `tests` are the paths of test files."""
    units = _find_units(modules, tests)
    importers = _list_importers(modules)
    for path, tree in modules.items():
        if not path.name.startswith("__") and not _holds_values(tree) and not _is_found(path, units, importers, ()):
            yield path


def list_misplaced(modules: Trees, tests: frozenset[PurePosixPath]) -> Iterator[PurePosixPath]:
    """Yield the test files whose name begins with no module or folder of the folder that theirs stands for."""
    folders = {path.parent for path in modules}
    for test in sorted(tests):
        folder = PurePosixPath("remediate", *test.parent.parts[1:])
        if folder in folders and _unit_of(test, _list_names(folder, modules)) is None:
            yield test


def _list_names(folder: PurePosixPath, modules: Trees) -> frozenset[str]:
    """Return the names of the modules and folders in `folder`."""
    inside = (path.relative_to(folder) for path in modules if path.is_relative_to(folder))
    return frozenset(path.parts[0].removesuffix(".py") for path in inside)


def _unit_of(test: PurePosixPath, names: frozenset[str]) -> str | None:
    """Return which of `names` a test file begins with, the longest; None where it begins with none."""
    title = test.stem.removeprefix("test_")
    return max((name for name in names if f"{title}_".startswith(f"{name}_")), key=len, default=None)


def _find_units(modules: Trees, tests: frozenset[PurePosixPath]) -> frozenset[PurePosixPath]:
    """Return the modules, and folders as their ``__init__.py``, that have test files of their own."""
    units: set[PurePosixPath] = set()
    for test in tests:
        folder = PurePosixPath("remediate", *test.parent.parts[1:])
        if name := _unit_of(test, _list_names(folder, modules)):
            units |= {folder / f"{name}.py", folder / name / "__init__.py"}
    return frozenset(units)


def _list_importers(modules: Trees) -> Mapping[PurePosixPath, frozenset[PurePosixPath]]:
    """Return the modules that import each module; what only a type checker imports does not count."""
    importers: dict[PurePosixPath, set[PurePosixPath]] = defaultdict(set)
    for path, tree in modules.items():
        for name in _list_imports(tree):
            target = PurePosixPath(*name.split("."))
            for module in (target.with_suffix(".py"), target / "__init__.py"):
                if module in modules and module != path:
                    importers[module].add(path)
    return {path: frozenset(users) for path, users in importers.items()}


def _list_imports(tree: ast.AST) -> Iterator[str]:
    for node in _runtime_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _runtime_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            yield node
            yield from _runtime_nodes(node)


def _is_found(
    path: PurePosixPath,
    units: frozenset[PurePosixPath],
    importers: Mapping[PurePosixPath, frozenset[PurePosixPath]],
    on_the_way: tuple[PurePosixPath, ...],
) -> bool:
    """Return whether `path` has test files, or is a part of a module that is found; `on_the_way`: the modules that asked."""
    if path in units or path.parent / "__init__.py" in units:
        return True
    users = importers.get(path, frozenset()) - frozenset(on_the_way)
    is_part = len(users) == 1 or all(user.parent == path.parent for user in users)
    return is_part and any(_is_found(user, units, importers, (*on_the_way, path)) for user in users)


def _holds_values(tree: ast.AST) -> bool:
    return all(_is_plain(node) for node in ast.walk(tree) if isinstance(node, Function))


def _is_plain(function: Function) -> bool:
    body = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
    return len(body) <= 1 and not any(isinstance(statement, _CONTROL) for statement in body)
