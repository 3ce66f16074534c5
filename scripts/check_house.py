"""Check the rules of the house that no linter knows, on the syntax tree. `make check` runs it.

Rules:
    pronoun-name: a variable, parameter, function or class is named by a pronoun.
    participle-name: one is named by a bare participle or adjective (`kept`, `left`, `sent`), which says nothing of what it holds.
    exit-code-literal: an integer literal stands where an `ExitCode` belongs (in `remediate/` only).
    lazy-write: a generator, a lambda or a lazy iterator reaches a write to a peer (in `remediate/executor/`).
    written-twice: a page of the web interface or the RSA prefix is in a second module (in `remediate/`, without the lab).
    formatter-twice: a text `host:port` is put together elsewhere than in `host_and_port` (in `remediate/`, without the lab).
    test-title: the title of a test has 60 characters or more (in `tests/`).
    test-import: a test module is imported by another; helpers stand in a module of their own or in a fixture (in `tests/`).
    test-place: no test file is found from the name of a module, or a test file begins with no name beside it (`places_of_tests`).
    import-circle: modules import each other in a circle (in `remediate/`; `import_circles.py`).
    unused: nothing but tests uses a function, class, constant, method or field (in `remediate/`; `unused_code.py`).
    too-long: a file has more than 450 lines, or a function more than 50 (in `remediate/`).

Exit code 0 where every rule holds, else 1, with one line `path:line: rule: what` for each violation.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from scripts.import_circles import find_circle
from scripts.places_of_tests import list_misplaced, list_untested
from scripts.unused_code import list_unused

PRONOUNS = frozenset(
    {
        "one",
        "ones",
        "found",
        "some",
        "said",
        "told",
        "asked",
        "those",
        "mine",
        "there",
        "seen",
        "known",
        "others",
        "given",
        "way",
        "what",
        "written",
        "these",
        "it",
        "they",
        "them",
        "who",
        "whom",
        "which",
        "whose",
        "here",
        "came",
        "went",
        "taken",
        "gone",
        "wanted",
        "heard",
        "heeded",
        "mended",
        "nobody",
        "somebody",
        "everybody",
        "anybody",
        "something",
        "anything",
        "everything",
        "nothing",
        "thing",
        "things",
        "stuff",
    }
)
"""Names that say nothing about the thing that they name."""

PARTICIPLES = frozenset(
    {
        "done",
        "kept",
        "made",
        "sent",
        "shown",
        "left",
        "rest",
        "other",
        "same",
        "several",
        "mended",
        "changed",
        "got",
        "lost",
        "built",
        "drawn",
        "named",
        "tried",
        "used",
    }
)
"""Words that say what happened to a thing, not which thing it is."""

PARTICIPLES_ALLOWED = frozenset(
    {
        ("remediate/model/access.py", "rest"),  # the key of the inventory: the account for the REST interface
        ("remediate/inventory/shape.py", "rest"),
        ("remediate/planner/solver/elimination.py", "left"),  # the left operand of a join
    }
)
"""Where such a word is the term itself."""

SECOND_OPERAND = "other"
"""Right as the parameter beside `self`: the second operand of a comparison or operator, as in Python's own data model."""

FORMATTERS = frozenset(
    {
        "remediate/model/identity.py",  # host_and_port itself
        "remediate/connectors/expressway/host_key.py",  # OpenSSH's spelling: brackets and port only where it is not 22
        "remediate/executor/lock.py",  # part of the name of a lock file, which stays as it is
    }
)
"""Modules that may put a host and a port together."""

WRITE_METHODS = frozenset(
    {
        "append_trusted_ca",
        "remove_trusted_ca",
        "set_cipher",
        "set_verify_origin_server",
        "refresh_discovery",
        "restart",
        "set_maintenance",
    }
)
"""The methods of `PeerPort` that change a peer."""

LAZY_CALLS = frozenset({"map", "filter", "islice", "takewhile", "dropwhile", "starmap", "chain"})
EXIT_CODE_KEYWORDS = frozenset({"exit_code"})
EXIT_CALLS = frozenset({"most_serious", "exit"})
RSA_PREFIX = "ECDHE-RSA-AES256-GCM-SHA384"
MAX_FILE_LINES = 450
MAX_FUNCTION_LINES = 50
MAX_TITLE = 59

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, order=True)
class Violation:
    """One place where a rule does not hold; `line` counts from 1."""

    path: Path
    line: int
    rule: str
    detail: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.detail}"


def bound_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield each name that a module binds, with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.arg():
                yield node.lineno, node.arg
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield node.lineno, name
            case ast.alias(asname=str(name)):
                yield getattr(node, "lineno", 1), name


def check_names(path: Path, tree: ast.AST) -> Iterator[Violation]:
    """Find names that are pronouns, bare participles or adjectives."""
    operands = {
        (function.args.args[1].lineno, SECOND_OPERAND)
        for function in _functions(tree)
        if [argument.arg for argument in function.args.args[:2]] == ["self", SECOND_OPERAND]
    }
    for line, name in bound_names(tree):
        if name.strip("_") in PRONOUNS:
            yield Violation(path, line, "pronoun-name", name)
        elif (
            name.strip("_") in PARTICIPLES
            and (line, name) not in operands
            and (path.as_posix(), name) not in PARTICIPLES_ALLOWED
        ):
            yield Violation(path, line, "participle-name", name)


