"""Numbers with the right form of a word, as every message says them."""

from __future__ import annotations


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return ``1 certificate`` or ``2 certificates``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
