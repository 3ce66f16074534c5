"""Mistakes in an inventory: what a model refused, as sentences that name the key, what is wrong, and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from remediate.inventory.document import INTEGER, STRING, Document, Location, Mistake, describe_kind
from remediate.inventory.shape import PREDICATE, SENTENCE, InventoryShape, PasswordShape

_PASSWORD = "password"  # noqa: S105 - the name of a key


def list_mistakes(document: Document, error: ValidationError) -> list[Mistake]:
    """Return what is wrong in `document`, by line. No sentence quotes a value that may be a password."""
    errors = error.errors(include_url=False, include_input=False)
    misspelt = {_meant(details["loc"]) for details in errors if details["type"] == "extra_forbidden"}
    return [_mistake(document, details) for details in errors if details["type"] != "missing" or details["loc"] not in misspelt]


def _meant(location: Location) -> Location | None:
    """Return the location of the known key that an unknown one resembles; None where it resembles none."""
    nearest = _nearest(str(location[-1]), _keys_at(location[:-1]))
    return (*location[:-1], nearest) if nearest else None


def _mistake(document: Document, details: ErrorDetails) -> Mistake:
    location: Location = details["loc"]
    line = document.line_of_key(location) if details["type"] == "extra_forbidden" else document.line_of(location)
    if details["type"] == "missing":
        line = document.line_of(location[:-1])
    return Mistake(document.file, line, _sentence(document, details, location))


def _sentence(document: Document, details: ErrorDetails, location: Location) -> str:
    name, node = _name_of(location), document.node_at(location)
    match details["type"]:
        case str(kind) if kind == SENTENCE:
            return details["msg"]
        case str(kind) if kind == PREDICATE:
            return f"`{name}` {details['msg']}"
        case "missing":
            return f"`{_name_of(location[:-1])}` lacks the key `{name}`."
        case "extra_forbidden":
            return _describe_unknown_key(location)
        case "model_type" | "model_attributes_type" | "dict_type":
            return _describe_no_mapping(name, node, location)
        case "list_type":
            return f"`{name}` must be a list, not {describe_kind(node)}."
        case "too_short":
            return f"`{name}` is empty: give at least one entry or leave the key out."
        case "greater_than_equal" | "less_than_equal":
            return f"`{name}` is {node.value}, but a port is 1 to 65535."
        case "literal_error" if node.tag == STRING:
            return _describe_no_choice(name, str(node.value), location)
    return _describe_no_scalar(details["type"], name, node)


def _describe_no_scalar(kind: str, name: str, node: yaml.Node) -> str:
    if kind == "int_type":
        if node.tag == INTEGER:
            return f"`{name}` must be a whole number from 1, in decimal and without leading zeros."
        return f"`{name}` must be a whole number, not {describe_kind(node)}."
    if kind == "bool_type":
        return f"`{name}` must be true or false, not {describe_kind(node)}."
    if not isinstance(node, yaml.ScalarNode):
        return f"`{name}` must be text, not {describe_kind(node)}."
    return f"`{name}` must be text, and YAML reads it as {describe_kind(node)}: put it in quotes."


def _describe_no_mapping(name: str, node: yaml.Node, location: Location) -> str:
    if location[-1:] == (_PASSWORD,):
        return (
            f"`{name}` must say where the password comes from and never hold it: write `{name}: {{env: NAME}}`, "
            "or {file: PATH}, {command: [PROGRAM, …]}, {keyring: SERVICE} or {prompt: true}."
        )
    return f"`{name}` must be keys and values ({', '.join(_keys_at(location))}), not {describe_kind(node)}."


def _describe_unknown_key(location: Location) -> str:
    parent, key = _name_of(location[:-1]), str(location[-1])
    known_keys = _keys_at(location[:-1])
    nearest = _suggest(key, known_keys)
    if not nearest and _model_at(location[:-1]) is PasswordShape:
        # A key that resembles none may be the password itself: {hunter2}.
        return f"`{parent}` has an unknown key; known are {', '.join(known_keys)}."
    if not nearest:
        return f"`{key}` is not a key of `{parent}`. Known: {', '.join(known_keys)}."
    return f"`{key}` is not a key of `{parent}`.{nearest}"


def _describe_no_choice(name: str, value: str, location: Location) -> str:
    choices = _choices_at(location)
    return f"`{name}` is `{value}`, but must be {_join_choices(choices)}.{_suggest(value, choices)}"


def _suggest(word: str, candidates: Collection[str]) -> str:
    nearest = _nearest(word, candidates)
    return f" Did you mean `{nearest}`?" if nearest else ""


def _nearest(word: str, candidates: Collection[str]) -> str | None:
    match = difflib.get_close_matches(word.replace("-", "_"), candidates, n=1, cutoff=0.5)
    return match[0] if match else None


def _join_choices(choices: Collection[str]) -> str:
    *head, last = (f"`{choice}`" for choice in choices)
    return f"{', '.join(head)} or {last}" if head else last


def _name_of(location: Location) -> str:
    """Return the name of a value in messages: its key, or ``peers[1]``."""
    if not location:
        return "inventory"
    last = location[-1]
    return f"{_name_of(location[:-1])}[{last}]" if isinstance(last, int) else last


def _keys_at(location: Location) -> tuple[str, ...]:
    model = _model_at(location)
    return tuple(model.model_fields) if model else ()


def _model_at(location: Location) -> type[BaseModel] | None:
    """Return the model that the value at `location` should have."""
    annotation: Any = InventoryShape
    for step in location:
        if isinstance(step, str):
            model = _find(annotation, _is_model)
            annotation = model.model_fields[step].annotation if model and step in model.model_fields else None
    expected: type[BaseModel] | None = _find(annotation, _is_model)
    return expected


def _choices_at(location: Location) -> tuple[str, ...]:
    model = _model_at(location[:-1])
    fields: Mapping[str, Any] = model.model_fields if model else {}
    literal = _find(fields[str(location[-1])].annotation, _is_literal) if str(location[-1]) in fields else None
    return get_args(literal)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _is_literal(annotation: Any) -> bool:
    arguments = get_args(annotation)
    return bool(arguments) and all(isinstance(argument, str) for argument in arguments)


def _find(annotation: Any, matches: Callable[[Any], bool]) -> Any:
    """Return the first part of an annotation that `matches`: the model in ``list[PeerShape] | None``."""
    if matches(annotation):
        return annotation
    return next((part for part in (_find(argument, matches) for argument in get_args(annotation)) if part is not None), None)