def _is_integer(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int


def _names_exit_code(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id == "exit_code") or (
        isinstance(node, ast.Attribute) and node.attr == "exit_code"
    )


def _called_name(call: ast.Call) -> str:
    if isinstance(call.func, ast.Name):
        return call.func.id
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def check_exit_codes(path: Path, tree: ast.AST) -> Iterator[Violation]:
    """Find integer literals that stand for exit codes."""
    for node in ast.walk(tree):
        suspects: list[ast.expr] = []
        match node:
            case ast.Call():
                suspects = [keyword.value for keyword in node.keywords if keyword.arg in EXIT_CODE_KEYWORDS]
                if _called_name(node) in EXIT_CALLS:
                    suspects += [
                        leaf for argument in node.args for leaf in ast.walk(argument) if isinstance(leaf, ast.Constant)
                    ]
            case ast.Assign(targets=targets, value=value) if any(_names_exit_code(target) for target in targets):
                suspects = [value]
            case ast.AnnAssign(target=target, value=ast.expr() as value) if _names_exit_code(target):
                suspects = [value]
            case ast.Compare(left=first, comparators=comparators) if any(
                _names_exit_code(side) for side in (first, *comparators)
            ):
                suspects = [first, *comparators]
        yield from (
            Violation(path, suspect.lineno, "exit-code-literal", ast.unparse(suspect))
            for suspect in suspects
            if _is_integer(suspect)
        )


def check_sizes(path: Path, text: str, tree: ast.AST) -> Iterator[Violation]:
    """Find files and functions that are too long; a docstring does not count towards a function."""
    lines = text.count("\n")
    if lines > MAX_FILE_LINES:
        yield Violation(path, lines, "too-long", f"{lines} lines, at most {MAX_FILE_LINES}")
    for node in ast.walk(tree):
        if isinstance(node, Function):
            body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
            length = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
            if length > MAX_FUNCTION_LINES:
                yield Violation(path, node.lineno, "too-long", f"{node.name} has {length} lines, at most {MAX_FUNCTION_LINES}")


def check_tests(path: Path, tree: ast.AST) -> Iterator[Violation]:
    """Find titles of tests that are too long, and imports of one test module by another."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) if len(name.removeprefix("test_")) > MAX_TITLE and name.startswith("test_"):
                yield Violation(path, node.lineno, "test-title", f"{name} has {len(name) - 5} characters, at most {MAX_TITLE}")
            case ast.ImportFrom(module=str(module)) if any(part.startswith("test_") for part in module.split(".")):
                yield Violation(path, node.lineno, "test-import", module)


def _functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def _own_nodes(function: Function) -> Iterator[ast.AST]:
    """Yield the nodes of a function without those of functions defined inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, Function):
            waiting.extend(ast.iter_child_nodes(node))


def writing_functions(trees: Sequence[ast.AST]) -> frozenset[str]:
    """Return the names of the functions that reach a write method of a peer, by name and transitively."""
    calls: dict[str, set[str]] = defaultdict(set)
    for tree in trees:
        for function in _functions(tree):
            if function.name in WRITE_METHODS:
                continue  # a forwarding method of a peer: its callers name it themselves
            calls[function.name] |= {_called_name(node) for node in _own_nodes(function) if isinstance(node, ast.Call)}
    writing = set(WRITE_METHODS)
    while more := {name for name, callees in calls.items() if name not in writing and callees & writing}:
        writing |= more
    return frozenset(writing)


def check_lazy_writes(path: Path, tree: ast.AST, writing: frozenset[str]) -> Iterator[Violation]:
    """Find writes to a peer that happen only while something is iterated or called back."""
    for function in _functions(tree):
        yields = any(isinstance(node, ast.Yield | ast.YieldFrom) for node in _own_nodes(function))
        is_context_manager = any("contextmanager" in ast.unparse(decorator) for decorator in function.decorator_list)
        if yields and not is_context_manager and function.name in writing:
            yield Violation(path, function.lineno, "lazy-write", f"{function.name} is a generator that writes to a peer")
    for node in ast.walk(tree):
        if isinstance(node, ast.Lambda | ast.GeneratorExp):
            reached = {_called_name(call) for call in ast.walk(node) if isinstance(call, ast.Call)} & writing
            kind = "a lambda" if isinstance(node, ast.Lambda) else "a generator expression"
        elif isinstance(node, ast.Call) and _called_name(node) in LAZY_CALLS:
            reached = {argument.id for argument in node.args if isinstance(argument, ast.Name)} & writing
            kind = _called_name(node)
        else:
            continue
        if reached:
            yield Violation(path, node.lineno, "lazy-write", f"{kind} writes to a peer: {', '.join(sorted(reached))}")


