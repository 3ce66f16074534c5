"""Error texts of OpenSSL in logs, and their numbers; 1.1.1 and 3.x spell some of them differently."""

from __future__ import annotations

from functools import cache
from typing import Final

from remediate.model.library import openssl
from remediate.openssl.error_texts import ERROR_TEXTS, ERROR_TEXTS_3

_FIRST_CODE: Final = 2  # 1 is "unspecified"
_LARGEST_CODE: Final = 110
_OTHER_SPELLINGS: Final = (
    ("self-signed", "self signed"),
    ("unsuitable certificate purpose", "unsupported certificate purpose"),
)


def code_of(text: str) -> int | None:
    """Return the ``X509_V_ERR_*`` number, as 1.1.1 counts, of `text`; None where it is no text of OpenSSL."""
    return _codes().get(_normalise(restore_text(text)))


def restore_text(text: str) -> str:
    """Return OpenSSL's text with the letters of `text`, which lost or got a space where a line was broken; else `text` itself."""
    return _texts().get("".join(text.split()), text)


@cache
def _codes() -> dict[str, int]:
    """Return numbers by text; of two numbers with one text the lower: 24 and not 79 for a CA that is none."""
    codes: dict[str, int] = {}
    for text, code in _spellings():
        codes.setdefault(_normalise(text), code)
    return codes


@cache
def _texts() -> dict[str, str]:
    """Return OpenSSL's texts by their letters without spaces, each in its own spelling and in that of 1.1.1."""
    texts: dict[str, str] = {}
    for text, _ in _spellings():
        for spelling in (text, _normalise(text)):
            texts.setdefault("".join(spelling.split()), spelling)
    return texts


@cache
def _spellings() -> tuple[tuple[str, int], ...]:
    """Return each text of 1.1.1, of 3.0 and of the library at hand, with its number."""
    library = openssl()
    texts = [*ERROR_TEXTS.items(), *ERROR_TEXTS_3.items()]
    texts += [(code, library.error_text(code)) for code in range(_FIRST_CODE, _LARGEST_CODE)]
    return tuple((text, code) for code, text in texts if code >= _FIRST_CODE and "unknown" not in text)


def _normalise(text: str) -> str:
    """Return `text` in the spelling of 1.1.1."""
    plain = " ".join(text.casefold().split())
    for new, old in _OTHER_SPELLINGS:
        plain = plain.replace(new, old)
    return plain
