"""The client verifier: what a node's trust store answers to a peer's own certificate, by OpenSSL with the purpose TLS client."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from remediate.model.certificate import Certificate
from remediate.model.toward_nodes import ClientCause
from remediate.openssl.x509 import Unreadable
from remediate.trust.chain_verifier import Chain
from remediate.trust.openssl import V_OK, V_UNSPECIFIED, TrustedList, error_text

# x509_vfy.h: X509_V_ERR_*
_UNTRUSTED: Final = frozenset({2, 18, 19, 20, 21, 27})
_EXPIRED: Final = frozenset({10})
_PURPOSE: Final = frozenset({26})


@dataclass(frozen=True, slots=True)
class ClientVerdict:
    """The verdict on a client's chain; the fields are those of `TowardNode`."""

    cause: ClientCause | None
    error: str | None = None
    code: int = V_OK
    depth: int | None = None

    @property
    def ok(self) -> bool:
        """Whether the certificate is accepted."""
        return self.cause is None


def complete_chain(presented: Chain, trusted: Iterable[Certificate]) -> Chain:
    """Return `presented` with the issuers that the peer finds in its own list, as a TLS client sends them.

    OpenSSL builds the chain that it sends from the list of the context unless SSL_MODE_NO_AUTO_CHAIN is set.
    """
    chain = list(presented)
    candidates = tuple(trusted)
    while chain and not chain[-1].self_issued:
        issuer = next((candidate for candidate in candidates if candidate.issued(chain[-1])), None)
        if issuer is None or issuer in chain:
            break
        chain.append(issuer)
    return tuple(chain)


def verify_client(presented: Chain, store: Chain, at: datetime) -> ClientVerdict:
    """Return the verdict of a node that trusts `store` on `presented` (leaf first) at the aware moment `at`."""
    trusted = TrustedList(store, for_clients=True)
    try:
        result = trusted.verify(presented, at)
    except Unreadable:
        return ClientVerdict(ClientCause.INVALID, "the certificate cannot be read", V_UNSPECIFIED, 0)
    if result.code == V_OK:
        return ClientVerdict(None)
    return ClientVerdict(_cause_of(result.code), error_text(result.code), result.code, result.depth)


def _cause_of(code: int) -> ClientCause:
    if code in _UNTRUSTED:
        return ClientCause.UNTRUSTED
    if code in _EXPIRED:
        return ClientCause.EXPIRED
    return ClientCause.EKU_MISSING if code in _PURPOSE else ClientCause.INVALID
