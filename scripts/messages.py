"""Bring the catalogues up to date: extract messages for people from the sources, merge them, compile.

An f-string is a template whose placeholders are named after what is filled in: ``{peer} refuses {endpoints}``. Docstrings, queries and
what is sent to a system are no messages. A message that moved or changed a little keeps its translation as *fuzzy*, which is not used.
"""

from __future__ import annotations

import ast
import errno
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from itertools import chain, count, product
from pathlib import Path
from typing import get_args

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment

from remediate.language.moments import DAY_WORDS
from remediate.version import __version__

ROOT = Path(__file__).parents[1]
LOCALE_FOLDER = ROOT / "remediate/language/locale"
SELF_TESTS = ROOT / "remediate/openssl/selftest.json"
DOMAIN = "remediate"
_ROOMS = ("cli", "connectors", "executor", "formats", "inventory", "machine", "model", "planner", "report", "trust")
_NO_MESSAGES = frozenset({"remediate/report/metrics.py"})
"""Modules whose texts are for programs."""
_EDGE = ("cli", "report")
"""Rooms in which single words are headings."""
_TO_SYSTEMS = re.compile(
    r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|PRAGMA|BEGIN|DROP|ATTACH|WITH|xConf|xStat|xCom|show cert|set c|utils "
    r"|\*c |GET |POST |<)"
    r"|Content-|default-src |-----|Basic \{|HTTP \{|Ethernet \{|\s*# "
)
_HELP_MARK = "\b\n"
"""What click leaves as it is in a page of help."""
_PATTERN_OR_MARKUP = re.compile(r"[\\^$|]\(|\(\?|<[a-z/]")
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]+")
_ARTICLE = re.compile(r"(a|an|the) [a-z][a-z-]+")
"""What a thing is called, in one word."""
_HEADING = re.compile(r"[A-Z][a-z]{2,}[ a-z-]*")
_PLACEHOLDER = re.compile(r"\{\w+\}")
_CLICK = (
    "Usage:", "Options", "Commands", "Show this message and exit.", "env var: {var}", "default: {default}", "required",
    "Missing command.", "Missing argument {hint}.", "Missing option {hint}.", "Missing parameter: {param_name}",
    "Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})", "No such option {name}.",
    "No such option: {name}", "No such command {name}.", "Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)",
    "(Possible options: {possibilities})", "Option {name} does not take a value.", "Option {name} requires an argument.",
    "Invalid value for {param_hint}: {message}",
    "Invalid value for {param_hint} (env var: {var}): {message}",
    "{value} is not one of {choices}.", "Choose from: {choices}", "{value} is not in the range {range}.",
    "{value} is not a valid {number_type}.", "{name} {filename} does not exist.", "{name} {filename} is a directory.",
    "{name} {filename} is a file.", "{name} {filename} is not readable.", "{name} {filename} is not writable.",
    "File", "Path", "Directory", "integer", "integer range",
)  # fmt: skip
"""Words of click's own, in help and about wrong usage."""
_SYSTEM_ERRORS = (
    errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOSPC, errno.EROFS, errno.ENAMETOOLONG,
    errno.ELOOP, errno.EIO, errno.EMFILE, errno.ENXIO, errno.EINVAL, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN,
    errno.ENETDOWN, errno.EADDRNOTAVAIL, errno.EADDRINUSE, errno.EPIPE, errno.ENOTEMPTY, errno.EDQUOT,
)  # fmt: skip
"""Errors of files and networks that a message quotes in the words of the system."""
_FILLED_IN_LATER = re.compile(r"\{\{(\w+)\}\}")
_FORMATTERS = frozenset(
    {
        "escape",
        "first_few",
        "join_words",
        "len",
        "mask_and_escape",
        "escape_ascii",
        "short_fingerprint",
        "rfc3339",
        "sorted",
        "str",
    }
)
"""Functions whose argument names the value better than they do."""


def extract_messages(root: Path = ROOT) -> dict[str, list[str]]:
    """Return each template with the modules in which it stands, in the order of the sources; then the texts of the commands."""
    messages: dict[str, list[str]] = {}
    for template, place in (
        *_texts_of_rooms(root),
        *((text, "click") for text in _CLICK),
        *((text, "values") for text in (*DAY_WORDS, *_words_of_values())),
        *((os.strerror(number), "system") for number in _SYSTEM_ERRORS),
        *_texts_of_commands(),
        *_texts_of_pages(root),
    ):
        places = messages.setdefault(template, [])
        if place not in places:
            places.append(place)
    return messages


