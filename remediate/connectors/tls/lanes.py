"""Lanes of targets that are looked at in parallel, so that no node gets more connections than it may."""

from __future__ import annotations

from collections.abc import Sequence

from remediate.connectors.tls.target import Target
from remediate.machine.system import max_open_files
from remediate.model.limits import Limits


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
