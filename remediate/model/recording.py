"""The recording of a cluster: what each peer answered to every reading question, without secrets, addresses and names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Channel = Literal["rest", "shell"]
Outcome = Literal["answered", "not-offered", "not-read"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and its answer.

    Attributes:
        question: A path of the web interface, or a command of the shell.
        text: The answer; where there is none, why not.
    """

    channel: Channel
    question: str
    outcome: Outcome
    text: str


@dataclass(frozen=True, slots=True)
class PeerRecording:
    """What one peer answered.

    Attributes:
        peer: A pseudonym of its address.
        not_understood: What no reader of ours understood, and why, one sentence each.
    """

    peer: str
    primary: bool
    exchanges: tuple[Exchange, ...]
    not_understood: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recording:
    """What the peers of one cluster answered.

    Attributes:
        made_by: The version of this program.
    """

    made_by: str
    peers: tuple[PeerRecording, ...]
