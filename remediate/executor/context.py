"""What a run holds in its hands: the order, and the open cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from remediate.executor.environment import World
from remediate.executor.reconnecting import SteadyPeer
from remediate.executor.result import ApplyOptions
from remediate.executor.signals import StopRequest
from remediate.executor.steps import Walk
from remediate.executor.voice import Voice
from remediate.executor.writer import Recorder, Writer
from remediate.model.access import ClusterAccess
from remediate.model.approvals import ApprovedCertificate
from remediate.model.certificate import Certificate
from remediate.model.identity import Address, Fingerprint
from remediate.model.limits import Limits
from remediate.model.plan import EndpointForecast, Plan
from remediate.model.run import ApprovalRecord, Backup, Run
from remediate.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for, and what with."""

    plan: Plan
    cluster: ClusterAccess
    options: ApplyOptions
    state_dir: Path
    limits: Limits
    world: World
    voice: Voice
    stop: StopRequest


@dataclass(frozen=True, slots=True)
class Job:
    """An order with the cluster open in front of us.

    Attributes:
        recorder: the writer of a real run; None in a rehearsal.
        unfinished: the run to go on with.
        approvals: every approval of a person that counts for the plan.
        vouched: who vouches for each certificate to trust; established at step 3, before which it is empty.
    """

    order: Order
    walk: Walk
    boxes: tuple[SteadyPeer, ...]
    unreachable: Mapping[Address, str]
    primary: Address | None
    writer: Writer
    recorder: Recorder | None
    unfinished: Run | None
    approvals: tuple[ApprovedCertificate, ...]
    vouched: list[ApprovalRecord] = field(default_factory=list)

    def box_of(self, peer: Address | None) -> SteadyPeer | None:
        """The open peer with this address; None when it could not be opened."""
        return next((box for box in self.boxes if box.address == peer), None)


@dataclass(frozen=True, slots=True)
class Seen:
    """What step 2 read: how every reachable peer stands, every certificate, the cluster as observed, and what must hold afterwards."""

    backups: Mapping[Address, Backup]
    known: Mapping[Fingerprint, Certificate]
    snapshot: Snapshot
    forecasts: tuple[EndpointForecast, ...]


def earlier_backups(job: Job) -> Mapping[Address, Backup]:
    """How the peers stood before the first write of the run that is gone on with; empty for a new one."""
    return job.recorder.journal.backups(job.unfinished.id) if job.recorder and job.unfinished else {}
