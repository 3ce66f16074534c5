"""Template of a message, and its translation: `{peer} is not up.` and `{peer} ne répond pas.`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_QUOTATION = re.compile(r"`[^`]*`|“[^”]*”|\"[^\"]*\"|'\{\w+\}'")
_WORD = re.compile(r"\w+")
_END_OF_SENTENCE = re.compile(r"(?<=[.!?]) ")
_CONTRACTIONS = {("de", "le"): "du", ("de", "les"): "des", ("à", "le"): "au", ("à", "les"): "aux"}
_BEFORE_ARTICLE = re.compile(r"\b(de|à) \Z")
_ARTICLE = re.compile(r"(les?) ")
_FEW_LETTERS = 6
"""Fewer letters than a sentence has that is recognised by its own words."""
_FEW_IN_A_BEGINNING = 4
_MAX_MATCHES = 8
"""How many ways to divide a message are looked at."""


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
    def letters(self) -> int:
        """How many letters are fixed: the template with the most is the one that a message was made of."""
        return sum(character.isalpha() for character in "".join(self.literals))

    @cached_property
    def signs(self) -> int:
        """How many characters are fixed, beside blanks."""
        return sum(not character.isspace() for character in "".join(self.literals))

    @cached_property
    def words(self) -> frozenset[str]:
        """The words that every message of this template has, and that no value lengthens."""
        last = len(self.literals) - 1
        return frozenset(
            match[0]
            for number, literal in enumerate(self.literals)
            for match in _WORD.finditer(literal)
            if (match.start() or not number) and (match.end() < len(literal) or number == last)
        )

    @cached_property
    def quoted(self) -> frozenset[str]:
        """The placeholders inside of a quotation or of code, such as a command: their values are no words of ours."""
        return frozenset(name for quotation in _QUOTATION.findall(self.message) for name in _PLACEHOLDER.findall(quotation))

    @cached_property
    def is_distinct(self) -> bool:
        """Whether its words alone show that a message is of this template: those of ``{a} and {b}`` are in many sentences."""
        return self.letters > _FEW_LETTERS or (self.letters >= _FEW_IN_A_BEGINNING and self.message[0].isupper())

    @cached_property
    def _surroundings(self) -> Mapping[str, tuple[str, str]]:
        return dict(zip(self._names, zip(self.literals, self.literals[1:], strict=False), strict=True))

    def is_place_of_text(self, name: str, value: str) -> bool:
        """Return whether `value` stands where several sentences may: in brackets, after a last colon, or between sentences."""
        before, after = self._surroundings[name]
        if before.endswith("(") and after.startswith(")"):
            return True
        is_last = after.strip(" .") == "" and name == self._names[-1]
        begins = not before.strip() or before.endswith((". ", "! ", "? ")) or (is_last and before.endswith(": "))
        return begins and (is_last or (after.startswith(" ") and value.endswith((".", "!", "?"))))

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(_split(self.message)[1::2])

    def list_matches(self, message: str) -> Iterator[Mapping[str, str]]:
        """Yield the values that `message` may have been made with, the shortest first; none where it is not of this template.

        A value that only a blank parts from the next ends its sentence, where any does.
        """
        first, *between, last = self.literals
        if len(message) < len(first) + len(last) or not message.startswith(first) or not message.endswith(last):
            return
        body = message[len(first) : len(message) - len(last)]
        for values in islice(_divide(body, between), _MAX_MATCHES):
            yield dict(zip(self._names, values, strict=True))

    def fill_in(self, values: Mapping[str, str]) -> str:
        """Return the translation with `values`."""
        text = ""
        for number, part in enumerate(_split(self.translation)):
            text = _append_value(text, values[part]) if number % 2 else text + _unescape(part)
        return text


def _divide(text: str, literals: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield what stands between the fixed texts in `text`, for each place where these may stand."""
    if not literals:
        yield (text,)
        return
    literal, *following = literals
    for place in _list_places(text, literal):
        for values in _divide(text[place + len(literal) :], following):
            yield (text[:place], *values)


def _list_places(text: str, literal: str) -> Iterator[int]:
    """Yield where `literal` stands in `text`; of single blanks those after a sentence, if there are any; nothing stands at once."""
    if not literal:
        yield 0
        return
    is_sentence_end = literal == " " and _END_OF_SENTENCE.search(text) is not None
    place = text.find(literal)
    while place >= 0:
        if not is_sentence_end or text[place - 1] in ".!?":
            yield place
        place = text.find(literal, place + 1)


def _append_value(text: str, value: str) -> str:
    """Return `text` with `value` after it; ``de`` before ``le fichier`` becomes ``du fichier``."""
    before, article = _BEFORE_ARTICLE.search(text), _ARTICLE.match(value)
    if not before or not article:
        return text + value
    return f"{text[: before.start()]}{_CONTRACTIONS[before[1], article[1]]} {value[article.end() :]}"


def _split(template: str) -> list[str]:
    """Return texts and names of placeholders in turn."""
    protected = template.replace("{{", "\0").replace("}}", "\1")
    return _PLACEHOLDER.split(protected)


def _unescape(part: str) -> str:
    return part.replace("\0", "{").replace("\1", "}")
