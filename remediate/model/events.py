"""Events: what happens while a command runs, as values: progress for a person, JSON lines for a program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from remediate.model.masking import mask


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Attributes:
        type: An open, hyphenated name: ``observe-start``, ``peer-read``, ``endpoint-probed``, ``change-start``,
            ``change-complete``, ``change-failed``, ``warning``, ``alarm``, ``manual-step``, ``run-state`` …;
            readers print `message` for one they do not know.
        message: One sentence for a person.
        cluster: The cluster it belongs to.
        fields: Plain JSON values, never a secret.
    """

    type: str
    message: str
    cluster: str = ""
    fields: Mapping[str, str | int | bool | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        fields = {name: mask(value) if isinstance(value, str) else value for name, value in self.fields.items()}
        object.__setattr__(self, "message", mask(self.message))
        object.__setattr__(self, "fields", fields)


Sink = Callable[[Event], None]


def silent(event: Event) -> None:
    """Drop the event: the sink of callers that do not listen."""
    del event
