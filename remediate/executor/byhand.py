"""What only a person can do, and which endpoints wait for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from remediate.executor.verification import Verification, name_of
from remediate.executor.voice import Voice
from remediate.model.plan import EndpointForecast
from remediate.model.verdict import Cause


@dataclass(frozen=True, slots=True)
class ByHand:
    """One step for a person.

    Attributes:
        text: what to do, with the page.
        open: it is open whatever verification says; else only when an endpoint that waits for it does not verify.
        endpoints: ``address:port`` of those that wait for it.
        discovery: every endpoint waits for it that is refused for its name, or that the cluster does not know (any more).
    """

    text: str
    open: bool
    endpoints: frozenset[str] = frozenset()
    discovery: bool = False


def for_a_person(voice: Voice, text: str, endpoints: frozenset[str] = frozenset()) -> ByHand:
    """Say and return a step that is open whatever verification says."""
    voice.say("manual-step", text, open=True)
    return ByHand(text, open=True, endpoints=endpoints)


def excuse(seen: Verification, by_hand: Sequence[ByHand]) -> tuple[tuple[EndpointForecast, ...], tuple[str, ...]]:
    """Return what is broken without a step for a person being the reason, and the steps that are open."""
    disappointing = [*seen.broken, *(one for one in seen.unseen if one.after.verdict.ok)]
    waited_for = {step: [one for one in disappointing if _waits(one, step, seen)] for step in by_hand}
    excused = {id(one) for waiting in waited_for.values() for one in waiting}
    broken = tuple(one for one in seen.broken if id(one) not in excused)
    return broken, tuple(step.text for step in by_hand if step.open or waited_for[step])


def _waits(forecast: EndpointForecast, step: ByHand, seen: Verification) -> bool:
    if name_of(forecast) in step.endpoints:
        return True
    found = seen.outcomes.get((forecast.peer, forecast.address, forecast.port))
    return step.discovery and (found is None or found.verdict.cause is Cause.NAME_MISMATCH)
