"""A verdict drawn as the chain it is about: which certificate, from where, and where it breaks.

The verdict is OpenSSL's. The drawing only follows issuer names from the leaf upwards, the trusted CA list first, as OpenSSL does.
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
    """

    certificate: Certificate | None
    name: str
    origin: Origin
    depth: int
    breaks: bool


def draw(presented: Sequence[Certificate], trusted: Sequence[Certificate], verdict: Verdict) -> tuple[Link, ...]:
    """Return the links from the leaf towards the root; an issuer that was found nowhere is the last one."""
    links: list[Link] = []
    following = presented[0] if presented else None
    while following is not None and all(link.certificate != following for link in links):
        origin: Origin = "trusted" if following in trusted else "presented"
        depth = len(links)
        links.append(Link(following, following.subject, origin, depth, breaks=verdict.depth == depth))
        following = None if following.self_issued else _issuer_of(following, presented, trusted)
    if links and (last := links[-1].certificate) and not last.self_issued and following is None:
        links.append(Link(None, last.issuer, "missing", len(links), breaks=False))
    return tuple(links)


def _issuer_of(
    certificate: Certificate, presented: Sequence[Certificate], trusted: Sequence[Certificate]
) -> Certificate | None:
    candidates = [one for one in (*trusted, *presented) if one.subject == certificate.issuer]
    key = certificate.authority_key_id
    matching = [one for one in candidates if key is None or one.subject_key_id in {None, key}]
    return next(iter(matching or candidates), None)
