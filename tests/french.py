"""Stories in French: with ``REMEDIATE_FRENCH=1``, commands speak it, and what they print is looked through for English words.

Of a test, the assertions that quote a sentence are left out (`scrambling`); what programs read is compared all the same.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import cache

from remediate.cli.app import VERBS
from remediate.lab.scenarios import SCENARIOS
from remediate.language.choice import choose_language
from remediate.language.messages import read_translations
from remediate.model.verdict import Cause
from remediate.openssl.error_texts import ERROR_TEXTS

IS_ON = os.environ.get("REMEDIATE_FRENCH") == "1"

_COMMON = frozenset(
    re.findall(
        r"\w+",
        "the is are of and not by was were with from to this that no it its has have be will would which what there could cannot "
        "before after until when where who",
    )
)
_WORD = re.compile(r"(?<![\w'./=:@{-])[a-z][a-z']+(?![\w'/=:@}\\-]|\.\w)")
_NAMES = frozenset(
    {*VERBS, *SCENARIOS, *(cause.value for cause in Cause), "export", "up", "down", "never", "probe", "voicemail"}
)
"""Names of commands, of scenarios, accounts and hosts of the lab, of causes, and values of options."""
_CODE = re.compile(r"`[^`]*`|\{\w+\}|--[\w-]+( \w+)?")
_OPENSSL_ERRORS = "|".join(
    r"\b" + r"\s+".join(map(re.escape, text.split()))
    for text in sorted(ERROR_TEXTS.values(), key=len, reverse=True)
    if " " in text
)
_SAME_IN_EVERY_LANGUAGE = re.compile(
    r"`[^`\n]*(\n[^`\n]*)?`|\"[^\"\n]*\"|«[^»]*»|<style>.*?</style>|<script.*?</script>|<[^>]*>|sha256:\S+|CN=[^\n]*"
    r"|SNI\s+\(\S+\s+not\s+in\s+certificate|\[[^\]\n]*\]|(Maintenance|Configuration|System|Status|Users|Security) >[^\n]*"
    r"|IM\s+and\s+Presence|Mobile\s+and\s+Remote\s+Access|self-signed certificate|^ *(\$ )?remediate [^\n]*"
    rf"|--[\w-]+( \w+)?|{_OPENSSL_ERRORS}",
    re.DOTALL | re.MULTILINE,
)
"""Commands, names of products, also over the end of a line, markup, web pages of a peer, OpenSSL's errors, and what a system said."""
_FOR_PROGRAMS = ("--json", "--events", "completion", "export", "--pins")


class EnglishWordsError(Exception):
    """A command that speaks French printed English words."""


def english_lines(text: str) -> list[str]:
    """Return the lines that have a word that only English has."""
    lines = _SAME_IN_EVERY_LANGUAGE.sub("", text).splitlines()
    return [line for line in lines if not _list_english_words().isdisjoint(_WORD.findall(line))]


@cache
def _list_english_words() -> frozenset[str]:
    """Return common words, and those of our messages that are in none of their translations."""
    translations = read_translations("fr")
    ours = {word for message in translations for word in _WORD.findall(_CODE.sub(" ", message))}
    french = {word for text in translations.values() for word in re.findall(r"[a-z]+", _CODE.sub(" ", text))}
    return _COMMON | (ours - french - _NAMES)


def check_output(words: Sequence[str], out: str, err: str) -> None:
    """Raise EnglishWordsError where a command that was asked for French printed English words to a person, in these stories."""
    is_for_programs = set(words) & set(_FOR_PROGRAMS)
    lines = english_lines(out) + english_lines(err) if IS_ON and _is_french_asked_for() and not is_for_programs else []
    if lines:
        raise EnglishWordsError("\n".join(lines))


def _is_french_asked_for() -> bool:
    """Return whether the environment asks for French; one that asks for a language that there is not is answered in English."""
    try:
        return choose_language(os.environ) == "fr"
    except ValueError:
        return False
