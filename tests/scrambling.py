"""Scrambled prose: every sentence of the program as random words of the same lengths.

With ``REMEDIATE_SCRAMBLED=1`` the tests run with it; `make scrambled` runs those of state, exit code, journal and plan. A sentence is
scrambled twice: the literal in the source, by its place, when its module is imported; and the message of every error, event and row
of the journal, at random. Of a test, the assertions that quote a sentence are left out, and every other one must hold: what passes
does not depend on the wording of a message.
"""

from __future__ import annotations

import ast
import importlib.machinery
import os
import random
import re
import string
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import CodeType, ModuleType
from typing import Any

import pytest

IS_ON = os.environ.get("REMEDIATE_SCRAMBLED") == "1"

SCRAMBLED = ("remediate.model.", "remediate.trust.", "remediate.planner.", "remediate.executor.", "remediate.connectors.gaps")
"""Modules whose literals are scrambled. Others hold what peers, files and command lines contain word for word."""

WORDED = frozenset({"err", "out", "message", "messages", "next_step", "summary", "advice", "description", "options", "notes"})
"""Attributes and functions of the tests that return sentences: what is looked for in them is a quotation."""

QUOTING = frozenset(
    {
        "test_a_ca_with_a_successor_is_noted_early_and_stays_listed",
        "test_a_change_that_was_there_already_is_not_left_to_do",
        "test_a_dry_run_asks_no_one_and_calls_the_effect_unknown",
        "test_a_note_names_a_peer_whose_log_shows_openssl_3",
        "test_a_note_names_nodes_without_the_suite_of_the_prefix",
        "test_a_note_names_the_service_of_one_that_ends_in_90_days",
        "test_a_note_suggests_a_ca_for_two_self_signed_nodes",
        "test_a_note_warns_of_a_list_beyond_expressways_limit",
        "test_a_peer_counts_as_back_after_every_reading_was_seen",
        "test_a_peer_that_is_down_is_8_before_the_rollback",
        "test_a_rehearsal_says_what_is_undone_and_writes_nothing",
        "test_a_rehearsal_shows_the_guards_where_it_restarts",
        "test_a_restored_list_with_banned_suites_is_named",
        "test_a_rollback_waits_where_nothing_else_shows_it",
        "test_a_rollback_with_an_open_step_says_what_is_in_effect",
        "test_a_run_that_is_not_in_effect_can_still_be_confirmed",
        "test_an_apply_that_is_not_known_to_be_in_effect_is_applied",
        "test_an_apply_waits_for_its_client_and_counts_down",
        "test_an_apply_waits_for_its_confirmation_and_reports_it",
        "test_any_other_answer_is_not_known_with_its_reason",
        "test_ctrl_c_ends_the_wait",
        "test_only_a_certificate_with_the_same_key_is_a_successor",
        "test_peers_upgraded_since_the_plan_are_warned_of",
        "test_the_limits_of_the_timer_are_named_before_the_first_write",
        "test_the_timer_runs_and_is_announced_before_the_first_write",
        "test_who_confirmed_is_read_from_a_journal_of_0_1_0",
    }
)
"""Tests that find what they look at by its words, or compare two records of one sentence: they are about the wording."""

FOREIGN = frozenset({"next hop connection failed"})
"""Words of a peer that the program recognises."""

_PROSE = re.compile(r"[a-z]{2,}[,;:]? [A-Za-z]{2,}|[A-Z][a-z]+ [a-z]{2,}")
_SQL = re.compile(
    r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|PRAGMA|BEGIN|WHERE|FROM|SET|VALUES|TABLE|ORDER BY|GROUP BY)\b"
)


def scramble(sentence: str, chance: random.Random | None = None) -> str:
    """Return `sentence` with random letters in the place of its letters and digits."""
    draw = chance or random
    return re.sub(r"\w", lambda _: draw.choice(string.ascii_lowercase), sentence)


def _texts(node: ast.AST) -> Iterator[str]:
    """Yield the string literals in `node`; of a literal with values in it, the whole with a word for each."""
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "Value" for part in node.values)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    for child in ast.iter_child_nodes(node):
        yield from _texts(child)


def _is_prose(texts: Iterable[str]) -> bool:
    return any(_PROSE.search(text) and not _SQL.search(text) and text not in FOREIGN for text in texts)


class _Scrambler(ast.NodeTransformer):
    """Replaces the prose among the literals of one module; docstrings and annotations stay."""

    def __init__(self, module: str) -> None:
        self.module = module

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return self._scramble(node) if isinstance(node.value, str) and _is_prose([node.value]) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.JoinedStr:
        scrambles = _is_prose([next(_texts(node))])
        for number, part in enumerate(node.values):
            if isinstance(part, ast.Constant):
                node.values[number] = self._scramble(part) if scrambles else part
            else:
                self.generic_visit(part)
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        return node if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value:
            node.value = self.visit(node.value)
        return node

    def _scramble(self, node: ast.Constant) -> ast.Constant:
        sentence = str(node.value)
        chance = random.Random(f"{self.module}:{node.lineno}:{node.col_offset}:{sentence}")  # noqa: S311  replayed by place
        return ast.copy_location(ast.Constant(scramble(sentence, chance)), node)


