"""Scenarios of the lab. To add one, write a `Scenario` in a module here and name it in `SCENARIOS`."""

from __future__ import annotations

from remediate.lab.errors import LabError
from remediate.lab.scenario import Scenario
from remediate.lab.scenarios import basics, conflicts, story

SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        story.STORY,
        story.X15,
        story.RELOADS_BY_ITSELF,
        story.ONE_EDGE,
        basics.HEALTHY,
        basics.SELF_SIGNED,
        basics.REFUSES_PEERS,
        basics.PLATFORM_SHELL,
        basics.SERVER_ONLY,
        basics.UNREACHABLE,
        conflicts.SAME_CN,
        conflicts.SAME_CN_STUCK,
        conflicts.STALE,
        conflicts.CHAT,
        conflicts.TLS13,
        conflicts.OWN_ORDER,
        basics.REST_ACCOUNT,
        basics.CROWDED,
    )
}


def scenario_named(name: str) -> Scenario:
    """Return the scenario called `name`. Raises LabError, which lists the scenarios."""
    if name not in SCENARIOS:
        raise LabError(
            f"There is no lab scenario {name!r}; there are {', '.join(SCENARIOS)}.", next_step="Give one of them as --scenario."
        )
    return SCENARIOS[name]
