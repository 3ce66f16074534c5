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
_ZERO = re.compile(r"0(?:[.,]0+)?")
_PLURAL = re.compile(r"(?P<stem>\w+?)(?P<ending>ies|(?<=[sx])es|(?<!s)s)\b")
_LAST_VERB = re.compile(r"\w+\Z")
_CONTRACTIONS = {("de", "le"): "du", ("de", "les"): "des", ("à", "le"): "au", ("à", "les"): "aux"}
_BEFORE_ARTICLE = re.compile(r"\b(de|à) \Z")
_ARTICLE = re.compile(r"(les?) ")
_CODE = re.compile(r"`[^`]*`")
_ABOUT_A_NAME = re.compile(r"(?P<name>`[^`]*`) (?P<statement>.+)", re.DOTALL)
_BESIDE_NAMES = re.compile(r"(?P<name>[^\s()]+(?:, [^\s()]+)*) \((?P<statement>.+)\)", re.DOTALL)
_AFTER_A_NAME = re.compile(r"(?P<name>[^\s:`]+(?::\d+)?): (?P<statement>.+)", re.DOTALL)
_OUTSIDE_BRACKETS = r"(?!(?:[^()]|\([^()]*\))*\))"
_BETWEEN_SENTENCES = re.compile(rf"((?:(?<=[.!?])\s+|[;:]\s+|\s+·\s+){_OUTSIDE_BRACKETS})")
_IN_SENTENCES = re.compile(rf"(?:[.!?;]\s|\s·\s){_OUTSIDE_BRACKETS}")
"""What no value of a template holds, if the message can be split there."""
_LINE_MARK = re.compile(r"\A(#+|-|\[\d+\]) ")
"""The mark of a heading or an entry in Markdown, or the depth of a certificate, which is no part of a message."""
_MARKS = ("·• ", "·•+-~↻✓✗!? ")
"""Signs before a message: those of a list, then those that belong to some messages."""
_SEPARATORS = tuple(
    (re.compile(rf"{separator} {_OUTSIDE_BRACKETS}"), between) for separator, between in ((";", " ; "), (",", ", "))
)
"""Between the parts of an enumeration, and the same in French."""
_NAME = re.compile(r"[A-Z]\w+(?: [A-Z]\w+)+|\S+ \d\S*")
"""A name of several words, such as a service, or with a version."""
_YEAR = re.compile(r"\d{4}-")
_MOMENT = re.compile(r".*\d{4} \d\d:\d\d(:\d\d)?( .*)?")
_NAMES_WITHOUT_BLANKS = frozenset({"address", "cluster", "host", "user", "username", "who"})
_NAMES_OF_OTHERS = _NAMES_WITHOUT_BLANKS | {"account", "operator", "path", "ticket"}
"""Placeholders whose values are never words of ours: `root` is a user, too."""
_MAX_DEPTH = 6
"""How deep messages may be nested; deeper ones stay English."""
_MAX_CHARACTERS = 20_000
_CACHED_MESSAGES = 4096
_FEW_LETTERS = 6
"""Fewer letters than a sentence has that is recognised by its own words."""
_FEW_IN_A_BEGINNING = 4


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
        letters = sum(character.isalpha() for character in "".join(self.literals))
        return letters > _FEW_LETTERS or (letters >= _FEW_IN_A_BEGINNING and self.message[0].isupper())

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str], ...]:
        """Patterns of its messages, the first that fits counts: a value that only a blank parts from the next ends its sentence."""
        return tuple(re.compile(self._pattern(end), re.DOTALL) for end in ("[.!?]", ""))

    def _pattern(self, end_before_blank: str) -> str:
        parts = _split(self.message)
        pattern = re.escape(_unescape(parts[0]))
        for name, text, following in zip(parts[1::2], parts[2::2], [*parts[3::2], ""], strict=True):
            end = end_before_blank if text == " " and following else ""
            pattern += f"(?P<{name}>.*?{end}){re.escape(_unescape(text))}"
        return pattern

    def match(self, message: str) -> Mapping[str, str] | None:
        """Return the values that `message` was made with; None where it is not of this template."""
        match = next(filter(None, (pattern.fullmatch(message) for pattern in self._patterns)), None)
        return match.groupdict() if match else None

    def fill_in(self, values: Mapping[str, str]) -> str:
        """Return the translation with `values`."""
        text = ""
        for number, part in enumerate(_split(self.translation)):
            text = _append_value(text, values[part]) if number % 2 else text + _unescape(part)
        return text


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


