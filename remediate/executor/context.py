"""The context of a run, which does not change, and the state of a run, which does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from remediate.executor.changes import find_additions
from remediate.executor.environment import Environment
from remediate.executor.journal.store import Journal
from remediate.executor.node_ports import NodePorts, refuse_nodes
from remediate.executor.operations.change import Change
from remediate.executor.ports import ClusterPort
from remediate.executor.reconnecting import ReconnectingPeer
from remediate.executor.result import ApplyOptions, ManualStep
from remediate.executor.signals import StopRequest
from remediate.executor.steps import RunEvents, StepSequence
from remediate.model.access import ClusterAccess
from remediate.model.approvals import ApprovedCertificate
from remediate.model.certificate import Certificate
from remediate.model.effect import ClientView, PeerEffect
from remediate.model.errors import NotOffered, ObservationError
from remediate.model.identity import Address, Fingerprint, PairId
from remediate.model.limits import Limits
from remediate.model.plan import EndpointForecast, Plan, TrustOnNode
from remediate.model.run import ApprovalRecord, Backup, Run
from remediate.model.snapshot import Snapshot
from remediate.model.verdict import Verdicts


@dataclass(frozen=True, slots=True)
class RunContext:
    """Everything that one apply works with; made once step 1 holds the lock and has opened the peers.

    Attributes:
        steps: Where the run is. In a dry run the same steps are entered.
        journal: Open for reading alone in a dry run.
        opened: The cluster as it was opened; its sessions stay open for the whole run.
        peers: Its open peers, in the cluster's order, as peers that reconnect.
        approvals: Every approval of a person that counts for the plan.
        unfinished: The run that this apply resumes; None in a dry run, which resumes none.
        write_heartbeat: Shows others that the holder of the lock is at work.
        nodes: The nodes that the plan uploads to.
    """

    plan: Plan
    cluster: ClusterAccess
    options: ApplyOptions
    state_dir: Path
    limits: Limits
    environment: Environment
    events: RunEvents
    stop: StopRequest
    steps: StepSequence
    journal: Journal
    opened: ClusterPort
    peers: tuple[ReconnectingPeer, ...]
    approvals: tuple[ApprovedCertificate, ...]
    unfinished: Run | None
    write_heartbeat: Callable[[], None] = lambda: None
    nodes: NodePorts = field(default_factory=lambda: NodePorts(refuse_nodes))

    @property
    def addresses(self) -> tuple[Address, ...]:
        """The peers of the cluster, those that could be opened first."""
        return (*(peer.address for peer in self.peers), *self.unreachable)

    @property
    def unreachable(self) -> Mapping[Address, str]:
        """Why each of the other peers could not be opened."""
        return self.opened.unreachable

    @property
    def primary(self) -> Address | None:
        """The primary; None: no peer names it."""
        return self.opened.primary

    def open_peer(self, address: Address | None) -> ReconnectingPeer | None:
        """Return the open peer with this address; None when it could not be opened."""
        return next((peer for peer in self.peers if peer.address == address), None)

    def list_peers_without_removal(self) -> list[Address]:
        """Return the peers that the plan adds certificates to and that do not offer to take them out again."""
        return [
            peer.address
            for peer in self.peers
            if find_additions(self.plan, peer.address) and not peer.capabilities().remove_trusted_ca
        ]

    def earlier_backups(self) -> Mapping[Address, Backup]:
        """Return how the peers were before the first write of the resumed run; empty for a new run."""
        return self.journal.backups(self.unfinished.id) if self.unfinished else {}

    def observe(self, *, is_last: bool = True) -> Snapshot:
        """Observe the cluster; where the plan uploads to nodes, with the peers' own certificates, which the nodes judge.

        `is_last` reads afresh what the run may have changed; without it, lists that were read just now count as read.
        """
        snapshot = self.environment.observe(
            self.cluster, limits=self.limits, sink=self.events.forward, opened=self.opened, is_last=is_last
        )
        if not any(isinstance(action, TrustOnNode) for action in self.plan.actions):
            return snapshot
        chains: dict[Address, tuple[Certificate, ...]] = {}
        for peer in self.peers:
            with suppress(ObservationError, NotOffered):
                chains[peer.address] = peer.server_chain()
        return snapshot.with_server_chains(chains)


@dataclass(slots=True)
class RunState:
    """What one apply has done so far.

    Attributes:
        run: The run's id in the journal; empty before step 4, and in a dry run.
        has_written: Something was written, or may have been.
        in_effect: The changes that were made, or were found made.
        ended_timer: This apply ended the confirm timer of an earlier one.
        open_steps: What is left for a person, in the order in which it came up.
        effects: Whether what was written is in effect, for each peer that was looked at.
        effect_steps: What a person does where a change is not in effect; they do not make the run partial.
        client_views: What clients get, for each pair that was asked for.
        is_refreshed: Discovery was refreshed.
        zones_before_refresh: The zones of discovered nodes on the primary before that; None: not read.
        verdicts_before: What each endpoint gets from each peer before the first write; set by step 2.
        alarms_after: The alarms of each peer after the last write; set by step 12.
        vouched: Who vouches for each certificate to trust; set by step 3.
    """

    run: str = ""
    has_written: bool = False
    in_effect: list[Change] = field(default_factory=list)
    ended_timer: bool = False
    open_steps: list[ManualStep] = field(default_factory=list)
    effects: dict[Address, PeerEffect] = field(default_factory=dict)
    effect_steps: list[ManualStep] = field(default_factory=list)
    client_views: dict[PairId, ClientView] = field(default_factory=dict)
    is_refreshed: bool = False
    zones_before_refresh: frozenset[str] | None = None
    verdicts_before: Verdicts = field(default_factory=dict)
    alarms_after: Mapping[Address, frozenset[str]] = field(default_factory=dict)
    vouched: tuple[ApprovalRecord, ...] = ()

    def add_effect_step(self, events: RunEvents, step: ManualStep) -> None:
        """Add a manual step for a change that is not in effect, and emit it."""
        events.emit("manual-step", step.text, open=True)
        self.effect_steps.append(step)

    def add_open_step(self, events: RunEvents, step: ManualStep) -> None:
        """Add a manual step that is open whatever the result of verification, and emit it."""
        events.emit("manual-step", step.text, open=True)
        self.open_steps.append(step)

    def forget_clients(self, peer: Address) -> None:
        """Forget what clients got through `peer`, which is another matter now."""
        self.client_views = {pair: view for pair, view in self.client_views.items() if pair.peer != peer}


@dataclass(frozen=True, slots=True)
class Baseline:
    """The cluster as step 2 reads it.

    Attributes:
        backups: The lists of every peer that could be read.
        certificates: Every certificate that was read or that the plan holds.
        forecasts: What must hold after the run, for each endpoint and peer.
    """

    backups: Mapping[Address, Backup]
    certificates: Mapping[Fingerprint, Certificate]
    snapshot: Snapshot
    forecasts: tuple[EndpointForecast, ...]
