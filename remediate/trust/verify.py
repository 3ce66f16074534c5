"""Verify one presented chain: the public function that every command answers with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from remediate.model.certificate import Certificate
from remediate.model.verdict import Verdict
from remediate.trust.chain_verifier import Chain, ChainVerifier


def verify_chain(
    presented: Sequence[Certificate], trusted: Sequence[Certificate], address: str | None, at: datetime
) -> Verdict:
    """Return the verdict of a peer with the trusted CA list `trusted` on `presented`.

    Args:
        presented: Leaf first, as sent.
        trusted: In the list's order, which matters to OpenSSL.
        address: The connection address, FQDN or IP address as text; None judges the chain only.
        at: The aware moment to judge at.

    Raises:
        ValueError: `at` has no time zone.
        RemediateError: No OpenSSL can be loaded on this machine.
    """
    if at.utcoffset() is None:
        raise ValueError("the time to check at needs a time zone")
    return _verifier_for(tuple(trusted), at).verify(tuple(presented), address)


@lru_cache(maxsize=64)
def _verifier_for(trusted: Chain, at: datetime) -> ChainVerifier:
    return ChainVerifier(trusted, at)
