"""Readings of an English message: as a template with its values, an enumeration or several sentences.

Of the ways to read a message, the one that leaves the fewest English words counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from remediate.language.template import Template

JOINT = "\x1f"
"""In the place of a blank in a name of several words that would be read as words."""
_ABOUT_A_NAME = re.compile(r"(?P<name>`[^`]*`) (?P<statement>.+)", re.DOTALL)
_BESIDE_A_NAME = re.compile(r"(?P<name>[^()]+) \((?P<statement>.+)\)", re.DOTALL)
_QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"|“[^”]*”|\([^\s()]*\)")
"""What is no word of ours in a message: code, what a system said, a name in brackets."""
_BRACKET = re.compile(r"[()]")
_WORD = re.compile(rf"(?<![\w./:@=\-{JOINT}])[A-Za-z][a-z'-]+(?![\w/:@=\-{JOINT}]|\.\w)")
_BREAK = re.compile(r"(?<=[.!?])\s+|[;:]\s+|\s+·\s+")
"""Between sentences; a colon and a semicolon have a blank before them in French."""
_SEPARATORS = ((re.compile("; "), " ; "), (re.compile(", "), ", "))
"""Between the parts of an enumeration, and the same in French."""
_YEAR = re.compile(r"\d{4}-")
_NAMES_WITHOUT_BLANKS = frozenset({"address", "cluster", "host", "user", "username", "who"})
_NAMES_OF_OTHERS = _NAMES_WITHOUT_BLANKS | {"account", "path", "ticket"}
"""Placeholders whose values are never words of ours: `root` is a user, too."""
_NUMBERS = frozenset({"number", "passing"})
_NAMES = frozenset({"count_places", "peer", "service"})
"""Placeholders of templates of few words whose values are numbers, or are not."""
_COST_OF_STRAIN = 2
"""How many English words are as bad as a value that holds more than a value does."""
_MAX_DEPTH = 8
"""How deep messages may be nested; deeper ones stay English."""
_MAX_SENTENCES = 8
"""How many sentences of a longer text are looked at together."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a message.

    Attributes:
        text: The message in the other language, as far as it is known.
        english: How many words of it stay English.
        strained: How many values in it hold sentences, where a value does not.
        is_name: Whether it stays as it is.
    """

    text: str
    english: int = 0
    strained: int = 0
    is_name: bool = False

    @property
    def cost(self) -> tuple[int, bool]:
        """What makes a reading worse than another."""
        return self.english + _COST_OF_STRAIN * self.strained, self.is_name


_BEST = (0, False)

Readings = dict[tuple[str, bool, int | None], Reading]
"""What was read, by the text, whether it was read as a whole, and how deep it stood; None where it was read to its end."""


class Dictionary(Protocol):
    """Messages of which the translation is known."""

    def find_fixed(self, message: str) -> str | None:
        """Return the translation of a message without values; None for any other."""

    def is_english(self, word: str) -> bool:
        """Return whether a word is one of our messages, and of no translation."""

    def list_candidates(self, message: str) -> Iterator[Template]:
        """Yield, in their precedence, the templates that `message` may be of."""


class Reader:
    """Reads one message.

    Args:
        dictionary: The messages that are known.
        readings: What was read before; what is read now is added.
    """

    def __init__(self, dictionary: Dictionary, readings: Readings) -> None:
        self._dictionary = dictionary
        self._readings = readings
        self._depth = 0
        self._is_cut = False

    def read(self, message: str) -> Reading:
        """Return the best reading of a message, as a whole or sentence by sentence; blanks at both ends stay."""
        text = message.strip()
        if not text:
            return Reading(message, is_name=True)
        reading = self._remember(text, is_whole=False)
        return reading if text == message else replace(reading, text=message.replace(text, reading.text, 1))

    def _remember(self, text: str, *, is_whole: bool) -> Reading:
        """Return the best reading of a text, and keep it: it counts at every depth, unless it was cut at the deepest."""
        depth = self._depth
        reading = self._readings.get((text, is_whole, None)) or self._readings.get((text, is_whole, depth))
        if reading is not None:
            self._is_cut = self._is_cut or (text, is_whole, None) not in self._readings
            return reading
        if depth >= _MAX_DEPTH:
            self._is_cut = True
            return self._keep(text)
        was_cut, self._is_cut = self._is_cut, False
        self._depth += not is_whole
        reading = self._read_whole(text) if is_whole else self._read_any(text)
        self._depth = depth
        self._readings[text, is_whole, depth if self._is_cut else None] = reading
        self._is_cut = was_cut or self._is_cut
        return reading

    def _read_any(self, text: str) -> Reading:
        whole = self._remember(text, is_whole=True)
        return whole if whole.cost == _BEST else min(whole, self._read_sentences(text), key=_cost_of)

    def _read_whole(self, text: str) -> Reading:
        """Return the best reading of a text that is one sentence, or an enumeration; the full stop at its end stays."""
        fixed = self._dictionary.find_fixed(text)
        if fixed is not None:
            return Reading(fixed)
        best = self._keep(text)
        if text.endswith("."):
            phrase = self._remember(text[:-1], is_whole=True)
            best = min(best, replace(phrase, text=f"{phrase.text}."), key=_cost_of)
        if " " not in text or best.cost == _BEST:
            return best
        for template in self._dictionary.list_candidates(text):
            for values in template.list_matches(text):
                best = self._fill_in(template, values, best)
            if best.cost == _BEST:
                return best
        return min((best, *self._read_about_a_name(text), *self._read_enumeration(text)), key=_cost_of)

    def _fill_in(self, template: Template, values: Mapping[str, str], best: Reading) -> Reading:
        """Return the reading of a message that `template` made of `values`; `best` where it did not, or where that is as good."""
        if not all(self._may_hold(template, name, value) for name, value in values.items()):
            return best
        english, strained, texts = 0, 0, {}
        for name, value in values.items():
            is_strained = _BREAK.search(value) is not None and not template.is_place_of_text(name, value)
            if is_strained and not template.is_distinct:
                return best
            reading = self._read_value(template, name, value)
            if reading.english and not template.is_distinct and not template.is_place_of_text(name, value):
                return best
            is_strained = is_strained and len(_split_outside_quotes(value, _BREAK)) > 1
            texts[name] = reading.text
            english, strained = english + reading.english, strained + reading.strained + is_strained
            if Reading("", english, strained).cost >= best.cost:
                return best
        return Reading(template.fill_in(texts), english, strained)

    def _may_hold(self, template: Template, name: str, value: str) -> bool:
        """Return whether a value is of the kind that its name promises, and has its brackets and its code closed."""
        kind, is_code = _bare(name), name in template.quoted
        if kind in _NAMES_WITHOUT_BLANKS and " " in value and not is_code and self._dictionary.find_fixed(value) is None:
            return False
        if (kind in _NUMBERS and not value.replace(",", "").isdigit()) or (kind in _NAMES and value.isdigit()):
            return False
        is_moment = not name.endswith("_at") or _YEAR.match(value) is not None or JOINT in value
        return is_moment and value.count("(") == value.count(")") and value.count("`") % 2 == 0

    def _read_value(self, template: Template, name: str, value: str) -> Reading:
        """Return the reading of a value; a name of others stays, and what the template quotes as code, such as a key."""
        if name in template.quoted or (_bare(name) == "operator" and " " not in value):
            return Reading(value, is_name=True)
        if _bare(name) in _NAMES_OF_OTHERS and not (" " in value and self._dictionary.find_fixed(value)):
            return Reading(value, self._keep(value).english if " " in value else 0, is_name=True)
        return self.read(value)

    def _read_about_a_name(self, text: str) -> Iterator[Reading]:
        """Yield the reading of a known message with what it is about: "`ports` is empty.", or ``expc1, expc2 (not asked)``."""
        about, beside = _ABOUT_A_NAME.fullmatch(text), _BESIDE_A_NAME.fullmatch(text)
        if about:
            statement = self.read(about["statement"])
            if not statement.english and not statement.is_name:
                yield Reading(f"{about['name']} {statement.text}", 0, statement.strained)
        if beside:
            name, statement = self.read(beside["name"]), self.read(beside["statement"])
            if not statement.english and not name.english and not statement.is_name:
                yield Reading(f"{name.text} ({statement.text})", 0, name.strained)

    def _read_enumeration(self, text: str) -> Iterator[Reading]:
        """Yield the readings of an enumeration of messages and names that are all known."""
        for separator, between in _SEPARATORS:
            parts = _split_outside_quotes(text, separator)[::2]
            readings = [self.read(part) for part in parts] if len(parts) > 1 else []
            if not readings or any(reading.english for reading in readings):
                continue
            is_name = all(reading.is_name for reading in readings)
            yield Reading(between.join(reading.text for reading in readings), 0, sum(map(_strain_of, readings)), is_name)

    def _read_sentences(self, text: str) -> Reading:
        """Return the best reading of a text as several sentences; as a name, where it is one or none is known."""
        parts = _split_outside_quotes(text, _BREAK)
        best: list[tuple[Reading, ...]] = [()]
        for end in range(1, len(parts) + 1, 2):
            choices = []
            for begin in range(max(0, end - 2 * _MAX_SENTENCES + 1), end, 2):
                reading = self._remember("".join(parts[begin:end]), is_whole=True)
                if not reading.is_name or begin + 1 == end:
                    choices.append((*best[begin // 2], reading, *_space_break(parts, end)))
            best.append(min(choices, key=lambda readings: (sum(_cost_of(reading)[0] for reading in readings), len(readings))))
        readings = best[-1]
        if len(readings) == 1 or all(reading.is_name for reading in readings):
            return self._keep(text)
        english = sum(reading.english for reading in readings)
        return Reading("".join(reading.text for reading in readings), english, sum(map(_strain_of, readings)))

    def _keep(self, text: str) -> Reading:
        """Return the reading of a text that stays as it is: of a name, or of words that are not known."""
        words = _WORD.findall(_QUOTED.sub("", text))
        lower = [word for word in words if word[0].islower() and (" " in text or self._dictionary.is_english(word))]
        begins_in_english = bool(words) and words[0][0].isupper() and self._dictionary.is_english(words[0].lower())
        is_title = len(words) > 1 and words[1][0].isupper()
        return Reading(text, len(lower) + (begins_in_english and not is_title), is_name=True)


def _space_break(parts: list[str], end: int) -> tuple[Reading, ...]:
    """Return what stands after the sentence that ends at `end`, with the blank of French before a colon or a semicolon."""
    if end == len(parts):
        return ()
    needs_blank = parts[end][0] in ";:" and not parts[end - 1].endswith(" ")
    return (Reading(f" {parts[end]}" if needs_blank else parts[end], is_name=True),)


def _cost_of(reading: Reading) -> tuple[int, bool]:
    return reading.cost


def _strain_of(reading: Reading) -> int:
    return reading.strained


def _bare(name: str) -> str:
    """Return the name of a placeholder without its number."""
    return name.rstrip("0123456789")


def _split_outside_quotes(text: str, separator: re.Pattern[str]) -> list[str]:
    """Return the parts of a text and what separates them in turn; nothing is separated in brackets, code and quotations."""
    matches = list(separator.finditer(text))
    inside = _mark_quotes(text) if matches else ()
    parts, begin = [], 0
    for match in matches:
        if not inside[match.start()]:
            parts += [text[begin : match.start()], match[0]]
            begin = match.end()
    return [*parts, text[begin:]]


def _mark_quotes(text: str) -> list[bool]:
    """Return of each character whether brackets, code or a quotation enclose it; a bracket that is never closed encloses nothing."""
    inside = [False] * (len(text) + 1)
    opened: list[int] = []
    for match in _BRACKET.finditer(text):
        if match[0] == "(":
            opened.append(match.start())
        elif opened:
            begin = opened.pop()
            inside[begin : match.start()] = [True] * (match.start() - begin)
    for match in _QUOTED.finditer(text):
        inside[match.start() : match.end()] = [True] * (match.end() - match.start())
    return inside