def check_formatters(path: Path, tree: ast.AST) -> Iterator[Violation]:
    """Find f-strings that put a host and a port together."""
    if path.as_posix() in FORMATTERS:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            for before, colon, port in zip(node.values, node.values[1:], node.values[2:], strict=False):
                separates = isinstance(colon, ast.Constant) and colon.value in {":", "]:"}
                if separates and isinstance(before, ast.FormattedValue) and _is_a_port(port):
                    yield Violation(path, node.lineno, "formatter-twice", ast.unparse(node))


def _is_a_port(node: ast.expr) -> bool:
    return isinstance(node, ast.FormattedValue) and ast.unparse(node.value).endswith("port")


def check_single_definitions(modules: Sequence[tuple[Path, ast.AST]]) -> Iterator[Violation]:
    """Find pages and prefixes whose text stands in more than one module; docstrings do not count."""
    where: dict[str, list[tuple[Path, int]]] = defaultdict(list)
    for path, tree in modules:
        docstrings = {
            id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
                for match in re.finditer(r"[A-Z][A-Za-z]+ > [A-Z][A-Za-z ]+(?: > [A-Z][A-Za-z ]+)*|" + RSA_PREFIX, node.value):
                    where[match[0].strip()].append((path, node.lineno))
    for text, places in sorted(where.items()):
        first = places[0][0]
        yield from (
            Violation(path, line, "written-twice", f"{text!r} is also in {first}") for path, line in places if path != first
        )


def check_places(root: Path, sources: Sequence[tuple[Path, ast.AST]]) -> Iterator[Violation]:
    """Find modules without a test file, and test files that are named after nothing beside them."""
    tests = frozenset(PurePosixPath(path.relative_to(root)) for path in (root / "tests").rglob("test_*.py"))
    modules = {PurePosixPath(path): tree for path, tree in sources}
    for module in list_untested(modules, tests):
        place = PurePosixPath("tests", *module.parts[1:-1], f"test_{module.name}")
        yield Violation(Path(module), 1, "test-place", f"{place} is missing")
    for test in list_misplaced(modules, tests):
        folder = PurePosixPath("remediate", *test.parts[1:-1])
        yield Violation(Path(test), 1, "test-place", f"its name begins with no module or folder of {folder}")


def check_circles(sources: Sequence[tuple[Path, ast.AST]]) -> Iterator[Violation]:
    """Find a circle of modules that import each other; with several, one of them."""
    circle = find_circle({PurePosixPath(path): tree for path, tree in sources})
    if circle:
        first = min(circle)
        yield Violation(Path(first), 1, "import-circle", ", ".join(str(path) for path in circle))


def check_use(root: Path, sources: Sequence[tuple[Path, ast.AST]]) -> Iterator[Violation]:
    """Find definitions that no module, script, benchmark, plugin or template uses."""
    trees = {PurePosixPath(path): tree for path, tree in sources}
    for folder in ("scripts", "benchmarks", "playbooks"):
        for path in (root / folder).rglob("*.py"):
            trees[PurePosixPath(path.relative_to(root))] = ast.parse(path.read_text(encoding="utf-8"))
    templates = [path.read_text(encoding="utf-8") for path in (root / "remediate").rglob("*.j2")]
    for unused in list_unused(trees, templates):
        yield Violation(Path(unused.module), unused.line, "unused", unused.name)


def check(root: Path) -> list[Violation]:
    """Return every violation below `root`, sorted by place."""
    violations: list[Violation] = []
    sources: list[tuple[Path, ast.AST]] = []
    for folder in ("remediate", "tests", "benchmarks", "scripts"):
        for path in sorted((root / folder).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            tree = ast.parse(text)
            short = path.relative_to(root)
            violations += check_names(short, tree)
            if folder == "tests":
                violations += check_tests(short, tree)
            if folder == "remediate":
                sources.append((short, tree))
                violations += check_exit_codes(short, tree)
                violations += check_sizes(short, text, tree)
    if (root / "tests").is_dir():
        violations += check_places(root, sources)
    violations += check_circles(sources)
    if (root / "scripts").is_dir():
        violations += check_use(root, sources)
    executor = [(path, tree) for path, tree in sources if path.is_relative_to("remediate/executor")]
    writing = writing_functions([tree for _, tree in executor])
    for path, module in executor:
        violations += check_lazy_writes(path, module, writing)
    outside_the_lab = [(path, tree) for path, tree in sources if not path.is_relative_to("remediate/lab")]
    violations += check_single_definitions(outside_the_lab)
    for path, module in outside_the_lab:
        violations += check_formatters(path, module)
    return sorted(violations)


def main() -> int:
    """Print the violations of one checkout."""
    parser = argparse.ArgumentParser(description="Check the rules of the house that no linter knows.")
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--rule", help="only this rule")
    parser.add_argument("--skip", action="append", default=[], help="not this rule; may be given several times")
    arguments = parser.parse_args()
    violations = [
        violation
        for violation in check(arguments.root)
        if arguments.rule in (None, violation.rule) and violation.rule not in arguments.skip
    ]
    for violation in violations:
        sys.stdout.write(f"{violation}\n")
    return 1 if violations else 0


if __name__ == "__main__":
    raise SystemExit(main())
