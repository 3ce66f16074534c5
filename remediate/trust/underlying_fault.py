"""The underlying fault: what OpenSSL would refuse next if the chain were trusted as far as it goes.

OpenSSL reports a missing issuer before it checks dates, purposes and name constraints. A plan that only adds the issuer would need a
second maintenance window.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final

from remediate.model.certificate import Certificate, Chain
from remediate.model.verdict import Verdict
from remediate.openssl.x509 import Unreadable
from remediate.trust.verifier import TrustedList

LEAF_FAULTS: Final = frozenset({9, 10, 26, 34, 41, 42, 66})
"""x509_vfy.h: dates (9, 10), purpose (26), an unknown critical extension (34), a broken one (41, 42), a weak key (66)."""


def find_underlying_fault(
    verdict: Verdict, presented: Sequence[Certificate], trusted: Sequence[Certificate], at: datetime
) -> Verdict | None:
    """Return the verdict on `presented` if the end of the chain of `verdict` were trusted as it is; None: it would verify.

    `trusted` need hold only what is relevant to the chain.
    """
    end = tuple(verdict.built_chain or presented)[-1:]
    return _ask((*trusted, *end), tuple(presented), at)


@lru_cache(maxsize=131_072)
def _ask(trusted: Chain, presented: Chain, at: datetime) -> Verdict | None:
    try:
        verdict = TrustedList(trusted, ends_anywhere=True).verify(presented, at)
    except Unreadable:
        return None
    return None if verdict.ok else verdict


def forget_faults() -> None:
    """Forget every answer."""
    _ask.cache_clear()


def leaf_can_pass(leaf: Certificate, at: datetime) -> bool:
    """Return whether some list might accept a node's own certificate: not where its own dates, purpose or key are refused."""
    fault = find_underlying_fault(Verdict(ok=False, built_chain=(leaf,)), (leaf,), (), at)
    return fault is None or fault.code not in LEAF_FAULTS
