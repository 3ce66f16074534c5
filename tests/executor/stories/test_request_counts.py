"""How often an apply asks the peers, by the lab's own log."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from remediate.lab.requestlog import Request
from tests.executor.bench import Bench

pytestmark = pytest.mark.lab

GUARDS = (
    "xStatus SystemUnit",
    "xStatus ResourceUsage",
    "xStatus Alarm",
    "xConfiguration Alternates",
    "xStatus Calls",
    "xStatus Registrations",
    "xConfiguration SystemUnit Maintenance Mode",
    "/api/v1/status/common/upgradestatus",
    "xStatus Zones",
    "xStatus Tunnels",
    "xStatus Alternates",
)
"""What the guards before the first write rest on, once a peer."""
LIST = "/api/provisioning/certs/root"
CIPHERS = "xConfiguration Ciphers"


def ask_of_apply(home: Path, *, times: int = 1) -> tuple[Bench, list[Request]]:
    """Apply the plan of the story; return the lab, and what its peers were asked."""
    with ExitStack() as stack:
        bench = Bench(home, "story", stack, times=times)
        plan = bench.plan()
        bench.lab.requests.clear()
        assert bench.apply(plan).state == "applied"
        return bench, [request for request in bench.lab.requests if request.transport != "mra"]


def count_of(requests: list[Request], peer: str, method: str, path: str) -> int:
    """Return how often a peer got this request."""
    return sum((request.peer, request.method, request.path) == (peer, method, path) for request in requests)


def without_waits(requests: list[Request], primary: str) -> list[Request]:
    """Leave out the looks at the other peers while replication is waited for: their number is a matter of time."""
    is_waiting, remainder = False, []
    for request in requests:
        is_look = request.path == CIPHERS and request.peer != primary
        if request.method == "set":
            is_waiting = True
        elif request.path != CIPHERS:
            is_waiting = False
        if not (is_waiting and is_look):
            remainder.append(request)
    return remainder


def test_an_apply_to_three_peers_asks_each_thing_once(tmp_path: Path) -> None:
    bench, requests = ask_of_apply(tmp_path)
    peers = [peer.address for peer in bench.lab.peers]
    # Each peer gets one login to its shell
    assert Counter(request.peer for request in requests if request.method == "login") == dict.fromkeys(peers, 1)
    # Its list is read by the login, right before its first write, after each write, and at the end
    writes = [count_of(requests, peer, "POST", LIST) for peer in peers]
    assert writes == [2, 2, 3]
    assert [count_of(requests, peer, "GET", LIST) for peer in peers] == [number + 3 for number in writes]
    # What the guards rest on is read once, and the alarms after the last write too: which of them are our own
    assert all(count_of(requests, peer, "status", "xStatus Calls") == 1 for peer in peers)
    assert all(count_of(requests, peer, "status", "xStatus Alarm") == 2 for peer in peers)
    # The remainder is this many requests, with those to see what is in effect and to refresh discovery
    remainder = without_waits(requests, peers[0])
    assert len(remainder) - len(GUARDS) * len(peers) == 75


def test_no_peer_is_asked_more_where_there_are_more_peers(tmp_path: Path) -> None:
    # Given the story with three peers, and with six
    (few, of_few), (many, of_many) = (ask_of_apply(tmp_path / str(times), times=times) for times in (1, 2))
    # When its plan is applied to both, Then the last peer is asked the same
    counts = [
        Counter(
            (request.method, request.path)
            for request in without_waits(requests, bench.lab.peers[0].address)
            if request.peer == bench.lab.peers[-1].address
        )
        for bench, requests in ((few, of_few), (many, of_many))
    ]
    assert counts[0] == counts[1]
