"""What a client of Mobile and Remote Access gets through one peer, as far as it tells what the peer's traffic server thinks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Got(StrEnum):
    """The kinds of answers. Only the first two come from beyond the traffic server's verdict for certain."""

    REACHED = "reached"
    REFUSED = "refused"
    OTHER = "another answer"
    NO_LOGIN = "login refused"
    NOTHING = "no answer"


@dataclass(frozen=True, slots=True)
class ClientAnswer:
    """What one request came to.

    Attributes:
        got: reached (2xx), refused (502), another status, the login refused (401), or nothing that can be used.
        said: in a few words, for a person: ``HTTP 200``, or why there is no answer.
    """

    got: Got
    said: str
