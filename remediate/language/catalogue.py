"""Catalogue of one language: the template behind an English message is recognised, and filled in again in that language.

Everything inside is written in English and keeps it, since JSON, events and the journal do: a message reaches the edge with its values
filled in. The ids of a catalogue are the templates that the sources fill in (`{peer} is not up.`). A message that no template
leads to stays English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_COUNTED = re.compile(r"(?P<number>\d[\d,.]*) (?P<noun>.+)", re.DOTALL)
_ABOUT_A_NAME = re.compile(r"(?P<name>`[^`]*`) (?P<predicate>.+)", re.DOTALL)
_BETWEEN_SENTENCES = re.compile(r"((?<=[.!?])\s+|[;:]\s+|\s+·\s+)")
_IN_SENTENCES = re.compile(r"[.!?;]\s|\s·\s")
"""What no value of a template holds, if the message can be split there."""
_LINE_MARK = re.compile(r"\A(#+|-) ")
"""The mark of a heading or an entry in Markdown, which is no part of a message."""
_MARKS = ("·• ", "·•+-~↻✓✗!? ")
"""Signs before a message: those of a list, then those that belong to some messages."""
_MAX_DEPTH = 6
"""How deep messages may be nested; deeper ones stay English."""
_MAX_CHARACTERS = 20_000
_CACHED_MESSAGES = 4096
_FEW_LETTERS = 4


def placeholders_of(template: str) -> tuple[str, ...]:
    """Return the names of the placeholders of `template`, sorted."""
    return tuple(sorted(_PLACEHOLDER.findall(_without_escapes(template))))


def _without_escapes(template: str) -> str:
    return template.replace("{{", "").replace("}}", "")


@dataclass(frozen=True)
class Template:
    """English template and its translation.

    Attributes:
        message: The English text with placeholders in braces; ``{{`` is a brace.
        translation: The same in the other language, with the same placeholders.
    """

    message: str
    translation: str

    @cached_property
    def literals(self) -> tuple[str, ...]:
        """The texts between the placeholders."""
        return tuple(_unescape(part) for part in _split(self.message)[::2])

    @cached_property
    def weight(self) -> int:
        """How many characters are fixed: the template with the most is the one that a message was made of."""
        return sum(map(len, self.literals))

    @cached_property
    def anchor(self) -> str:
        """The longest text that a message of this template contains."""
        return max(self.literals, key=len)

    @cached_property
    def is_distinct(self) -> bool:
        """Whether its words alone show that a message is of this template: those of ``{a} and {b}`` are in many sentences."""
        return sum(character.isalpha() for character in "".join(self.literals)) > _FEW_LETTERS

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        parts = _split(self.message)
        pattern = "".join(f"(?P<{part}>.*?)" if number % 2 else re.escape(_unescape(part)) for number, part in enumerate(parts))
        return re.compile(pattern, re.DOTALL)

    def match(self, message: str) -> Mapping[str, str] | None:
        """Return the values that `message` was made with; None where it is not of this template."""
        match = self._pattern.fullmatch(message)
        return match.groupdict() if match else None

    def fill_in(self, values: Mapping[str, str]) -> str:
        """Return the translation with `values`."""
        parts = _split(self.translation)
        return "".join(values[part] if number % 2 else _unescape(part) for number, part in enumerate(parts))


def _split(template: str) -> list[str]:
    """Return texts and names of placeholders in turn."""
    protected = template.replace("{{", "\0").replace("}}", "\1")
    return _PLACEHOLDER.split(protected)


def _unescape(part: str) -> str:
    return part.replace("\0", "{").replace("\1", "}")


def _precedence(template: Template) -> tuple[bool, bool, bool, int, int]:
    """Return the place of a template among those that a message may match.

    Those with many fixed words come first; then those that begin with one, and have few places to fill in. One with the same words in
    both languages comes last.
    """
    is_same = template.message == template.translation
    if template.is_distinct:
        return is_same, False, False, 0, -template.weight
    return is_same, True, not template.literals[0], len(template.literals), -template.weight


class Catalogue:
    """Translations of one language.

    Args:
        translations: Translations by English template.
    """

    def __init__(self, translations: Mapping[str, str]) -> None:
        templates = [
            Template(_LINE_MARK.sub("", message.strip()), _LINE_MARK.sub("", translation.strip()))
            for message, translation in translations.items()
            if message and translation
        ]
        self._fixed = {template.message: template.fill_in({}) for template in templates if len(template.literals) == 1}
        self._templates = sorted((template for template in templates if len(template.literals) > 1), key=_precedence)
        self._translate_cached = lru_cache(maxsize=_CACHED_MESSAGES)(self._translate)

    def translate(self, message: str) -> str:
        """Return `message` in this language, as far as it is known; blanks at both ends stay."""
        if len(message) > _MAX_CHARACTERS:
            return message
        text = message.strip()
        for marks in ("", *_MARKS):
            text = text.lstrip(marks) if marks else text
            translated = self._translate_cached(text, 0)
            if translated != text:
                return message.replace(text, translated, 1)
        return message

    def _translate(self, message: str, depth: int) -> str:
        recognised = self._recognise_list(message, depth) or self._recognise(message, depth)
        if recognised is not None:
            return recognised
        runs = list(self._split_into_runs(message, depth))
        if all(translation is not None for _, translation in runs):
            return "".join(translation or "" for _, translation in runs)
        across = self._recognise(message, depth, across_sentences=True)
        if across is not None:
            return across
        if all(translation is None for _, translation in runs[::2]):
            return message
        return "".join(run if translation is None else translation for run, translation in runs)

    def _recognise(self, message: str, depth: int, *, across_sentences: bool = False) -> str | None:
        """Return the translation of a message that a template, or a counted noun, is the whole of; None where none is.

        Args:
            message: The English message.
            depth: How many messages enclose it.
            across_sentences: A value may reach over the end of a sentence.
        """
        if message in self._fixed:
            return self._fixed[message]
        counted = _COUNTED.fullmatch(message)
        if counted and counted["noun"] in self._fixed:
            return f"{counted['number']} {self._fixed[counted['noun']]}"
        if depth >= _MAX_DEPTH:
            return None
        about = _ABOUT_A_NAME.fullmatch(message)
        predicate = self._recognise(about["predicate"], depth + 1) if about else None
        if about and predicate is not None:
            return f"{about['name']} {predicate}"
        for template in self._templates:
            values = template.match(message) if template.anchor in message else None
            if values is not None and self._are_values(template, values, depth + 1, across_sentences=across_sentences):
                return template.fill_in(
                    {name: self._translate_part(template, name, values[name], depth + 1) for name in values}
                )
        return self._recognise_sentence(message, depth)

    def _recognise_sentence(self, message: str, depth: int) -> str | None:
        """Return the translation of a sentence that is known without its full stop."""
        phrase = self._recognise(message[:-1], depth + 1) if message.endswith(".") else None
        return None if phrase is None else f"{phrase}."

    def _are_values(self, template: Template, values: Mapping[str, str], depth: int, *, across_sentences: bool) -> bool:
        if not template.is_distinct:
            return all(self._is_name(value, depth) for value in values.values())
        return across_sentences or not any(_IN_SENTENCES.search(value) for value in values.values())

    def _is_name(self, value: str, depth: int) -> bool:
        """Return whether a value is a name, an enumeration, or a message that is known."""
        return all(" " not in part or self._recognise(part, depth) is not None for part in value.strip().split(", "))

    def _translate_part(self, template: Template, name: str, value: str, depth: int) -> str:
        """Return a value in this language; what the template quotes as code, such as a key, stays."""
        return value if f"`{{{name}}}`" in template.message else self._translate_value(value, depth)

    def _translate_value(self, value: str, depth: int) -> str:
        text = value.strip()
        return value.replace(text, self._translate_cached(text, depth), 1) if text else value

    def _recognise_list(self, message: str, depth: int) -> str | None:
        """Return the translation of an enumeration of messages that are all known; None for anything else."""
        parts = message.split(", ")
        if len(parts) == 1 or self._has_comma_of_its_own(message, depth):
            return None
        translations = [self._recognise(part, depth) for part in parts]
        return None if None in translations else ", ".join(filter(None, translations))

    def _has_comma_of_its_own(self, message: str, depth: int) -> bool:
        """Return whether a template with a comma makes the whole of `message`, so that it is no enumeration."""
        for template in self._templates:
            if template.is_distinct and template.anchor in message and any(", " in literal for literal in template.literals):
                values = template.match(message)
                if values is not None and self._are_values(template, values, depth + 1, across_sentences=False):
                    return True
        return False

    def _split_into_runs(self, message: str, depth: int) -> Iterator[tuple[str, str | None]]:
        """Yield the longest runs of sentences that are known, from the left, with their translations; None for one that is not.

        The text between them is every second; a colon and a semicolon have a blank before them (French typography).
        """
        parts = _BETWEEN_SENTENCES.split(message)
        begin = 0
        while begin < len(parts):
            end, translation = begin + 1, None
            for further in range(len(parts), begin, -2):
                translation = self._recognise("".join(parts[begin:further]), depth)
                if translation is not None:
                    end = further
                    break
            yield "".join(parts[begin:end]), translation
            if end < len(parts):
                needs_blank = parts[end][0] in ";:" and not parts[end - 1].endswith(" ")
                yield parts[end], f" {parts[end]}" if needs_blank else parts[end]
            begin = end + 1
