"""What a run says while it goes on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from remediate.executor.boundary import place_of
from remediate.executor.result import RunResult
from remediate.executor.steps import Step
from remediate.model.errors import RemediateError
from remediate.model.events import Event, Sink


@dataclass(slots=True)
class Voice:
    """Says events of one cluster, with the run they belong to once there is one.

    Attributes:
        trouble: why nothing more is said; empty: all was said. The journal, and the result, tell the same as events do.
    """

    sink: Sink
    cluster: str
    run: str = ""
    trouble: str = ""

    def say(self, kind: str, message: str, /, **fields: str | int | bool | None) -> None:
        """Say one thing."""
        known: dict[str, str | int | bool | None] = {"run": self.run} if self.run else {}
        self.send(Event(kind, message, self.cluster, known | fields))

    def send(self, event: Event) -> None:
        """Pass one event on. A sink that fails gets no more."""
        if self.trouble:
            return
        try:
            self.sink(event)
        except RemediateError:
            raise
        except Exception as error:  # noqa: BLE001 - a run does not end half-way because nobody can be told of it
            self.trouble = f"From some point on nothing more was reported: {place_of(error)}."

    def tell_trouble(self, result: RunResult) -> RunResult:
        """Return `result`, which also says so where not everything was reported."""
        return replace(result, message=f"{result.message} {self.trouble}") if self.trouble else result

    def step(self, step: Step) -> None:
        """Say which step begins."""
        self.say("step", f"{step.value} {step.words}", step=step.value)
