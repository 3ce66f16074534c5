"""The environment of a run, unless a test gives another: peers, this machine's clock, its journal and its processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from remediate.executor import watcher
from remediate.executor.journal.store import Journal
from remediate.executor.ports import (
    AskThrough,
    ClusterPort,
    NodePort,
    Observe,
    OpenClient,
    OpenNode,
    OpenPeers,
    WatcherJob,
    WatcherProcess,
)
from remediate.model.access import ClusterAccess, MraAccess
from remediate.model.canonical import utc_now
from remediate.model.certificate import Certificate
from remediate.model.client import AnswerKind, ClientAnswer
from remediate.model.events import Sink
from remediate.model.evidence import Evidence
from remediate.model.identity import Address, Product
from remediate.model.limits import Limits
from remediate.model.snapshot import Snapshot

if TYPE_CHECKING:
    from remediate.model.verdict import Verdicts
    from remediate.trust.verifier import OpenSslAnswers


def _open_for_real(cluster: ClusterAccess, limits: Limits, *, writable: bool) -> ClusterPort:
    from remediate.connectors.expressway.cluster import open_peers

    return open_peers(cluster, limits, writable=writable)


def _observe_for_real(
    cluster: ClusterAccess, *, limits: Limits, sink: Sink, opened: ClusterPort | None = None, is_last: bool = False
) -> Snapshot:
    from remediate.connectors.collect import collect
    from remediate.connectors.expressway.cluster import ClusterPeers

    # The cluster that `_open_for_real` opened.
    return collect(cluster, limits=limits, sink=sink, opened=cast("ClusterPeers | None", opened), is_last=is_last)


def _open_node_for_real(
    cluster: ClusterAccess, address: Address, authorities: Sequence[Certificate], limits: Limits, *, writable: bool
) -> AbstractContextManager[NodePort]:
    from remediate.connectors.unified_cm.management import open_node_management

    return open_node_management(cluster, address, authorities, limits, writable=writable)


def _ask_without_client(
    access: MraAccess, address: Address, port: int, product: Product | None, limits: Limits
) -> ClientAnswer:
    del access, address, port, product, limits
    return ClientAnswer(AnswerKind.NOT_ASKED, "no client requests in this run")


def _open_client_for_real(state_dir: Path) -> AbstractContextManager[AskThrough]:
    from remediate.connectors.expressway.mra_request import open_client

    return open_client(state_dir)


def _judge_for_real(snapshot: Snapshot) -> Verdicts:
    from remediate.trust.verifier import verify_snapshot

    return verify_snapshot(snapshot, _answers_at(snapshot.taken_at))


@lru_cache(maxsize=1)
def _answers_at(moment: datetime) -> OpenSslAnswers:
    """Return the answers of the last moment: a run has one snapshot judged several times, with lists and ciphers exchanged."""
    from remediate.trust.verifier import OpenSslAnswers

    return OpenSslAnswers(moment)


def _read_log_for_real(path: Path, limits: Limits) -> Evidence:
    from remediate.connectors.evidence import gather

    return gather([path], limits)


@dataclass(frozen=True, slots=True)
class Environment:
    """Everything outside of this program that a run touches.

    Attributes:
        open_node: Opens the certificate management of one node.
        open_client: Opens the client of a run; `with_client` puts its requests in the place of `ask_through`.
        ask_through: Sends a client's request through a peer, where the inventory has an account: the test of step 10.
        read_log: Reads the diagnostic archive of a peer.
        pause: Waits so many seconds.
        start_watcher: Starts the process behind a confirm timer; raises TimerError when it does not come up.
        lock_directory: Where runs of one user see each other whatever their state directory; None: `lock.shared_directory()`.
    """

    open_peers: OpenPeers = _open_for_real
    open_node: OpenNode = _open_node_for_real
    observe: Observe = _observe_for_real
    judge: Callable[[Snapshot], Verdicts] = _judge_for_real
    open_client: OpenClient = _open_client_for_real
    ask_through: AskThrough = _ask_without_client
    journal: Callable[[Path], Journal] = partial(Journal, writable=True)
    read_log: Callable[[Path, Limits], Evidence] = _read_log_for_real
    now: Callable[[], datetime] = utc_now
    pause: Callable[[float], None] = time.sleep
    start_watcher: Callable[[WatcherJob], WatcherProcess] = watcher.start
    lock_directory: Path | None = None


@contextmanager
def with_client(environment: Environment, state_dir: Path) -> Iterator[Environment]:
    """Yield `environment` with one open client, whose sign-ins are counted in `state_dir`."""
    with environment.open_client(state_dir) as ask_through:
        yield replace(environment, ask_through=ask_through)
