"""Preview of `remediate restart`: the peers in their order, each with its guards and its calls, and nothing written."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from remediate.executor.boundary import add_boundary
from remediate.executor.environment import Environment
from remediate.executor.foreign_alarms import judge_guards_now
from remediate.executor.guarded_restart import describe_obstacles
from remediate.executor.guards import ClusterHealth, GuardFinding
from remediate.executor.health import read_cluster_health
from remediate.executor.journal.store import Journal
from remediate.executor.maintenance import warn_of_maintenance_left_on
from remediate.executor.opening import open_to_read
from remediate.executor.restart_choice import RestartRequest, choose_peers
from remediate.executor.result import RestartOptions
from remediate.executor.steps import RunEvents
from remediate.executor.window import emit_whether_open
from remediate.model.access import ClusterAccess
from remediate.model.effect import PeerEffect
from remediate.model.events import Sink, silent
from remediate.model.exit_codes import ExitCode, most_serious
from remediate.model.health import Health
from remediate.model.identity import Address
from remediate.model.limits import Limits


@dataclass(frozen=True, slots=True)
class PeerPreview:
    """One peer that would be restarted, as it is now.

    Attributes:
        effect: Whether what was written to it is in effect.
        findings: What was found of each guard.
        calls: How many calls it carries; None: not observed.
        registrations: How many endpoints are registered on it; None: not observed.
    """

    peer: Address
    effect: PeerEffect
    findings: tuple[GuardFinding, ...]
    calls: int | None
    registrations: int | None

    @property
    def obstacles(self) -> str:
        """Why it would stay in service; empty: it would be restarted."""
        return describe_obstacles(self.peer, self.findings)


@dataclass(frozen=True, slots=True)
class RestartPreview:
    """The peers that would be restarted, in their order.

    Attributes:
        is_single: It is a cluster of one peer.
        is_closed: The window is closed now.
    """

    cluster: str
    peers: tuple[PeerPreview, ...]
    is_single: bool
    is_closed: bool = False

    @property
    def exit_code(self) -> ExitCode:
        """What would stop the command: a closed window, or a guard."""
        codes = [ExitCode.PERSON_NEEDED if peer.obstacles else ExitCode.DONE for peer in self.peers]
        return most_serious([*codes, ExitCode.ERROR if self.is_closed else ExitCode.DONE])


def preview_restart(
    cluster: ClusterAccess,
    request: RestartRequest,
    *,
    state_dir: Path,
    limits: Limits = Limits(),
    sink: Sink = silent,
    environment: Environment = Environment(),
) -> RestartPreview:
    """Return what would be restarted, over connections that cannot write.

    Raises:
        LockHeld, LockError: Another run is at work on the cluster, or no lock could be taken.
        UsageError: The cluster has no such peer.
        JournalError: The journal cannot be read.
        AccessError: A login was refused.
    """
    events, environment = RunEvents(sink, cluster.name), add_boundary(environment)
    with ExitStack() as stack:
        opening = open_to_read(cluster, state_dir, environment, stack)
        emit_whether_open(request.window, environment.now(), events)
        is_closed = request.window is not None and request.window.closes(environment.now()) is None
        journal = opening.open_journal()
        warn_of_maintenance_left_on(journal, cluster.name, events)
        opened, peers = opening.open_peers(limits)
        health = read_cluster_health(peers, opened.unreachable)
        chosen = choose_peers(journal, request, opened, health)
        previews = tuple(_preview(journal, effect, health, request.restarts) for effect in chosen)
    return RestartPreview(cluster.name, previews, health.is_single, is_closed)


def _preview(journal: Journal, effect: PeerEffect, cluster: ClusterHealth, options: RestartOptions) -> PeerPreview:
    health = cluster.peers.get(effect.peer, Health())
    findings = judge_guards_now(journal, effect.peer, cluster, options.assume)
    return PeerPreview(effect.peer, effect, findings, health.calls, health.registrations)
