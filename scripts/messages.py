"""Bring the catalogues up to date: extract messages for people from the sources, merge them, compile.

An f-string is a template whose placeholders are named after what is filled in: ``{peer} refuses {endpoints}``. Docstrings, queries and
what is sent to a system are no messages. A message that moved or changed a little keeps its translation as *fuzzy*, which is not used.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from itertools import count
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment

ROOT = Path(__file__).parents[1]
LOCALE_FOLDER = ROOT / "remediate/language/locale"
DOMAIN = "remediate"
_ROOMS = ("cli", "connectors", "executor", "formats", "inventory", "machine", "model", "planner", "report", "trust")
_NO_MESSAGES = frozenset({"remediate/report/metrics.py"})
"""Modules whose texts are for programs."""
_EDGE = ("cli", "report")
"""Rooms in which single words are headings."""
_TO_SYSTEMS = re.compile(
    r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|PRAGMA|BEGIN|DROP|ATTACH|WITH|xConf|xStat|xCom|show cert|set c|utils "
    r"|\*c |GET |POST |<)"
    r"|default-src |-----|Basic \{|HTTP \{|Ethernet \{|# "
)
_PATTERN_OR_MARKUP = re.compile(r"[\\^$|]\(|\(\?|<[a-z/]")
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]+")
_HEADING = re.compile(r"[A-Z][a-z]{2,}[ a-z-]*")
_PLACEHOLDER = re.compile(r"\{\w+\}")
_CLICK = (
    "Usage:", "Options", "Commands", "Show this message and exit.", "env var: {var}", "default: {default}", "required",
    "Missing command.", "Missing argument {hint}.", "Missing option {hint}.", "Missing parameter: {param_name}",
    "Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})", "No such option {name}.",
    "No such option: {name}", "No such command {name}.", "Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)",
    "(Possible options: {possibilities})", "Option {name} does not take a value.", "Option {name} requires an argument.",
    "Invalid value for {param_hint}: {message}", "{value} is not one of {choices}.", "{value} is not in the range {range}.",
    "{value} is not a valid {number_type}.", "{name} {filename} does not exist.", "{name} {filename} is a directory.",
    "{name} {filename} is a file.", "{name} {filename} is not readable.", "{name} {filename} is not writable.",
    "File", "Path", "Directory",
)  # fmt: skip
"""Words of click's own, in help and about wrong usage."""
_FRAGMENTS = (
    "is", "are", "was", "were", "has", "have", "uses", "use", "takes", "take", "it", "them", "delete", "Delete", "more", "behind",
    "ahead of", "primary,", "begins", "ends", "accepts", "refused", "tolerated", "accepted", "log",
    "Changes", "Impact", "Verification", "Rollback", "Notes", "Cisco Tomcat", "Cisco HAProxy", "Cisco CallManager", "Cisco TFTP",
    "Cisco XCP Router", "Server Authentication", "Client Authentication",
    "Then restart {names} on {where} (`utils service restart {services}`; {price})",
    "Else trust that certificate on every peer after checking its fingerprint out of band.",
    "Else trust that root on every peer after checking its fingerprint out of band.",
    "Else find that CA certificate (root and intermediates) and give it to `remediate plan` with --ca.",
    "remediate: Missing option {hint}.", "Known: {keys}.",
    "incomplete", "made {moment} UTC", "made {moment} UTC)", "1 root", "roots", "trust {name} (root)",
    "intermediate", "intermediates", "self-signed", "self-signed ones",
    "{verified} verified, cipher list kept, {certificates} added over all peers ({added})",
    "{verified} verified, cipher list changed, {certificates} added over all peers ({added})",
    "{verified} verified, cipher list kept, {certificates} added over all peers ({added}), {more}",
    "{verified} verified, cipher list changed, {certificates} added over all peers ({added}), {more}",
    "{cluster}: {peers} peers, {rest}",
    *(f"{unit} {direction}" for unit in ("days", "hours", "minutes") for direction in ("ahead of", "behind")),
    "before it, {peers} was restarted, and no other peer was", "before it, {peers} were restarted, and no other peer was",
    "{peers} was restarted and is back as before.{remark}", "{peers} were restarted and are back as before.{remark}",
    "Run {run} is rolled back, and every peer was read back as it was before. {effects}",
    "{failing} of {checks} fail, on {broken} of {peers} peers. This plan fixes {fixed} of them.",
    "{failing} of {checks} fail, on {broken} of {peers} peer. This plan fixes {fixed} of them.",
    "{at} UTC: {peer} refuses ({cause}) {names}: {causes}.", "{at} UTC: {peer} accepts {names}: {causes}.",
    "The list holds one certificate per common name, and {endpoints} uses {certificates}.",
    "The list holds one certificate per common name, and {endpoints} use {certificates}.",
    *(
        f"It would verify with {{needed}} in the trusted CA list, but {{rule}}, and {{certificates}} {verb} {reason}."
        for verb in ("is", "are")
        for reason in (
            "in use by {endpoints}", "what this plan adds for {endpoints}", "in the list, although no observed endpoint needs it"
        )
    ),
)  # fmt: skip
"""Words that are filled into messages, or stand alone, and that look like no message."""
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
    for room in _ROOMS:
        for path in sorted((root / "remediate" / room).rglob("*.py")):
            place = path.relative_to(root).as_posix()
            if place in _NO_MESSAGES:
                continue
            module = ast.parse(path.read_text(encoding="utf-8"))
            for template in _templates_of(module):
                if _is_message(template, is_edge=room in _EDGE):
                    _add(messages, template, place)
            for noun in _counted_nouns(module):
                _add(messages, noun, place)
    for template in _CLICK:
        _add(messages, template, "click")
    for template in _FRAGMENTS:
        _add(messages, template, "fragments")
    for template, place in (*_texts_of_commands(), *_texts_of_pages(root)):
        _add(messages, template, place)
    return messages


