"""The answer that a client of Mobile and Remote Access gets through one peer, as far as it shows the verdict of the traffic server."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AnswerKind(StrEnum):
    """The kinds of answers. Only `REACHED` is from beyond the traffic server's verdict for certain."""

    REACHED = "reached"
    REFUSED = "refused"
    """A 502. Whether the verification refused is decided by `executor.client_view`."""
    OTHER = "another answer"
    NO_LOGIN = "login refused"
    FORBIDDEN = "forbidden"
    RATE_LIMITED = "rate limited"
    BANNED = "banned"
    """Silence from a system that answered before: automated protection drops the packets of an address that it bans."""
    NOTHING = "no answer"
    NOT_ASKED = "not asked"


ENDS_ASKING = frozenset({AnswerKind.NO_LOGIN, AnswerKind.FORBIDDEN, AnswerKind.RATE_LIMITED, AnswerKind.BANNED})
"""After these, the same way is asked no more."""

CLOSES_ACCOUNT = frozenset({AnswerKind.NO_LOGIN, AnswerKind.RATE_LIMITED})
"""After these, no other way is asked with the same account either."""

NEXT_HOP_FAILED = "next hop connection failed"
"""The reason phrase of a 502 from an Expressway-E whose tunnel to the Expressway-C is down (Cisco, MRA troubleshooting)."""


EDGE_SERVER = "ce_e"
"""How the ``Server`` of an answer begins that an Expressway-E gave itself; those of an Expressway-C begin with ``CE_C`` (captures in
Cisco's TAC articles on the login to Mobile and Remote Access)."""


@dataclass(frozen=True, slots=True)
class ClientAnswer:
    """The answer to one request.

    Attributes:
        kind: Reached (2xx), refused (502), another status, the login refused (401), or nothing that can be used.
        detail: In a few words, for a person: ``HTTP 200``, or why there is no answer.
        reason: The reason phrase of the answer, masked and cut; empty where it has none.
        server: Its ``Server`` header, in the same way.
        again_in_s: Where it was not asked since the budget of sign-ins is spent: in how many seconds there is room again.
    """

    kind: AnswerKind
    detail: str
    reason: str = ""
    server: str = ""
    again_in_s: float | None = None

    @property
    def is_from_the_edge(self) -> bool:
        """Whether an Expressway-E gave the answer itself, so that it did not come through the peer."""
        return NEXT_HOP_FAILED in self.reason.casefold() or self.server.casefold().startswith(EDGE_SERVER)
