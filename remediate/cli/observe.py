"""Observation of a cluster for the reading verbs, and the warnings that each of them prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from remediate.cli.session import Session
    from remediate.model.access import ClusterAccess
    from remediate.model.certificate import Certificate
    from remediate.model.events import Sink
    from remediate.model.limits import Limits
    from remediate.model.snapshot import Snapshot


def observe(cluster: ClusterAccess, sink: Sink, limits: Limits, *, fast: bool = False) -> Snapshot:
    """Return a fresh snapshot of `cluster`, with one handshake for each endpoint where it is to be `fast`. Raises RemediateError."""
    from remediate.connectors.collect import collect

    return collect(cluster, limits=limits, sink=sink, fast=fast)


def warn_about(session: Session, snapshot: Snapshot) -> None:
    """Print on stderr which peers were not observed, where vantage points disagree, and that the workaround is on.

    Endpoints that were not observed are part of every result; peers were in the progress, unless there is none.
    """
    for peer in snapshot.peers:
        if peer.error and session.quiet:
            session.say(f"{snapshot.cluster}: peer {peer.address} was not checked: {peer.error}")
    for alarm in snapshot.alarms:
        session.say(f"{snapshot.cluster}: ALARM: {alarm.message}")
    remind_of_maintenance(session, snapshot.cluster)
    remind_of_workaround(
        session, snapshot.cluster, [peer.address for peer in snapshot.peers if peer.verify_origin_server is False]
    )


def remind_of_workaround(session: Session, cluster: str, off: Sequence[str]) -> None:
    """Print on stderr that the workaround is on, and how to end it, if verification is off on any peer.

    Args:
        session: The command line.
        cluster: Name of the cluster.
        off: The peers with verification off.
    """
    if off:
        session.say(
            f"{cluster}: the workaround is on, so any certificate is accepted by {', '.join(off)}, even a forged one; when "
            f"`remediate verify` passes, turn it off: `remediate workaround off -i INVENTORY -c {cluster}`."
        )


def remind_of_maintenance(session: Session, cluster: str) -> None:
    """Print on stderr which maintenance mode an earlier run on `cluster` left on, and the command that ends it."""
    for text in describe_maintenance_left_on(session.state_dir, cluster):
        session.say(f"{cluster}: {text} {advise_on_maintenance(cluster)}")


def describe_maintenance_left_on(state_dir: Path, cluster: str) -> tuple[str, ...]:
    """Return the sentences about each peer whose maintenance mode a run that has ended left on, or may have."""
    from remediate.executor.journal.restarts import find_maintenance_left_on
    from remediate.executor.lock import is_name_held
    from remediate.executor.maintenance import describe_left_on
    from remediate.model.errors import UsageError

    try:
        maintenance_steps = find_maintenance_left_on(state_dir, cluster)
        is_at_work = bool(maintenance_steps) and is_name_held(cluster, state_dir)
    except UsageError:  # no home directory, so that nothing was written there
        return ()
    return () if is_at_work else tuple(map(describe_left_on, maintenance_steps))


def advise_on_maintenance(cluster: str) -> str:
    """Return the sentence with the command that ends maintenance mode which was left on."""
    return f"The next apply, restart or rollback on the cluster ends it: `remediate restart -i INVENTORY -c {cluster}`."


def remind_from_journal(session: Session) -> None:
    """Remind of what was left on from this state directory, in commands that contact no cluster: the workaround, a diagnostic log."""
    from remediate.executor.journal.switches import find_workarounds_left_on
    from remediate.executor.left_logging import find_left_logging
    from remediate.model.errors import UsageError

    try:
        workarounds = find_workarounds_left_on(session.state_dir)
        logs = find_left_logging(session.state_dir)
    except UsageError:  # no home directory, which is no error if nothing has to be read or written there
        return
    for log in logs:
        session.say(f"{log.cluster}: {log}. The next `remediate diagnose --for` on it, or `remediate apply`, stops it.")
    for cluster, switches in workarounds.items():
        peers = ", ".join(switch.peer for switch in switches)
        session.say(f"{cluster}: the workaround may be on; last switched from here: verification {switches[-1]} ({peers}).")


def read_authorities(session: Session, paths: Iterable[Path]) -> tuple[Certificate, ...]:
    """Return the certificates in `paths`, and report files without any. Raises InventoryError, CertificateError."""
    from remediate.connectors.authorities import read_authorities as read

    authorities = read(paths)
    for sentence in authorities.passed_over:
        session.say(f"Not used: {sentence}")
    return authorities.certificates


def with_authorities(snapshot: Snapshot, authorities: Sequence[Certificate]) -> Snapshot:
    """Return `snapshot` with `authorities` available and vouched for."""
    from dataclasses import replace

    by_fingerprint = {authority.fingerprint: authority for authority in authorities}
    return replace(
        snapshot,
        available_ca=tuple(dict.fromkeys((*snapshot.available_ca, *by_fingerprint))),
        vouched_for=snapshot.vouched_for | by_fingerprint.keys(),
        certificates={**snapshot.certificates, **by_fingerprint},
    )
