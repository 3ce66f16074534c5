"""Which of the certificates in a file is the server's own, where a person gives them in another order than a server sends them.

For what a person gives only: what a server presented is judged as it was sent, since the order matters to OpenSSL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from remediate.model.certificate import Certificate
from remediate.trust.chain_verifier import Chain
from remediate.trust.hostnames import name_matches


@dataclass(frozen=True, slots=True)
class Ordered:
    """A chain, leaf first.

    Attributes:
        reordered: it was given in another order.
        leaves: what could be the server's own certificate, as given. With more than one, `chain` begins with the most likely; with
            none, each certificate issued another one, and `chain` is as given.
    """

    chain: Chain
    reordered: bool
    leaves: Chain


def in_order(given: Sequence[Certificate], address: str) -> Ordered:
    """Return `given` leaf first, then each issuer in turn, then what is left. Where the first may be the leaf, nothing is moved.

    The leaf is what issued no other certificate of the file; rather what is no CA, and then rather what has `address`.
    """
    distinct = tuple(dict.fromkeys(given))
    ends = tuple(
        certificate
        for certificate in distinct
        if not any(certificate.issued(other) for other in distinct if other != certificate)
    )
    servers = tuple(end for end in ends if not end.is_ca or name_matches(end, address)) or ends
    if not servers or given[0] in servers:
        return Ordered(tuple(given), reordered=False, leaves=servers)
    leaves = tuple(server for server in servers if name_matches(server, address)) or servers
    chain = _upwards(leaves[0], distinct)
    rest = tuple(certificate for certificate in distinct if certificate not in chain)
    return Ordered((*chain, *rest), reordered=True, leaves=leaves)


def _upwards(leaf: Certificate, given: Chain) -> Chain:
    chain = [leaf]
    while issuer := next((other for other in given if other not in chain and other.issued(chain[-1])), None):
        chain.append(issuer)
    return tuple(chain)
