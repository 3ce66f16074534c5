"""A verdict drawn as the chain it is about: which certificate, from where, and where it breaks.

The verdict is OpenSSL's, and so is the chain as far as OpenSSL built one. Where it did not, issuer names are followed from the leaf
upwards, the trusted CA list first, as OpenSSL does.
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
    """

    certificate: Certificate | None
    name: str
    origin: Origin
    depth: int
    breaks: bool
    presented: bool = False


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
    if chain and not chain[-1].self_issued and above is None:
        links.append(Link(None, chain[-1].issuer, "missing", len(links), breaks=False))
    return tuple(links)


def _origin(certificate: Certificate, trusted: Sequence[Certificate]) -> Origin:
    return "trusted" if certificate in trusted else "presented"


def _above(
    chain: Sequence[Certificate], presented: Sequence[Certificate], trusted: Sequence[Certificate]
) -> Certificate | None:
    """The issuer of the last of `chain`; None above a root, or where it was found nowhere."""
    if not chain or chain[-1].self_issued:
        return None
    certificate = chain[-1]
    candidates = [one for one in (*trusted, *presented) if one.subject == certificate.issuer]
    key = certificate.authority_key_id
    matching = [one for one in candidates if key is None or one.subject_key_id in {None, key}]
    return next(iter(matching or candidates), None)
