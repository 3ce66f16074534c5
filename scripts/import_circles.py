"""Modules of `remediate` that import each other in a circle: the rule `import-circle` of `check_house`.

Every import counts, also one inside a function, and one that only a type checker follows: whoever reads one of the modules has to know
the others.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import PurePosixPath

Trees = Mapping[PurePosixPath, ast.AST]
"""Syntax trees by path, such as ``remediate/model/plan.py``."""


def find_circle(modules: Trees) -> tuple[PurePosixPath, ...]:
    """Return the modules of one circle, each imported by the one after it; empty where there is none."""
    graph = {path: set(_list_imported(path, tree, modules)) for path, tree in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[PurePosixPath] = error.args[1]
        return tuple(circle[:-1])
    return ()


def _list_imported(path: PurePosixPath, tree: ast.AST, modules: Trees) -> Iterator[PurePosixPath]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            target = PurePosixPath(*node.module.split("."))
            parts = [target / f"{alias.name}.py" for alias in node.names]
            names_package = any(part not in modules for part in parts)
            imported = [target.with_suffix(".py"), *parts, *([target / "__init__.py"] if names_package else [])]
            yield from (module for module in imported if module in modules and module != path)
