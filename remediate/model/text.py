"""Text of messages: untrusted text escaped, enumerations, numbers with their noun."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

from remediate.model.masking import MASK, mask

MAX_CHARACTERS: Final = 300
"""Characters that one piece of untrusted text may have in a message."""

_MAX_SECRET_CHARACTERS: Final = 8 * 1024
"""Characters that a secret may come to in any spelling, for cutting a text."""

_HARMFUL_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters and marks that draw nothing, or a blank that is no space (Unicode: Default_Ignorable_Code_Point, and U+2800).
_INVISIBLE: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")


def escape(text: str, limit: int = MAX_CHARACTERS) -> str:
    r"""Return untrusted text as a screen may show it, on one line.

    Every character that could steer a terminal, hide or reorder text is written as ``\u{1b}``; what is longer than `limit` characters
    is cut.
    """
    escaped = text[: limit + 1]
    if not (escaped.isascii() and escaped.isprintable()):
        escaped = "".join(character if is_harmless(character) else f"\\u{{{ord(character):x}}}" for character in escaped)
    return escaped if len(text) <= limit else f"{escaped[:limit]}…"


def escape_ascii(text: str) -> str:
    r"""Return untrusted text in printable ASCII, on one line, everything else as an escape of Python: ``\x1b``, ``\u202e``."""
    return ascii(text)[1:-1]


def mask_and_escape(text: str, limit: int = MAX_CHARACTERS) -> str:
    r"""Return what a system sent as a message may quote it: no secret, nothing that steers a terminal, at most `limit` characters.

    Escapes are those of Python (``\x1b``, ``\u202e``).
    """
    # Masked first: what is cut or escaped is no longer recognised.
    beginning = _masked_beginning(text, limit)[: limit + 1].strip()
    escaped = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in beginning
    )
    return escaped if len(escaped) <= limit else f"{escaped[: limit - 1]}…"


def quote(text: str, limit: int = MAX_CHARACTERS) -> str:
    """Return what a system said in quotation marks, “no such table”: its words are none of ours, and in no language of ours."""
    words = mask_and_escape(text, limit).replace("”", '"')
    return f"“{words}”"


def _masked_beginning(text: str, limit: int) -> str:
    """Return the beginning of `text`, masked, without looking through all of an answer of megabytes."""
    length = limit + 2 * _MAX_SECRET_CHARACTERS
    masked = mask(text[:length])
    if len(text) <= length:
        return masked
    # The beginning may end in the middle of a secret, which is not recognised then.
    whole = max(len(masked) - _MAX_SECRET_CHARACTERS, masked.rfind(MASK) + len(MASK) if MASK in masked else 0)
    return f"{masked[:whole]}…"


def is_harmless(character: str) -> bool:
    """Return whether a screen shows `character` as what it is, in its place."""
    if character.isascii():
        return character.isprintable()
    category = unicodedata.category(character)
    is_variation_selector = "\ufe00" <= character <= "\ufe0f"
    return (
        category not in _HARMFUL_CATEGORIES and category != "Zs" and character not in _INVISIBLE and not is_variation_selector
    )


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return ``1 certificate`` or ``2 certificates``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def join_words(words: Sequence[str], limit: int | None = None) -> str:
    """Return ``a``, ``a and b`` or ``a, b and c``; of more than `limit` words ``a, b and 4 more``."""
    if limit is not None and len(words) > limit:
        return first_few(words, limit)
    *head, last = words or [""]
    return f"{', '.join(head)} and {last}" if head else last


def group_ports(endpoints: Sequence[str]) -> str:
    """Return ``a:5061, a:5091, b:443`` as ``a (5061, 5091), b:443``: the ports of each address together, in order.

    Addresses with the same ports are together too; of many, the first few are named.
    """
    ports: dict[str, list[str]] = {}
    for endpoint in endpoints:
        address, _, port = endpoint.rpartition(":")
        ports.setdefault(address, []).append(port)
    addresses: dict[tuple[str, ...], list[str]] = {}
    for address, numbers in ports.items():
        addresses.setdefault(tuple(numbers), []).append(address)
    return ", ".join(
        f"{first_few(alike)} ({', '.join(numbers)})" if len(numbers) > 1 or len(alike) > 1 else f"{alike[0]}:{numbers[0]}"
        for numbers, alike in addresses.items()
    )


def first_few(words: Sequence[str], limit: int = 3) -> str:
    """Return ``a, b, c``; of more than `limit` words the first of them, and how many more there are: ``a, b, c and 4 more``."""
    more = len(words) - limit
    return ", ".join(words[:limit]) + (f" and {more} more" if more > 0 else "")
