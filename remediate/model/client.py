"""The answer that a client of Mobile and Remote Access gets through one peer, as far as it shows the verdict of the traffic server."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AnswerKind(StrEnum):
    """The kinds of answers. Only the first two come from beyond the traffic server's verdict for certain."""

    REACHED = "reached"
    REFUSED = "refused"
    OTHER = "another answer"
    NO_LOGIN = "login refused"
    NOTHING = "no answer"


@dataclass(frozen=True, slots=True)
class ClientAnswer:
    """The answer to one request.

    Attributes:
        kind: Reached (2xx), refused (502), another status, the login refused (401), or nothing that can be used.
        detail: In a few words, for a person: ``HTTP 200``, or why there is no answer.
    """

    kind: AnswerKind
    detail: str
