"""What a way to treat the cluster costs: a tuple of integers in the contract's order (*The choice*), lower is better."""

from __future__ import annotations

from remediate.planner.solver.elimination import Cost

VERIFIED, REMOVED, UNVOUCHED, ADDED, ROOTS, INTERMEDIATES, FINGERPRINTS = range(7)
"""The places of a cost: pairs verified (negative), removals, certificates nobody vouches for, additions, their width, their order."""

ZERO: Cost = (0,) * 7


def cost_of(
    *,
    verified: int = 0,
    removed: int = 0,
    unvouched: int = 0,
    added: int = 0,
    roots: int = 0,
    intermediates: int = 0,
    fingerprints: int = 0,
) -> Cost:
    """Return the cost with these places, the others 0."""
    return (verified, removed, unvouched, added, roots, intermediates, fingerprints)
