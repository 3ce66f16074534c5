"""The work of planning grows with the endpoints, and not with their square: function calls are counted, which are exact."""

from __future__ import annotations

import sys
from types import FrameType

from remediate import make_plan
from remediate.model.snapshot import Snapshot
from tests.pki import issue
from tests.planner.build import endpoint, peer, snapshot

issuer = issue("Missing", ca=True)
unrelated = [issue(f"Unrelated {number}", ca=True) for number in range(20)]


def unfixable(endpoints: int) -> Snapshot:
    """Build a cluster whose nodes present their own certificates alone, of a CA that is nowhere."""
    own = [issue(f"n{number}.lab", issuer, names=(f"n{number}.lab",), key_name="growth") for number in range(endpoints)]
    nodes = [endpoint(f"n{number}.lab", ecdsa=[certificate]) for number, certificate in enumerate(own)]
    return snapshot([peer(1, unrelated), peer(2, unrelated)], nodes, [*own, *unrelated])


def count_calls(cluster: Snapshot) -> int:
    """Return how many functions of Python and C are called to plan `cluster`."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        make_plan(cluster)
    finally:
        sys.setprofile(before)
    return calls


def test_endpoints_that_nothing_fixes_cost_the_same_each() -> None:
    count_calls(unfixable(1))  # what is read once in a process
    small, medium, large = (count_calls(unfixable(endpoints)) for endpoints in (50, 100, 200))
    assert (large - medium) / (medium - small) < 2.1
