"""The plans that were not chosen, and why they lost, so that a person can choose otherwise by a switch."""

from __future__ import annotations

from collections.abc import Sequence

from remediate.model.plan import Alternative, Policy, Unresolved
from remediate.model.verdict import Cause
from remediate.planner.choice import Choice, Chooser
from remediate.planner.costs import ADDED, INTERMEDIATES, REMOVED, ROOTS, UNVOUCHED

_MOST = 3
# The places of `Choice.order`, in the words of the contract's *The choice*.
_LOST_BY = (
    "verifies fewer endpoints",
    "takes certificates out of the trusted CA list",
    "trusts more certificates that nobody vouches for",
    "changes the cipher list where that is not needed",
    "adds more certificates",
    "trusts more roots",
    "trusts more intermediates",
    "is equal but for the order of fingerprints",
)


def alternatives(
    chooser: Chooser, found: Sequence[Choice], policy: Policy, refused: Sequence[Unresolved]
) -> tuple[Alternative, ...]:
    """Return up to three plans that lost against the first of `found`, which leaves `refused`."""
    best = found[0]
    # A cipher change that alters nothing else is no alternative worth a line.
    told = [one for one in found[1:] if one.cost != best.cost]
    others = [Alternative(_summary(one), _why(best, one), f"--ciphers {one.policy}") for one in told]
    removal_may_help = any(one.cause in {Cause.SHADOWED, Cause.COMMON_NAME_CONFLICT} for one in refused)
    if removal_may_help and not policy.allow_removal:
        others += [
            Alternative(_summary(one), "takes certificates out, which needs --allow-removal", "--allow-removal")
            for one in chooser.choices(removal=True)[:1]
            if one.cost[REMOVED] and one.verified > best.verified
        ]
    return tuple(others[:_MOST])


def _summary(choice: Choice) -> str:
    cost = choice.cost
    parts = [
        f"{choice.verified} verified",
        "cipher list changed" if choice.ciphers is not None else "cipher list kept",
        f"{cost[ADDED]} certificates added over all peers ({cost[ROOTS]} roots, {cost[INTERMEDIATES]} intermediates)",
    ]
    if cost[UNVOUCHED]:
        parts.append(f"{cost[UNVOUCHED]} to approve")
    if cost[REMOVED]:
        parts.append(f"{cost[REMOVED]} taken out")
    return ", ".join(parts)


def _why(best: Choice, other: Choice) -> str:
    return next(why for why, ours, theirs in zip(_LOST_BY, best.order, other.order, strict=True) if ours != theirs)