def _texts_of_rooms(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the messages of every module, and the errors of the lab: nothing else of it is for people."""
    for room in (*_ROOMS, "lab"):
        for path in sorted((root / "remediate" / room).rglob("*.py")):
            place = path.relative_to(root).as_posix()
            if place in _NO_MESSAGES:
                continue
            module = ast.parse(path.read_text(encoding="utf-8"))
            templates = _templates_of_errors(module) if room == "lab" else _templates_of(module)
            yield from ((template, place) for template in templates if _is_message(template, is_edge=room in _EDGE))
            yield from ((word, place) for word in (*chain(*_counted_nouns(module)), *_marked_words(module)) if room != "lab")


def _templates_of(module: ast.Module) -> Iterator[str]:
    """Yield every text of a module but docstrings, line by line; an f-string as a template, one for each choice of its words."""
    choices = _choices_by_use(module)
    inside = {id(part) for node in ast.walk(module) for part in _parts_that_are_no_texts(node)}
    inside |= {id(text) for choice in choices.values() for text in choice.texts}
    for node in ast.walk(module):
        if id(node) in inside:
            continue
        if isinstance(node, ast.JoinedStr):
            yield from (line for variant in _variants(node, choices) for line in _lines(_template(variant)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _lines(node.value)


def _lines(text: str) -> list[str]:
    """Return the lines of a text, which are messages of their own; a query, and a page of help, is one that is none."""
    return [text] if _TO_SYSTEMS.match(text) or _HELP_MARK in text else text.split("\n")


@dataclass(frozen=True)
class _Choice:
    """Texts that a condition, as it stands in the source, chooses from."""

    condition: str
    texts: tuple[ast.expr, ...]


def _choices_by_use(module: ast.Module) -> Mapping[int, _Choice]:
    """Return what a value in an f-string is chosen from, by that value.

    It is a conditional expression, or a variable that is one, is set once and stands in f-strings alone, like a verb of two numbers.
    """
    choices: dict[int, _Choice | None] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.FormattedValue) and isinstance(node.value, ast.IfExp):
            choices[id(node.value)] = _choice_of(node.value)
        if isinstance(node, ast.FunctionDef):
            assigned = [
                part for part in ast.walk(node) if isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name)
            ]
            for assignment in assigned:
                uses = _uses_in_texts(node, ast.unparse(assignment.targets[0]))
                choices |= dict.fromkeys(uses, _choice_of(assignment.value))
    return {use: choice for use, choice in choices.items() if choice}


def _uses_in_texts(function: ast.FunctionDef, variable: str) -> list[int]:
    """Return the uses of a variable in f-strings; none where it is set more than once, or used elsewhere."""
    uses = [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == variable]
    in_texts = {id(node.value) for node in ast.walk(function) if isinstance(node, ast.FormattedValue)}
    return (
        [id(use) for use in uses if id(use) in in_texts] if len([use for use in uses if id(use) not in in_texts]) == 1 else []
    )


def _choice_of(value: ast.expr) -> _Choice | None:
    """Return what a conditional expression chooses from, if that is texts alone."""
    if not isinstance(value, ast.IfExp):
        return None
    condition = ast.unparse(value.test)
    texts: list[ast.expr] = []
    for branch in (value.body, value.orelse):
        nested = _choice_of(branch)
        if nested is None and not _is_text(branch):
            return None
        condition += f", {nested.condition}" if nested else ""
        texts += nested.texts if nested else [branch]
    return _Choice(condition, tuple(texts))


def _is_text(value: ast.expr) -> bool:
    return isinstance(value, ast.JoinedStr) or (isinstance(value, ast.Constant) and isinstance(value.value, str))


def _variants(node: ast.JoinedStr, choices: Mapping[int, _Choice]) -> Iterator[ast.JoinedStr]:
    """Yield `node` with each choice of the texts in it; what one condition chooses is chosen together."""
    by_part = {
        id(part): choices[id(part.value)]
        for part in node.values
        if isinstance(part, ast.FormattedValue) and id(part.value) in choices
    }
    numbers = {choice.condition: range(len(choice.texts)) for choice in by_part.values()}
    for chosen in product(*numbers.values()):
        number = dict(zip(numbers, chosen, strict=True))
        parts: list[ast.expr] = []
        for part in node.values:
            choice = by_part.get(id(part))
            text = choice.texts[number[choice.condition]] if choice else part
            parts += text.values if isinstance(text, ast.JoinedStr) else [text]
        yield ast.JoinedStr(parts)


def list_counted_nouns(root: Path = ROOT) -> set[tuple[str, str]]:
    """Return singular and plural of each noun that the sources count: ``count(2, "endpoint")``."""
    modules = (path for room in _ROOMS for path in (root / "remediate" / room).rglob("*.py"))
    return {pair for path in modules for pair in _counted_nouns(ast.parse(path.read_text(encoding="utf-8")))}


def _counted_nouns(module: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Name(id="count"), args=[_, ast.Constant(value=str(noun)), ast.Constant(value=str(plural))]):
                yield noun, plural
            case ast.Call(func=ast.Name(id="count"), args=[_, ast.Constant(value=str(noun))]):
                yield noun, f"{noun}s"


def _marked_words(module: ast.Module) -> Iterator[str]:
    """Yield what is marked as a message, ``mark_words("endpoint", "cause")``."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "mark_words":
            yield from (str(argument.value) for argument in node.args if isinstance(argument, ast.Constant))


def _templates_of_errors(module: ast.Module) -> Iterator[str]:
    """Yield the messages of the errors that a module raises, and their next steps: of the lab, nothing else is for people."""
    for node in ast.walk(module):
        if isinstance(node, ast.Raise) and node.exc:
            yield from _templates_of(ast.Module([ast.Expr(node.exc)], []))
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "default_next_step":
            yield from _templates_of(ast.Module([node], []))


def _words_of_values() -> Iterator[str]:
    """Yield the values of types that people read as they stand, but for their hyphens."""
    from remediate.executor.guards import GuardState
    from remediate.lab.scenarios import SCENARIOS
    from remediate.model import diagnosis, effect, plan, run
    from remediate.openssl.error_texts import ERROR_TEXTS

    values = [*get_args(diagnosis.FindingStatus), *get_args(plan.Role), *get_args(run.RunState), *get_args(run.RunKind)]
    values += get_args(run.StepState)
    values += [
        member.value for kind in (effect.EffectState, effect.EffectSource, effect.ClientState, GuardState) for member in kind
    ]
    yield from ERROR_TEXTS.values()
    yield from (scenario.summary for scenario in SCENARIOS.values())
    yield from (test["name"] for test in json.loads(SELF_TESTS.read_text(encoding="utf-8"))["cases"])
    yield from (spelling for value in values for spelling in (value, value.replace("-", " ")))


def _parts_that_are_no_texts(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        yield from (part.value for part in node.body if isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Field":
        yield from (keyword.value for keyword in node.keywords)  # the words of a schema
    if isinstance(node, ast.JoinedStr):
        for part in node.values:
            yield part
            if isinstance(part, ast.FormattedValue) and part.format_spec:
                yield from ast.walk(part.format_spec)


def _template(node: ast.JoinedStr) -> str:
    template = ""
    uses: dict[str, int] = {}
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            name = _name_of(part.value).strip("_") or "text"
            uses[name] = uses.get(name, 0) + 1
            template += f"{{{name}{uses[name] if uses[name] > 1 else ''}}}"
        elif isinstance(part, ast.Constant):
            template += str(part.value).replace("{", "{{").replace("}", "}}")
    # What is filled in later, by `format`, is a placeholder too.
    return _FILLED_IN_LATER.sub(r"{\1}", template)


def _name_of(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(key))):
            return key
        case ast.Subscript(value=value):
            return _name_of(value)
        case ast.Call(func=ast.Name(id=name), args=[argument, *_]) if name in _FORMATTERS:
            return _name_of(argument)
        case ast.Call(func=ast.Name(id="count"), args=[_, ast.Constant(value=str(noun)), *_]):
            return re.sub(r"\W", "_", noun)
        case ast.Call(func=function):
            return _name_of(function)
    return "text"


def _is_message(template: str, *, is_edge: bool) -> bool:
    if "\n" in template or _TO_SYSTEMS.match(template) or _PATTERN_OR_MARKUP.search(template):
        return False
    bare = _PLACEHOLDER.sub(" ", template)
    words = _WORD.findall(bare)
    if " " in template.strip() and any(word.islower() or "{" in template for word in words):
        is_template = "{" in template and not re.search(r"[<>\\/]|=(?! )", bare)
        return len(words) > 1 or is_template or _ARTICLE.fullmatch(template) is not None
    return is_edge and _HEADING.fullmatch(template.removeprefix("## ")) is not None


def _texts_of_commands() -> Iterator[tuple[str, str]]:
    """Yield the paragraphs of each command's help."""
    from remediate.cli.app import VERBS, command
    from remediate.cli.help import paragraphs_of

    yield from ((paragraph, "remediate/cli/app.py") for paragraph in paragraphs_of(command))
    for verb in VERBS:
        loaded = import_module(f"remediate.cli.verbs.{verb}").command
        yield from ((paragraph, f"remediate/cli/verbs/{verb}.py") for paragraph in paragraphs_of(loaded))


def _texts_of_pages(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the texts in the expressions of a page's template; ``%s`` and ``%(name)s`` are placeholders."""
    for path in sorted((root / "remediate/report/templates").glob("*.j2")):
        for _, kind, token in Environment(autoescape=True).lex(path.read_text(encoding="utf-8")):
            text = re.sub(r"%\((\w+)\)s", r"{\1}", token[1:-1]).replace("%s", "{text}")
            if kind == "string" and token[0] == '"' and (_is_message(text, is_edge=True) or _WORD.fullmatch(text)):
                yield _number_placeholders(text), path.relative_to(root).as_posix()


def _number_placeholders(text: str) -> str:
    """Return a template in which each placeholder has a name of its own."""
    numbers = count(1)
    return re.sub(r"\{text\}", lambda _: "{text}" if (number := next(numbers)) == 1 else f"{{text{number}}}", text)


def update_catalogue(path: Path, messages: dict[str, list[str]]) -> Catalog:
    """Return the catalogue in `path` with exactly `messages`; where only names of placeholders changed, translations stay."""
    with path.open("rb") as file:
        catalogue = read_po(file)
    earlier = {_skeleton(str(message.id)): message for message in catalogue if message.id and message.string}
    template = Catalog(project="remediate")
    for message, places in messages.items():
        template.add(message, locations=[(place, 0) for place in places[:1]])
    created = catalogue.creation_date
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.creation_date = catalogue.revision_date = created
    catalogue.project, catalogue.version = DOMAIN, __version__
    catalogue.copyright_holder = catalogue.last_translator = "remediate contributors"
    catalogue.language_team, catalogue.msgid_bugs_address = "French", "the issues of the project"
    catalogue.obsolete.clear()
    for entry in catalogue:
        earlier_entry = earlier.get(_skeleton(str(entry.id)))
        if entry.id and not entry.string and earlier_entry:
            entry.string = _rename_placeholders(str(earlier_entry.string), str(earlier_entry.id), str(entry.id))
    return catalogue


def _skeleton(template: str) -> str:
    return _PLACEHOLDER.sub("{}", template)


def _rename_placeholders(translation: str, earlier: str, now: str) -> str:
    names = dict(zip(_PLACEHOLDER.findall(earlier), _PLACEHOLDER.findall(now), strict=True))
    return _PLACEHOLDER.sub(lambda match: names.get(match[0], match[0]), translation)


def main() -> None:
    """Bring every catalogue up to date, and compile it."""
    messages = extract_messages()
    for path in sorted(LOCALE_FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.po")):
        catalogue = update_catalogue(path, messages)
        with path.open("wb") as file:
            write_po(file, catalogue, width=120, omit_header=False, include_lineno=False)
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalogue)
        missing = sum(1 for message in catalogue if message.id and not message.string)
        print(f"{path.parts[-3]}: {len(catalogue)} messages, {missing} without a translation")


if __name__ == "__main__":
    main()
