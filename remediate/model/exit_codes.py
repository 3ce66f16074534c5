"""The exit codes of every command: what each number means, and which of several wins (contract, *Exit codes*)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """The contract's exit codes. The README's table and the playbooks are tested against this list."""

    DONE = 0
    ERROR = 1
    CHANGES_PENDING = 2
    ROLLED_BACK = 3
    INCOMPLETE = 4
    LOCKED = 5
    STALE = 6
    DECLINED = 7
    PERSON_NEEDED = 8
    CONFIRMATION_PENDING = 9
    ENDPOINTS_REMAIN = 10
    NOT_IN_EFFECT = 11
    USAGE = 64
    BUG = 70
    INTERRUPTED = 130
    TERMINATED = 143


MOST_SERIOUS_FIRST = (
    ExitCode.PERSON_NEEDED,
    ExitCode.BUG,
    ExitCode.ROLLED_BACK,
    ExitCode.ERROR,
    ExitCode.INCOMPLETE,
    ExitCode.STALE,
    ExitCode.LOCKED,
    ExitCode.DECLINED,
    ExitCode.CONFIRMATION_PENDING,
    ExitCode.NOT_IN_EFFECT,
    ExitCode.ENDPOINTS_REMAIN,
    ExitCode.CHANGES_PENDING,
    ExitCode.DONE,
)
"""The order in which one code wins over others, for one cluster or for many."""


def most_serious(codes: Iterable[int]) -> ExitCode:
    """Return the exit code for all `codes` together, DONE for none; a code outside the contract's order wins over it."""
    ranked = (ExitCode(code) for code in codes)
    return min(ranked, key=_rank, default=ExitCode.DONE)


def _rank(code: ExitCode) -> int:
    return MOST_SERIOUS_FIRST.index(code) if code in MOST_SERIOUS_FIRST else -1
