"""What OpenSSL would say next, were the chain trusted as far as it goes: the fault behind the lack of trust.

OpenSSL reports a missing issuer before it looks at dates, purposes and name constraints. Whoever only mends the trust comes back for a
second window.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final

from remediate.model.certificate import Certificate
from remediate.model.verdict import Verdict
from remediate.openssl.x509 import Unreadable
from remediate.trust.error_codes import cause_of
from remediate.trust.openssl import V_OK, TrustedList, error_text
from remediate.trust.verify import Explained

FAULTS_OF_A_LEAF: Final = frozenset({9, 10, 26, 34, 41, 42, 66})
"""x509_vfy.h: dates (9, 10), purpose (26), an unknown critical extension (34), a broken one (41, 42), a weak key (66)."""


def fault_behind(
    explained: Explained, presented: Sequence[Certificate], trusted: Sequence[Certificate], at: datetime
) -> Explained | None:
    """Return how `presented` would be judged if the end of the chain in `explained` were trusted as it is; None: it would verify.

    Args:
        trusted: need hold only what is relevant to the chain.
    """
    end = tuple(explained.chain or presented)[-1:]
    try:
        built = TrustedList((*trusted, *end), ends_anywhere=True).verify(presented, at)
    except Unreadable:
        return None
    if built.code == V_OK:
        return None
    verdict = Verdict(ok=False, cause=cause_of(built.code), error=error_text(built.code), code=built.code, depth=built.depth)
    return Explained(verdict, built.chain)


@lru_cache(maxsize=65_536)
def can_pass(leaf: Certificate, at: datetime) -> bool:
    """Whether some list might accept a node's own certificate: not where its dates, its purpose or its key refuse it by themselves."""
    found = fault_behind(Explained(Verdict(ok=False), (leaf,)), (leaf,), (), at)
    return found is None or found.verdict.code not in FAULTS_OF_A_LEAF
