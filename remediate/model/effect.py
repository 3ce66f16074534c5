"""Effect of a write on a peer, and the source that shows it (contract, *In effect*)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from remediate.model.identity import Address


class EffectState(StrEnum):
    """Whether the peer works with what was written to it."""

    YES = "yes"
    NO = "no"
    NOT_KNOWN = "not-known"


class EffectSource(StrEnum):
    """What was looked at."""

    CLIENT = "client"
    LOG = "log"
    START = "start"
    NO_WRITE_KNOWN = "no-write-known"


@dataclass(frozen=True, slots=True)
class PeerEffect:
    """The effect on one peer.

    Attributes:
        source: What showed it; where the state is not known, what was looked at last, or None.
        description: What was seen, in a sentence for a person.
        seen_at: When an earlier run saw it (RFC 3339 UTC); None: it was seen just now.
    """

    peer: Address
    state: EffectState
    source: EffectSource | None = None
    description: str = ""
    seen_at: str | None = None


class ClientState(StrEnum):
    """What a client gets for one endpoint through one peer (contract, `endpoints[].client`)."""

    REACHED = "reached"
    REFUSED = "refused"
    NOT_KNOWN = "not-known"
    NOT_ASKED = "not-asked"


@dataclass(frozen=True, slots=True)
class ClientView:
    """What a client gets for one endpoint through one peer, and in which words."""

    state: ClientState
    description: str = ""


def effects_json(effects: Iterable[PeerEffect]) -> dict[str, dict[str, str | None]]:
    """Return the contract's ``in_effect``: ``{PEER: {"state", "by", "said"}}``."""
    return {
        effect.peer: {
            "state": effect.state.value,
            "by": effect.source.value if effect.source else None,
            "said": effect.description,
        }
        for effect in effects
    }
