"""Real peers, observation and journal that say before and after each thing they do, so that a process can be killed there."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from remediate.connectors.collect import collect
from remediate.connectors.expressway.cluster import ClusterPeers, open_peers
from remediate.executor.environment import Environment
from remediate.executor.journal.store import Journal
from remediate.model.access import ClusterAccess
from remediate.model.events import Sink
from remediate.model.limits import Limits
from remediate.model.snapshot import Snapshot

Tap = Callable[[str], None]


class TappedJournal(Journal):
    """The journal."""

    def __init__(self, state_dir: Path, tap: Tap) -> None:
        self._tap = tap
        super().__init__(state_dir, writable=True)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        self._tap("before a journal write")
        with super().transaction() as db:
            yield db
        self._tap("after a journal write")


class _TappedPeer:
    """One peer: every call of it is a point before and a point after."""

    def __init__(self, peer: object, tap: Tap) -> None:
        self._peer = peer
        self._tap = tap

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._peer, name)
        if not callable(real):
            return real

        def tapped(*arguments: Any, **more: Any) -> Any:
            self._tap(f"before {name}")
            answer = real(*arguments, **more)
            self._tap(f"after {name}")
            return answer

        return tapped


class _TappedCluster:
    """The opened peers of a cluster."""

    def __init__(self, opened: ClusterPeers, tap: Tap) -> None:
        self._opened = opened
        self._tap = tap

    @property
    def peers(self) -> Sequence[Any]:
        return [_TappedPeer(peer, self._tap) for peer in self._opened.peers]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opened, name)

    def __enter__(self) -> Self:
        self._opened.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._opened.__exit__(kind, error, trace)


def tapped_environment(tap: Tap, lock_directory: Path) -> Environment:
    """The real environment, with a tap."""

    def opening(cluster: ClusterAccess, limits: Limits, *, writable: bool) -> Any:
        tap("before logging in")
        return _TappedCluster(open_peers(cluster, limits, writable=writable), tap)

    def observing(cluster: ClusterAccess, *, limits: Limits, sink: Sink, opened: Any = None, is_last: bool = False) -> Snapshot:
        tap("before looking at the cluster")
        snapshot = collect(cluster, limits=limits, sink=sink, opened=opened, is_last=is_last)
        tap("after looking at the cluster")
        return snapshot

    return Environment(
        open_peers=opening,
        observe=observing,
        journal=lambda state_dir: TappedJournal(state_dir, tap),
        lock_directory=lock_directory,
    )