class _Unquoter(ast.NodeTransformer):
    """Leaves out of a test what quotes a sentence: assertions, parts of assertions, and the patterns of expected errors."""

    def __init__(self) -> None:
        self._quotations: set[str] = set()
        """Names that hold a quotation: constants, loop variables and parameters."""

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self._note_names(node.value, *node.targets)
        return self.generic_visit(node)

    def visit_For(self, node: ast.For) -> ast.AST:
        self._note_names(node.iter, node.target)
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        before = set(self._quotations)
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.parametrize":
                names = [name.strip() for text in _texts(decorator.args[0]) for name in text.split(",")]
                self._quotations |= set(_quoting_columns(names, decorator.args[1]))
        self.generic_visit(node)
        self._quotations = before
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        test = self._drop_quotations(node.test)
        return ast.copy_location(ast.Assert(test, None) if test else ast.Pass(), node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Attribute) and node.func.attr == "raises":
            node.keywords = [keyword for keyword in node.keywords if keyword.arg != "match"]
        return self.generic_visit(node)

    def _note_names(self, value: ast.expr, *targets: ast.expr) -> None:
        if isinstance(value, ast.Constant | ast.JoinedStr | ast.Tuple | ast.List | ast.Dict) and _is_prose(_texts(value)):
            self._quotations |= {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}

    def _drop_quotations(self, test: ast.expr) -> ast.expr | None:
        match test:
            case ast.BoolOp(op=ast.And(), values=values):
                parts = [part for part in map(self._drop_quotations, values) if part]
                return ast.copy_location(ast.BoolOp(ast.And(), parts), test) if parts else None
            case ast.Compare(left=ast.Tuple(elts=first), ops=[ast.Eq()], comparators=[ast.Tuple(elts=second)]):
                pairs = [pair for pair in zip(first, second, strict=False) if not any(map(self._quotes, pair))]
                sides = [ast.Tuple(list(side), ast.Load()) for side in zip(*pairs, strict=True)]
                return ast.copy_location(ast.Compare(sides[0], [ast.Eq()], [sides[1]]), test) if sides else None
        return None if self._quotes(test) else test

    def _quotes(self, node: ast.expr) -> bool:
        names = set(_names(node))
        return _is_prose(_texts(node)) or bool(names & self._quotations) or _looks_into_words(node)


def _names(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name | ast.Attribute):
            yield part.id if isinstance(part, ast.Name) else part.attr


def _looks_into_words(node: ast.expr) -> bool:
    """Return whether `node` looks for something in a sentence, or compares one with a text."""
    for part in ast.walk(node):
        if isinstance(part, ast.Compare):
            sides = [*_names(part.left), *(name for side in part.comparators for name in _names(side))]
            is_worded = bool(WORDED & set(sides)) or any("str(" in ast.unparse(side) for side in part.comparators)
            is_membership = any(isinstance(operator, ast.In | ast.NotIn) for operator in part.ops)
            if is_worded and (is_membership or any(_texts(part))):
                return True
    return bool(WORDED & set(_names(node)) and any(_texts(node)))


def _quoting_columns(names: Sequence[str], rows: ast.expr) -> Iterator[str]:
    """Yield those of the parameters `names` that some row of a parametrised test gives a sentence to."""
    for row in rows.elts if isinstance(rows, ast.Tuple | ast.List) else ():
        values = row.args if isinstance(row, ast.Call) else row.elts if isinstance(row, ast.Tuple) and len(names) > 1 else [row]
        yield from (name for name, value in zip(names, values, strict=False) if _is_prose(_texts(value)))


def scramble_source(source: str, module: str) -> ast.Module:
    """Return `source` with random words in the place of its prose."""
    tree: ast.Module = ast.fix_missing_locations(_Scrambler(module).visit(ast.parse(source)))
    return tree


def drop_quotations(source: str) -> ast.Module:
    """Return the test module `source` without what quotes a sentence."""
    tree: ast.Module = ast.fix_missing_locations(_Unquoter().visit(ast.parse(source)))
    return tree


class _Loader(importlib.machinery.SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        source = self.get_data(path).decode()
        return compile(
            drop_quotations(source) if fullname.startswith("tests.") else scramble_source(source, fullname), path, "exec"
        )


class _Finder:
    def __init__(self, scrambled: tuple[str, ...]) -> None:
        self.scrambled = scrambled

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not fullname.startswith(self.scrambled) and not fullname.rpartition(".")[2].startswith("test_"):
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _Loader(fullname, spec.loader.path)
        return spec


def install(scrambled: tuple[str, ...] = SCRAMBLED) -> None:
    """Drop what quotes a sentence from each test module that is imported from now on, and scramble the modules of `scrambled`."""
    sys.meta_path.insert(0, _Finder(scrambled))


def scramble_messages(patch: pytest.MonkeyPatch) -> None:
    """Scramble the messages of errors, events and the journal until `patch` is undone."""
    from remediate.executor.journal import store
    from remediate.model import errors
    from remediate.model.events import Event

    patch.setattr(errors, "mask", scramble)
    patch.setattr(store, "mask", scramble)
    patch.setattr(Event, "__post_init__", _with_scrambled_message(Event.__post_init__))


def _with_scrambled_message(post_init: Callable[[Any], None]) -> Callable[[Any], None]:
    def scramble_event(event: Any, *arguments: Any) -> None:
        post_init(event, *arguments)
        object.__setattr__(event, "message", scramble(event.message))

    return scramble_event
