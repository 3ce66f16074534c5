"""The client verifier: what a node's trust store answers to a peer's own certificate, by OpenSSL with the purpose TLS client."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from remediate.model.certificate import Certificate, Chain
from remediate.model.toward_nodes import ClientCause
from remediate.model.verdict import Cause, Verdict
from remediate.openssl.trust_store import V_UNSPECIFIED
from remediate.openssl.x509 import Unreadable
from remediate.trust.openssl import name_hashes
from remediate.trust.verifier import TrustedList

# x509_vfy.h: X509_V_ERR_*
_UNTRUSTED: Final = frozenset({2, 18, 19, 20, 21, 27})
_EXPIRED: Final = frozenset({10})
_PURPOSE: Final = frozenset({26})


def complete_chain(presented: Chain, trusted: Iterable[Certificate]) -> Chain:
    """Return `presented` with the issuers that the peer finds in its own list, as a TLS client sends them.

    OpenSSL builds the chain that it sends from the list of the context unless SSL_MODE_NO_AUTO_CHAIN is set.
    """
    chain = list(presented)
    candidates = tuple(trusted)
    while chain and not chain[-1].self_issued:
        name = name_hashes(chain[-1]).issuer
        namesakes = (candidate for candidate in candidates if name_hashes(candidate).subject == name)
        issuer = next((candidate for candidate in namesakes if candidate.has_issued(chain[-1])), None)
        if issuer is None or issuer in chain:
            break
        chain.append(issuer)
    return tuple(chain)


def verify_client(presented: Chain, store: Chain, at: datetime) -> Verdict:
    """Return the verdict of a node that trusts `store` on `presented` (leaf first) at the aware moment `at`."""
    try:
        return TrustedList(store, for_clients=True).verify(presented, at)
    except Unreadable:
        error = "the certificate cannot be read"
        return Verdict(ok=False, cause=Cause.CHAIN_INVALID, error=error, code=V_UNSPECIFIED, depth=0)


def client_cause_of(code: int) -> ClientCause:
    """Return why a node refuses a client's chain, by ``X509_V_ERR_*`` `code`, which is not 0."""
    if code in _UNTRUSTED:
        return ClientCause.UNTRUSTED
    if code in _EXPIRED:
        return ClientCause.EXPIRED
    return ClientCause.EKU_MISSING if code in _PURPOSE else ClientCause.INVALID
