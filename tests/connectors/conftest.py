"""Fixtures: one lab for all tests here, restored after each, and peers opened on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from remediate.connectors.expressway.peer import ExpresswayPeer
from remediate.inventory import load
from remediate.lab import Lab
from remediate.model.access import ClusterAccess
from remediate.model.limits import Limits
from tests.connectors.support import QUICK, Opener


@pytest.fixture(scope="session")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("lab"), judge=False) as lab:
        yield lab


@pytest.fixture
def lab(_running: Lab) -> Iterator[Lab]:
    """Restore the story after each test."""
    before = [
        (list(peer.trusted), dict(peer.leaves), [replace(publisher) for publisher in peer.publishers], peer.condition.copy())
        for peer in _running.peers
    ]
    _running.requests.clear()
    _running.cluster.refreshed.clear()
    yield _running
    _running.faults.clear()
    _running.forget_clients()
    _running.cluster.settle()
    for peer, (trusted, leaves, publishers, condition) in zip(_running.peers, before, strict=True):
        _running.faults.up(peer.address)
        peer.trusted[:], peer.publishers[:] = trusted, publishers
        peer.revocation_lists.clear()
        peer.leaves.clear()
        peer.leaves.update(leaves)
        peer.condition = condition


@pytest.fixture
def cluster(lab: Lab) -> ClusterAccess:
    """Return the lab's cluster as its inventory has it."""
    return load(lab.inventory)[0]


@pytest.fixture
def open_peer(cluster: ClusterAccess) -> Iterator[Opener]:
    """Return a function that opens peers, by number from 0; `writable` permits changes."""
    with ExitStack() as stack:

        def open_peer_number(number: int = 0, *, writable: bool = False, limits: Limits = QUICK) -> ExpresswayPeer:
            password = cluster.login.password.read()
            peer = ExpresswayPeer(cluster.peers[number], cluster.login.username, password, limits, writable=writable)
            return stack.enter_context(peer)

        yield open_peer_number
