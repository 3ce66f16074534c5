"""Catalogue of one language: English templates and fixed messages with their translations, found by the words of a message.

Everything inside is written in English and keeps it, since JSON, events and the journal do: a message reaches the edge with its values
filled in. The ids of a catalogue are the templates that the sources fill in (`{peer} is not up.`). A message that no template leads to
stays English.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from remediate.language.reading import JOINT, Reader, Readings
from remediate.language.template import Template

_COUNTED = re.compile(r"(?P<number>\d[\d,.]*) (?P<noun>.+)", re.DOTALL)
_ZERO = re.compile(r"0(?:[.,]0+)?")
_PLURAL = re.compile(r"(?P<stem>\w+?)(?P<ending>ies|(?<=[sx])es|(?<!s)s)\b")
_LAST_VERB = re.compile(r"\w+\Z")
_CODE = re.compile(r"`[^`]*`")
_WORD = re.compile(r"\w+")
_LOWER_CASE = re.compile(r"(?<![\w{/-])[a-z]{2,}(?![\w}/-])")
_LINE_MARK = re.compile(r"\A(#+|-|\[\d+\]) ")
"""The mark of a heading or an entry in Markdown, or the depth of a certificate, which is no part of a message."""
_MARKS = ("·• ", "·•+-~↻✓✗!? ")
"""Signs before a message: those of a list, then those that belong to some messages."""
_FIRST_SIGN = re.compile(r"[,;:.] ")
_DAY = r"\w{3}\.? \d\d \w{3,4}\.? "
_NAME = re.compile(
    r"IM and Presence|Mobile and Remote Access"
    rf"|{_DAY}\d{{4}} \d\d:\d\d(:\d\d)?( UTC| \w+ \(({_DAY})?\d\d:\d\d(:\d\d)? UTC\))?"
)
"""Products whose name holds a word of ours, and moments as a person reads them."""
_MAX_CHARACTERS = 20_000
_KEPT_READINGS = 20_000


class Catalogue:
    """Translations of one language.

    Args:
        translations: Translations by English template.
    """

    def __init__(self, translations: Mapping[str, str]) -> None:
        templates = [
            Template(*map(_join_names, _drop_signs(*(_LINE_MARK.sub("", text.strip()) for text in (message, translation)))))
            for message, translation in translations.items()
            if message and translation
        ]
        templates += list(_list_in_other_case(templates))
        self._fixed = {template.message: template.fill_in({}) for template in templates if len(template.literals) == 1}
        self._fixed_around_code = {_CODE.sub("``", message): text for message, text in self._fixed.items() if "`" in message}
        self._templates = sorted((template for template in templates if len(template.literals) > 1), key=_precedence)
        self._by_word = _index_by_rarest_word(self._templates)
        self._english = _words_of(translations) - _words_of(translations.values())
        self._readings: Readings = {}

    def translate(self, message: str) -> str:
        """Return `message` in this language, as far as it is known; blanks at both ends stay."""
        if len(message) > _MAX_CHARACTERS:
            return message
        if "\n" in message:
            return "\n".join(map(self.translate, message.split("\n")))
        joined = _join_names(message)
        whole = joined.strip()
        text = _LINE_MARK.sub("", whole)
        if len(self._readings) > _KEPT_READINGS:
            self._readings = {}
        reader = Reader(self, self._readings)
        texts = dict.fromkeys([whole, text, *(text.lstrip(marks) for marks in _MARKS)])
        reading, text = min(((reader.read(text), text) for text in texts), key=lambda pair: pair[0].cost)
        return joined.replace(text, reading.text, 1).replace(JOINT, " ") if text else message

    def find_fixed(self, message: str) -> str | None:
        """Return the translation of a message without values, or of a noun with its number; None for any other."""
        if message in self._fixed:
            return self._fixed[message]
        if f"{message}:" in self._fixed:
            return self._fixed[f"{message}:"].removesuffix(":").rstrip()
        if "`" in message and _CODE.sub("``", message) in self._fixed_around_code:
            codes = iter(_CODE.findall(message))
            return _CODE.sub(lambda _: next(codes), self._fixed_around_code[_CODE.sub("``", message)])
        counted = _COUNTED.fullmatch(message)
        if counted and counted["noun"] in self._fixed:
            return f"{counted['number']} {self._fixed[self._count_noun(counted['number'], counted['noun'])]}"
        return None

    def _count_noun(self, number: str, noun: str) -> str:
        """Return the noun that counts: English has its plural after 0, French its singular."""
        if not _ZERO.fullmatch(number):
            return noun
        return next((text for text in _list_singulars(noun) if text != noun and text in self._fixed), noun)

    def is_english(self, word: str) -> bool:
        """Return whether a word is one of our messages, and of no translation."""
        return word in self._english

    def list_candidates(self, message: str) -> Iterator[Template]:
        """Yield, in their precedence, the templates that have no other words than `message` has."""
        words = {*_WORD.findall(message)}
        numbers = sorted(number for word in (*words, "") for number in self._by_word.get(word, ()))
        yield from (self._templates[number] for number in numbers if self._templates[number].words <= words)


def _join_names(text: str) -> str:
    """Return `text` with each moment, and each name that holds a word of ours, in one piece."""
    return _NAME.sub(lambda match: match[0].replace(" ", JOINT), text)


def _list_in_other_case(templates: Sequence[Template]) -> Iterator[Template]:
    """Yield each message of several words with its first letter in the other case: what begins a sentence is inside others, too."""
    messages = {template.message for template in templates}
    for template in templates:
        message, translation = template.message, template.translation
        varied = f"{message[:1].swapcase()}{message[1:]}"
        is_word = message[:1].isalpha() and not message[1:2].isupper() and not translation[1:2].isupper()
        if template.is_distinct and " " in message and is_word and varied not in messages:
            change = str.lower if message[0].isupper() else str.upper
            yield Template(varied, f"{change(translation[0])}{translation[1:]}")


def _drop_signs(message: str, translation: str) -> tuple[str, str]:
    """Return both without the full stop that ends them, and without the sign that parts them from what is before: parts of others."""
    if message.endswith(".") and translation.endswith(".") and not message.endswith(".."):
        message, translation = message[:-1], translation[:-1]
    first, second = _FIRST_SIGN.match(message), _FIRST_SIGN.match(translation)
    return (message[first.end() :], translation[second.end() :]) if first and second else (message, translation)


def _words_of(texts: Iterable[str]) -> set[str]:
    """Return the lower-case words of texts, without those of code and placeholders."""
    return {word for text in texts for word in _LOWER_CASE.findall(_CODE.sub("", text))}


def _list_singulars(noun: str) -> Iterator[str]:
    """Yield what an English `noun` in the plural, with a verb after it, may be in the singular."""
    singular = _PLURAL.sub(_end_in_singular, noun, count=1)
    yield singular
    yield _PLURAL.sub(_end_in_singular, noun)
    yield _LAST_VERB.sub(lambda verb: "is" if verb[0] == "are" else f"{verb[0]}s", singular)


def _end_in_singular(plural: re.Match[str]) -> str:
    return f"{plural['stem']}y" if plural["ending"] == "ies" else plural["stem"]


def _precedence(template: Template) -> tuple[bool, bool, bool, int, int, int]:
    """Return the place of a template among those that a message may match.

    Those with many fixed words come first; then those that begin with one, and have many fixed signs and few places to fill in. One
    with the same words in both languages comes last.
    """
    is_same, places = template.message == template.translation, len(template.literals)
    if template.is_distinct:
        return is_same, False, False, -template.letters, places, -sum(map(len, template.literals))
    return is_same, True, not template.literals[0], -template.signs, places, 0


def _index_by_rarest_word(templates: Iterable[Template]) -> Mapping[str, list[int]]:
    """Return the numbers of the templates by the word that the fewest others have; by "" where one has none."""
    listed = list(templates)
    frequency = Counter(word for template in listed for word in template.words)
    index: dict[str, list[int]] = defaultdict(list)
    for number, template in enumerate(listed):
        index[min(template.words, key=lambda word: (frequency[word], word), default="")].append(number)
    return index