def _add(messages: dict[str, list[str]], template: str, place: str) -> None:
    places = messages.setdefault(template, [])
    if place not in places:
        places.append(place)


def _templates_of(module: ast.Module) -> Iterator[str]:
    """Yield every text of a module but docstrings, an f-string as a template."""
    inside = {id(part) for node in ast.walk(module) for part in _parts_that_are_no_texts(node)}
    for node in ast.walk(module):
        if id(node) in inside:
            continue
        if isinstance(node, ast.JoinedStr):
            yield _template(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _counted_nouns(module: ast.Module) -> Iterator[str]:
    """Yield singular and plural of each noun that is counted: ``count(2, "endpoint")``."""
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Name(id="count"), args=[_, ast.Constant(value=str(noun)), ast.Constant(value=str(plural))]):
                yield from (noun, plural)
            case ast.Call(func=ast.Name(id="count"), args=[_, ast.Constant(value=str(noun))]):
                yield from (noun, f"{noun}s")


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
        return len(words) > 1 or ("{" in template and not re.search(r"[<>\\/]|=(?! )", bare))
    return is_edge and _HEADING.fullmatch(template) is not None


def _texts_of_commands() -> Iterator[tuple[str, str]]:
    """Yield the paragraphs of each command's help."""
    from remediate.cli.app import VERBS, command
    from remediate.cli.help import paragraphs_of

    yield from ((paragraph, "remediate/cli/app.py") for paragraph in paragraphs_of(command))
    for verb in VERBS:
        loaded = import_module(f"remediate.cli.verbs.{verb}").command
        yield from ((paragraph, f"remediate/cli/verbs/{verb}.py") for paragraph in paragraphs_of(loaded))


def _texts_of_pages(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the texts in the expressions of a page's template; ``%s`` is a placeholder."""
    for path in sorted((root / "remediate/report/templates").glob("*.j2")):
        for _, kind, token in Environment(autoescape=True).lex(path.read_text(encoding="utf-8")):
            text = re.sub("%s", "{text}", token[1:-1])
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
    catalogue.creation_date = created
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
