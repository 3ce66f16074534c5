"""The cost of one way to treat the cluster, in the order of the contract's *The choice*; lower is better."""

from __future__ import annotations

from typing import NamedTuple


class Cost(NamedTuple):
    """A cost, compared field by field from the first to the last; fields count over all peers unless noted.

    Attributes:
        verified: Minus the number of (peer, endpoint) pairs that verify.
        removed: Certificates removed.
        unvouched: Certificates that need an approval, each once however many peers it goes to.
        added: Certificates added.
        roots: How many of the added ones are roots.
        intermediates: How many of the added ones are intermediates.
        fingerprints: A number that is lower for the set of certificates with the lower fingerprints.
    """

    verified: int = 0
    removed: int = 0
    unvouched: int = 0
    added: int = 0
    roots: int = 0
    intermediates: int = 0
    fingerprints: int = 0


ZERO = Cost()
