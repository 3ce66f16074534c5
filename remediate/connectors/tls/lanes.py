"""Lanes of targets that are looked at in parallel, so that no node gets more connections than it may."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from remediate.connectors.tls.event_loop import run_attempts
from remediate.connectors.tls.target import Attempts, Observation, Target
from remediate.machine.system import max_open_files
from remediate.model.limits import Limits


def look_in_lanes(
    targets: Sequence[Target],
    look: Callable[[Target], Attempts[Observation]],
    limits: Limits,
    on_observation: Callable[[Target, Observation], None],
) -> tuple[Observation, ...]:
    """Return what is observed at each target, in order.

    Args:
        targets: Ports to look at.
        look: Makes the attempts at one of them.
        limits: On time and on connections.
        on_observation: Called as each target is done, never concurrently.
    """
    observations: dict[int, Observation] = {}

    def look_in_lane(lane: Sequence[int]) -> Attempts[None]:
        """Look at targets in order. Where a host that anyone could have named is absent, its other ports are not tried."""
        absent: Observation | None = None
        for number in lane:
            target = targets[number]
            observation = absent or (yield from look(target))
            if observation.host_absent and target.named_without_login:
                absent = observation
            observations[number] = observation
            on_observation(target, observation)

    lanes = [look_in_lane(lane) for lane in split_into_lanes(targets, limits)]
    run_attempts(lanes, limit_at_once(limits.parallel_endpoints, limits), limits)
    return tuple(observations[number] for number in range(len(targets)))


def limit_at_once(number: int, limits: Limits) -> int:
    """Return how many of so many connections to open at once, so that all clusters together stay far below the limit of a process."""
    allowed = max_open_files()
    return number if allowed is None else max(1, min(number, allowed * 3 // 4 // limits.parallel_clusters))


def split_into_lanes(targets: Sequence[Target], limits: Limits) -> list[list[int]]:
    """Return the numbers of the targets in lanes, each to be looked at in its order.

    A node that only a source without a login names has one lane: where it is absent, its other ports are not tried.
    """
    by_node: dict[str, list[int]] = {}
    for number, target in enumerate(targets):
        by_node.setdefault(target.host.casefold(), []).append(number)
    lanes: list[list[int]] = []
    for numbers in by_node.values():
        hearsay = all(targets[number].named_without_login for number in numbers)
        width = 1 if hearsay else limits.parallel_per_node
        lanes += [numbers[start::width] for start in range(min(width, len(numbers)))]
    return lanes
