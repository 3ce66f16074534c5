"""The order of the certificates in a file: the server's own first, whatever order the file has.

Only for files: what a server presented is verified in the order sent, which matters to OpenSSL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from remediate.model.certificate import Certificate, Chain
from remediate.trust.hostnames import name_matches


@dataclass(frozen=True, slots=True)
class OrderedChain:
    """A chain, leaf first.

    Attributes:
        reordered: The file has another order.
        leaves: The certificates that could be the server's own, in the order of the file. With more than one, `chain` begins with
            the most likely; with none, each certificate issued another one, and `chain` has the order of the file.
    """

    chain: Chain
    reordered: bool
    leaves: Chain


def order_chain(certificates: Sequence[Certificate], address: str) -> OrderedChain:
    """Return `certificates` leaf first, then each issuer in turn, then the others; unchanged where the first may be the leaf.

    The leaf issued no other certificate of the file. Of several, one that is no CA is preferred, then one that has `address`.
    """
    distinct = tuple(dict.fromkeys(certificates))
    ends = tuple(
        certificate
        for certificate in distinct
        if not any(certificate.has_issued(subject) for subject in distinct if subject != certificate)
    )
    servers = tuple(end for end in ends if not end.is_ca or name_matches(end, address)) or ends
    if not servers or certificates[0] in servers:
        return OrderedChain(tuple(certificates), reordered=False, leaves=servers)
    leaves = tuple(server for server in servers if name_matches(server, address)) or servers
    chain = _follow_issuers(leaves[0], distinct)
    unrelated = tuple(certificate for certificate in distinct if certificate not in chain)
    return OrderedChain((*chain, *unrelated), reordered=True, leaves=leaves)


def _follow_issuers(leaf: Certificate, certificates: Chain) -> Chain:
    chain = [leaf]
    while issuer := next((ca for ca in certificates if ca not in chain and ca.has_issued(chain[-1])), None):
        chain.append(issuer)
    return tuple(chain)
