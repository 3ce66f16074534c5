"""Counts of checks with the verb that agrees: ``1 of 1 check fails``, ``1 of 33 checks passes``, ``4 of 33 checks pass``.

A check is one endpoint as one peer judges it.
"""

from __future__ import annotations

from remediate.model.text import count


def count_share(number: int, total: int) -> str:
    """Return how many of `total` checks, without a verb."""
    return f"{number} of {count(total, 'check')}"


def count_passing(number: int, total: int) -> str:
    """Return how many of `total` checks pass."""
    if 1 in {number, total}:
        return f"{number} of {count(total, 'check')} passes"
    return f"{number} of {count(total, 'check')} pass"


def count_failing(number: int, total: int) -> str:
    """Return how many of `total` checks fail."""
    if 1 in {number, total}:
        return f"{number} of {count(total, 'check')} fails"
    return f"{number} of {count(total, 'check')} fail"
