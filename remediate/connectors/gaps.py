"""Discovery gaps: systems that a source names and that are not used, or more of them than a limit allows."""

from __future__ import annotations

from collections.abc import Sequence

from remediate.model.snapshot import DiscoveryGap
from remediate.model.text import count, first_few

MAX_SHOWN_NAMES = 10
"""How many names a gap holds: enough to know what it is about."""


def make_refusal_gap(source: str, service: str, why: str, names: Sequence[str], *, incomplete: bool) -> DiscoveryGap:
    """Return the gap for names that are not used because of what they are."""
    advice = "If one of them is needed, add it to the inventory." if incomplete else "Nothing depends on them."
    message = (
        f"{source} names {count(len(names), 'server')} that {'is' if len(names) == 1 else 'are'} not checked ({why}): "
        f"{first_few(names, MAX_SHOWN_NAMES)}. {advice}"
    )
    return DiscoveryGap(source, service, "name-refused", incomplete, message, tuple(names[:MAX_SHOWN_NAMES]), len(names))


def make_limit_gap(source: str, service: str, limit: int, server_count: int, *, incomplete: bool) -> DiscoveryGap:
    """Return the gap for a source that names more servers than the limit."""
    message = (
        f"{source} names {server_count} servers, more than the {limit} that one source may name: only the first {limit} are checked. "
        "If all are needed, give them under `nodes` in the inventory with `discovery: inventory`."
    )
    return DiscoveryGap(source, service, "over-limit", incomplete, message, (), server_count - limit)
