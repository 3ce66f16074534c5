"""Choice of the language: REMEDIATE_LANG, else the locale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ENGLISH: Final = "en"
LANGUAGES: Final = (ENGLISH, "fr")
LANGUAGE_VARIABLE: Final = "REMEDIATE_LANG"
_LOCALE_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""In the order in which POSIX looks at them (Base Definitions, chapter 8.2)."""


def choose_language(environment: Mapping[str, str]) -> str:
    """Return the language of messages for people: one of `LANGUAGES`.

    A locale without a catalogue gives English.

    Raises:
        ValueError: REMEDIATE_LANG names another language.
    """
    chosen = environment.get(LANGUAGE_VARIABLE, "")
    if chosen:
        language = _language_of(chosen)
        if language not in LANGUAGES:
            raise ValueError(f"{LANGUAGE_VARIABLE} is {chosen!r}; it can be {' or '.join(LANGUAGES)}.")
        return language
    value = next((environment[name] for name in _LOCALE_VARIABLES if environment.get(name)), "")
    language = _language_of(value)
    return language if language in LANGUAGES else ENGLISH


def _language_of(locale: str) -> str:
    """Return the language of a locale name: ``fr`` of ``fr_CA.UTF-8@euro``."""
    return locale.partition(".")[0].partition("@")[0].partition("_")[0].partition("-")[0].casefold()
