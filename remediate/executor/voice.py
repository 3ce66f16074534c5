"""What a run says while it goes on."""

from __future__ import annotations

from dataclasses import dataclass

from remediate.executor.steps import Step
from remediate.model.events import Event, Sink


@dataclass(slots=True)
class Voice:
    """Says events of one cluster, with the run they belong to once there is one."""

    sink: Sink
    cluster: str
    run: str = ""

    def say(self, kind: str, message: str, /, **fields: str | int | bool | None) -> None:
        """Say one thing."""
        known: dict[str, str | int | bool | None] = {"run": self.run} if self.run else {}
        self.sink(Event(kind, message, self.cluster, known | fields))

    def step(self, step: Step) -> None:
        """Say which step begins."""
        self.say("step", f"{step.value} {step.words}", step=step.value)
