"""A verdict drawn as the chain it is about: which certificate, from where, and where it breaks.

The verdict is OpenSSL's, and so is the chain as far as OpenSSL built one. Where it did not, issuers are followed from the leaf
upwards, the trusted CA list first, as OpenSSL does: by name and by key, since a namesake with another key is no link of a chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from remediate.model.certificate import Certificate
from remediate.model.verdict import Verdict

Origin = Literal["presented", "trusted", "missing"]


@dataclass(frozen=True, slots=True)
class Link:
    """One step from the leaf to the root.

    Attributes:
        certificate: None for an issuer that was found nowhere.
        name: its subject, or the name of the missing issuer. Untrusted text.
        breaks: the verdict is about this link.
        presented: the server sends it, whether it is also in the list or not.
        namesakes: for an issuer that was found nowhere, those that have its name and did not issue the link below.
    """

    certificate: Certificate | None
    name: str
    origin: Origin
    depth: int
    breaks: bool
    presented: bool = False
    namesakes: tuple[Certificate, ...] = ()


def draw(
    presented: Sequence[Certificate], trusted: Sequence[Certificate], verdict: Verdict, built: Sequence[Certificate] = ()
) -> tuple[Link, ...]:
    """Return the links from the leaf towards the root; an issuer that was found nowhere is the last one.

    Args:
        built: the chain that OpenSSL put together, leaf first, as far as it came.
    """
    chain = list(built or presented[:1])
    above = _above(chain, presented, trusted)
    while above is not None and above not in chain:
        chain.append(above)
        above = _above(chain, presented, trusted)
    links = [
        Link(one, one.subject, _origin(one, trusted), depth, breaks=verdict.depth == depth, presented=one in presented)
        for depth, one in enumerate(chain)
    ]
    if above is None and chain and chain[-1].readable and not chain[-1].self_issued:
        namesakes = tuple(
            certificate for certificate in dict.fromkeys((*trusted, *presented)) if certificate.named_as_issuer_of(chain[-1])
        )
        links.append(Link(None, chain[-1].issuer, "missing", len(links), breaks=False, namesakes=namesakes))
    return tuple(links)


def _origin(certificate: Certificate, trusted: Sequence[Certificate]) -> Origin:
    return "trusted" if certificate in trusted else "presented"


def _above(
    chain: Sequence[Certificate], presented: Sequence[Certificate], trusted: Sequence[Certificate]
) -> Certificate | None:
    """The issuer of the last of `chain`; None above a root, or where it was found nowhere."""
    if not chain or chain[-1].self_issued:
        return None
    return next((certificate for certificate in (*trusted, *presented) if certificate.issued(chain[-1])), None)
