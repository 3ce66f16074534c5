"""Switch of the workaround without a write: what would refuse it, and the peers that it would switch."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from remediate.executor.boundary import add_boundary
from remediate.executor.environment import Environment
from remediate.executor.opening import open_to_read
from remediate.executor.operations import SetVerification
from remediate.executor.operations.change import change_fields
from remediate.executor.steps import RunEvents
from remediate.executor.workaround import PeerVerification, read_verification, refuse_if_clients_break
from remediate.model.access import ClusterAccess
from remediate.model.events import Sink, silent
from remediate.model.exit_codes import ExitCode
from remediate.model.limits import Limits


def rehearse_workaround(
    cluster: ClusterAccess,
    *,
    on: bool,
    state_dir: Path,
    force: bool = False,
    limits: Limits = Limits(),
    sink: Sink = silent,
    environment: Environment = Environment(),
) -> tuple[PeerVerification, ...]:
    """Check what would refuse `set_workaround`, read every peer, and emit the switches that it would make.

    Returns:
        The peers as they are; one whose verification is not known, or that does not offer the switch, has exit code 8, as after
        the switch.

    Raises:
        LockHeld, LockError, JournalError, ClientsWouldBreak, NotVerified: As `set_workaround`, before its first write.
    """
    environment = add_boundary(environment)
    with ExitStack() as stack:
        open_to_read(cluster, state_dir, environment, stack)
    if not on and not force:
        refuse_if_clients_break(cluster, limits, sink, environment)
    peers = read_verification(cluster, state_dir=state_dir, limits=limits, sink=sink, environment=environment)
    events = RunEvents(sink, cluster.name)
    for peer in peers:
        if peer.verification is on:
            change = SetVerification(peer.peer, on=not on)
            events.emit("would-change", f"Would {change.summary}.", **change_fields(change))
    return tuple(replace(peer, exit_code=ExitCode.PERSON_NEEDED) if peer.verification is None else peer for peer in peers)
