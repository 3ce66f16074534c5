"""The language that is in use, and messages in it."""

from __future__ import annotations

import gettext
import re
from pathlib import Path
from typing import Final

from remediate.language.catalogue import Catalogue
from remediate.language.choice import ENGLISH
from remediate.language.moments import spell_moments

DOMAIN: Final = "remediate"
LOCALE_FOLDER: Final = Path(__file__).parent / "locale"
_BEFORE_COLON: Final = re.compile(r"(?<=«) | (?=[:»](?!\S))")
_BEFORE_SIGN: Final = re.compile(r" (?=[;!?](?!\S))")
_QUOTATION: Final = re.compile("“([^”]*)”")
_catalogues: dict[str, Catalogue] = {}
_language = ENGLISH


class Verbatim(str):
    """Name of others where it stands alone, such as an account: it is no message, even if it reads like one (``root``)."""

    __slots__ = ()


def use_language(language: str) -> None:
    """Translate messages for people into `language` from now on."""
    global _language  # noqa: PLW0603 - one process speaks one language, as with setlocale(3)
    _language = language


def current_language() -> str:
    """Return the language that is in use."""
    return _language


def translate(message: str) -> str:
    """Return a message for people in the language in use, English where there is no translation, with moments in local time, too."""
    return message if isinstance(message, Verbatim) else spell_moments(_translate_words(message), _translate_words)


def _translate_words(message: str) -> str:
    return message if _language == ENGLISH else _QUOTATION.sub("« \\1 »", _catalogue_of(_language).translate(message))


def translate_for_page(message: str) -> str:
    """Return a message in the language in use for a page, where French has a blank that ends no line before ``: ; ! ?``."""
    if _language == ENGLISH:
        return translate(message)
    return _BEFORE_SIGN.sub("\u202f", _BEFORE_COLON.sub("\u00a0", translate(message)))


def mark_words(*words: str) -> tuple[str, ...]:
    """Return `words`, which the catalogues then have: they stand alone, and look like no message."""
    return words


def _catalogue_of(language: str) -> Catalogue:
    if language not in _catalogues:
        _catalogues[language] = Catalogue(read_translations(language))
    return _catalogues[language]


def read_translations(language: str) -> dict[str, str]:
    """Return the translations of a language by message; empty where there is no catalogue."""
    path = gettext.find(DOMAIN, LOCALE_FOLDER, [language])
    if path is None:
        return {}
    with Path(path).open("rb") as file:
        catalogue = gettext.GNUTranslations(file)
    messages: dict[object, str] = catalogue._catalog  # type: ignore[attr-defined]  # noqa: SLF001 - gettext lists its messages nowhere else
    return {message: text for message, text in messages.items() if isinstance(message, str)}
