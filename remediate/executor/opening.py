"""The opening of a cluster for one command: its lock, the journal and its peers, each until a stack ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from remediate.executor.boundary import add_boundary
from remediate.executor.environment import Environment, with_client
from remediate.executor.identity import Operator, identify_operator
from remediate.executor.journal.store import Journal
from remediate.executor.lock import (
    ClusterLock,
    hold_cluster,
    peer_lock_paths,
    refuse_if_held,
    refuse_if_peers_held,
    shared_directory,
)
from remediate.executor.ports import ClusterPort
from remediate.executor.preflight import refuse_unusable
from remediate.executor.reconnecting import ReconnectingPeer, open_reconnecting_peers
from remediate.executor.signals import StopRequest, handle_signals
from remediate.executor.steps import RunEvents
from remediate.model.access import ClusterAccess
from remediate.model.events import Sink
from remediate.model.limits import Limits


@dataclass(frozen=True, slots=True)
class Command:
    """A command that may write to a cluster, from its beginning to its end.

    Attributes:
        environment: With the boundary around its connectors, and with one open client.
        stack: Ends with the command.
    """

    cluster: ClusterAccess
    state_dir: Path
    limits: Limits
    environment: Environment
    events: RunEvents
    stop: StopRequest
    stack: ExitStack


@contextmanager
def begin_command(
    cluster: ClusterAccess, state_dir: Path, limits: Limits, sink: Sink, environment: Environment
) -> Iterator[Command]:
    """Handle signals and hold a client open while the block runs; nothing of the cluster is opened yet."""
    events = RunEvents(sink, cluster.name)
    with handle_signals(lambda text: events.emit("warning", text)) as stop, ExitStack() as stack:
        environment = add_boundary(stack.enter_context(with_client(environment, state_dir)))
        yield Command(cluster, state_dir, limits, environment, events, stop, stack)


@dataclass(frozen=True, slots=True)
class ClusterToRead:
    """A cluster whose lock is free; nothing can be written to it, nor to the journal."""

    access: ClusterAccess
    state_dir: Path
    environment: Environment
    stack: ExitStack
    _shared: Path

    def write_heartbeat(self) -> None:
        """Do nothing: no lock is held."""

    def open_journal(self) -> Journal:
        """Open the journal for reading."""
        return self.stack.enter_context(Journal(self.state_dir))

    def open_peers(self, limits: Limits) -> tuple[ClusterPort, tuple[ReconnectingPeer, ...]]:
        """Open the peers for reading. Raises LockHeld where a run under another cluster name is at work on one of them."""
        opened, peers = open_reconnecting_peers(self.environment, self.access, limits, self.stack, writable=False)
        refuse_if_peers_held(opened, self.access.name, self._shared)
        return opened, peers


@dataclass(frozen=True, slots=True)
class ClusterToWrite:
    """A cluster whose lock is held.

    Attributes:
        operator: Who runs this command.
    """

    access: ClusterAccess
    state_dir: Path
    environment: Environment
    stack: ExitStack
    lock: ClusterLock
    operator: Operator
    _shared: Path

    def write_heartbeat(self) -> None:
        """Show others that this process is at work."""
        self.lock.write_heartbeat()

    def open_journal(self) -> Journal:
        """Open the journal, and close the runs whose processes ended without a last line."""
        journal = self.stack.enter_context(self.environment.journal(self.state_dir))
        journal.close_dead_runs(self.access.name)
        return journal

    def open_peers(self, limits: Limits) -> tuple[ClusterPort, tuple[ReconnectingPeer, ...]]:
        """Open the peers for writing, and take their locks. Raises LockHeld as for reading."""
        opened, peers = open_reconnecting_peers(self.environment, self.access, limits, self.stack, writable=True)
        self.lock.acquire(peer_lock_paths(opened, self._shared))
        return opened, peers


def open_to_read(cluster: ClusterAccess, state_dir: Path, environment: Environment, stack: ExitStack) -> ClusterToRead:
    """Check that no run is at work on `cluster`, and that one could be.

    Raises:
        LockHeld, LockError, JournalError: As `open_to_write` would.
    """
    shared = environment.lock_directory or shared_directory()
    refuse_unusable(state_dir, shared)
    refuse_if_held(cluster, state_dir, shared)
    return ClusterToRead(cluster, state_dir, environment, stack, shared)


def open_to_write(
    cluster: ClusterAccess, state_dir: Path, environment: Environment, stack: ExitStack, *, ticket: str | None = None
) -> ClusterToWrite:
    """Take the lock of `cluster` until `stack` ends.

    Raises:
        LockHeld, LockError: Another run is at work on it, or the lock could not be taken.
    """
    shared = environment.lock_directory or shared_directory()
    operator = identify_operator()
    lock = stack.enter_context(hold_cluster(cluster, state_dir, shared, operator=operator, ticket=ticket, now=environment.now))
    return ClusterToWrite(cluster, state_dir, environment, stack, lock, operator, shared)