def _list_singulars(noun: str) -> Iterator[str]:
    """Yield what an English `noun` in the plural, with a verb after it, may be in the singular."""
    singular = _PLURAL.sub(_end_in_singular, noun, count=1)
    yield singular
    yield _PLURAL.sub(_end_in_singular, noun)
    yield _LAST_VERB.sub(lambda verb: "is" if verb[0] == "are" else f"{verb[0]}s", singular)


def _end_in_singular(plural: re.Match[str]) -> str:
    return f"{plural['stem']}y" if plural["ending"] == "ies" else plural["stem"]


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
        self._fixed_around_code = {_CODE.sub("``", message): text for message, text in self._fixed.items() if "`" in message}
        self._templates = sorted((template for template in templates if len(template.literals) > 1), key=_precedence)
        self._translate_cached = lru_cache(maxsize=_CACHED_MESSAGES)(self._translate)
        self._recognise = lru_cache(maxsize=_CACHED_MESSAGES)(self._recognise_once)

    def translate(self, message: str) -> str:
        """Return `message` in this language, as far as it is known; blanks at both ends stay."""
        if len(message) > _MAX_CHARACTERS:
            return message
        if "\n" in message:
            return "\n".join(map(self.translate, message.split("\n")))
        text = _LINE_MARK.sub("", message.strip())
        texts = [text, *(text.lstrip(marks) for marks in _MARKS)]
        whole = next((text for text in texts if self._recognise_parts(text, 0) is not None), None)
        for text in texts if whole is None else [whole]:
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

    def _recognise_once(self, message: str, depth: int, *, across_sentences: bool = False) -> str | None:
        """Return the translation of a message that a template, or a counted noun, is the whole of; None where none is.

        Args:
            message: The English message.
            depth: How many messages enclose it.
            across_sentences: A value may reach over the end of a sentence.
        """
        if message in self._fixed:
            return self._fixed[message]
        if message.endswith(".") and message[:-1] in self._fixed:
            return f"{self._fixed[message[:-1]]}."
        if f"{message}:" in self._fixed:
            return self._fixed[f"{message}:"].removesuffix(":").rstrip()
        if "`" in message and _CODE.sub("``", message) in self._fixed_around_code:
            codes = iter(_CODE.findall(message))
            return _CODE.sub(lambda _: next(codes), self._fixed_around_code[_CODE.sub("``", message)])
        counted = _COUNTED.fullmatch(message)
        if counted and counted["noun"] in self._fixed:
            return f"{counted['number']} {self._fixed[self._count_noun(counted['number'], counted['noun'])]}"
        if depth >= _MAX_DEPTH:
            return None
        filled_in, is_known = self._fill_in_template(message, depth, across_sentences=across_sentences)
        if is_known:
            return filled_in
        return self._recognise_statement_on_a_name(message, depth) or filled_in or self._recognise_sentence(message, depth)

    def _count_noun(self, number: str, noun: str) -> str:
        """Return the noun that counts: English has its plural after 0, French its singular."""
        if not _ZERO.fullmatch(number):
            return noun
        return next((text for text in _list_singulars(noun) if text != noun and text in self._fixed), noun)

    def _recognise_statement_on_a_name(self, message: str, depth: int) -> str | None:
        """Return the translation of a known message with what it is about.

        That is "`ports` is empty.", ``edge-paris: nothing to do``, or ``expc1, expc2 (not asked)``.
        """
        for pattern, form in ((_ABOUT_A_NAME, "{} {}"), (_AFTER_A_NAME, "{} : {}"), (_BESIDE_NAMES, "{} ({})")):
            match = pattern.fullmatch(message)
            statement = self._recognise_parts(match["statement"], depth + 1) if match else None
            if match and statement is not None:
                return form.format(match["name"], statement)
        return None

    def _fill_in_template(self, message: str, depth: int, *, across_sentences: bool) -> tuple[str | None, bool]:
        """Return the translation by the first template whose values are all known, else by the first that fits; and which it is."""
        first = None
        for template in self._templates:
            values = template.match(message) if template.anchor in message else None
            if values is not None and self._are_values(template, values, depth + 1, across_sentences=across_sentences):
                is_known = all(self._is_known(value, depth + 1) for value in values.values())
                if is_known or first is None:
                    parts = {name: self._translate_part(template, name, values[name], depth + 1) for name in values}
                    first = template.fill_in(parts)
                if is_known:
                    return first, True
        return first, False

    def _is_known(self, value: str, depth: int) -> bool:
        """Return whether a value is a name, or made of messages that are known."""
        text = value.strip()
        if " " not in text or self._is_name(text, depth) or self._recognise_list(text, depth) is not None:
            return True
        return all(translation is not None for _, translation in list(self._split_into_runs(text, depth))[::2])

    def _recognise_sentence(self, message: str, depth: int) -> str | None:
        """Return the translation of a sentence that is known without its full stop."""
        phrase = self._recognise(message[:-1], depth + 1) if message.endswith(".") else None
        return None if phrase is None else f"{phrase}."

    def _are_values(self, template: Template, values: Mapping[str, str], depth: int, *, across_sentences: bool) -> bool:
        if any(" " in values[name] and values[name] not in self._fixed for name in _NAMES_WITHOUT_BLANKS & values.keys()):
            return False
        if any(value.count("(") != value.count(")") for value in values.values()):
            return False
        if any(not _YEAR.match(value) for name, value in values.items() if name.endswith("_at")):
            return False
        if not template.is_distinct:
            return all(self._is_name(value, depth) for value in values.values())
        free = [value for name, value in values.items() if f"({{{name}}})" not in template.message]
        return across_sentences or not any(_IN_SENTENCES.search(value) for value in free)

    def _is_name(self, value: str, depth: int) -> bool:
        """Return whether a value is a name, an enumeration, or a message that is known."""
        text = value.strip()
        if _MOMENT.fullmatch(text) or (not _IN_SENTENCES.search(text) and self._recognise(text, depth) is not None):
            return True
        parts = text.split("; ") if "; " in text else text.split(", ")
        return all(" " not in part or _NAME.fullmatch(part) or self._recognise(part, depth) is not None for part in parts)

    def _translate_part(self, template: Template, name: str, value: str, depth: int) -> str:
        """Return a value in this language; a name of others stays, and what the template quotes as code, such as a key."""
        is_name = name.rstrip("0123456789") in _NAMES_OF_OTHERS or f"`{{{name}}}`" in template.message
        return value if is_name else self._translate_value(value, depth)

    def _translate_value(self, value: str, depth: int) -> str:
        text = value.strip()
        return value.replace(text, self._translate_cached(text, depth), 1) if text else value

    def _recognise_list(self, message: str, depth: int) -> str | None:
        """Return the translation of an enumeration of messages that are all known; None for anything else."""
        for separator, between in _SEPARATORS:
            parts = separator.split(message)
            if len(parts) > 1 and not self._has_comma_of_its_own(message, depth):
                translations = [self._recognise_parts(part, depth) for part in parts]
                if None not in translations:
                    return between.join(filter(None, translations))
        return None

    def _recognise_parts(self, message: str, depth: int) -> str | None:
        return self._recognise(message, depth) or self._recognise_list(message, depth)

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
