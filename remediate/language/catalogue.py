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
_SENTENCE_END = re.compile(r"(?<=[.!?:;])(\s+)")
_MAX_DEPTH = 6
"""How deep messages may stand in each other; deeper ones stay English."""
_MAX_CHARACTERS = 20_000
_CACHED_MESSAGES = 4096


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
        """How many characters stand fast: the template with the most is the one that a message was made of."""
        return sum(map(len, self.literals))

    @cached_property
    def anchor(self) -> str:
        """The longest text that a message of this template contains."""
        return max(self.literals, key=len)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        parts = _split(self.message)
        pattern = "".join(f"(?P<{part}>.+?)" if number % 2 else re.escape(_unescape(part)) for number, part in enumerate(parts))
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


class Catalogue:
    """Translations of one language.

    Args:
        translations: Translations by English template.
    """

    def __init__(self, translations: Mapping[str, str]) -> None:
        templates = [Template(message, translation) for message, translation in translations.items() if message and translation]
        self._fixed = {template.message: template.fill_in({}) for template in templates if len(template.literals) == 1}
        self._templates = sorted((template for template in templates if len(template.literals) > 1), key=lambda t: -t.weight)
        self._translate_cached = lru_cache(maxsize=_CACHED_MESSAGES)(self._translate)

    def translate(self, message: str) -> str:
        """Return `message` in this language, as far as it is known; blanks at both ends stay."""
        if len(message) > _MAX_CHARACTERS:
            return message
        text = message.strip()
        start, end = message[: len(message) - len(message.lstrip())], message[len(message.rstrip()) :]
        return f"{start}{self._translate_cached(text, 0)}{end}" if text else message

    def _translate(self, message: str, depth: int) -> str:
        whole = self._translate_whole(message, depth)
        return whole if whole is not None else self._translate_sentences(message, depth)

    def _translate_whole(self, message: str, depth: int) -> str | None:
        if message in self._fixed:
            return self._fixed[message]
        if counted := _COUNTED.fullmatch(message):
            noun = self._fixed.get(counted["noun"])
            if noun is not None:
                return f"{counted['number']} {noun}"
        if depth >= _MAX_DEPTH:
            return None
        for template in self._templates:
            values = template.match(message) if template.anchor in message else None
            if values is not None:
                return template.fill_in({name: self._translate_value(value, depth + 1) for name, value in values.items()})
        return None

    def _translate_value(self, value: str, depth: int) -> str:
        text = value.strip()
        return value.replace(text, self._translate_cached(text, depth), 1) if text else value

    def _translate_sentences(self, message: str, depth: int) -> str:
        """Translate the longest runs of sentences that are known, from the left."""
        parts = _SENTENCE_END.split(message)
        if len(parts) == 1:
            return message
        return "".join(self._translate_runs(parts, depth))

    def _translate_runs(self, parts: list[str], depth: int) -> Iterator[str]:
        """Yield texts for `parts`: sentences and the blanks between them in turn."""
        begin = 0
        while begin < len(parts):
            for end in range(len(parts) if begin else len(parts) - 2, begin, -2):
                run = "".join(parts[begin:end])
                translation = self._translate_whole(run, depth)
                if translation is not None:
                    break
            else:
                end, translation = begin + 1, parts[begin]
            yield translation
            yield from parts[end : end + 1]
            begin = end + 1
