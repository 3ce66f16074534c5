"""Look at a cluster for the reading verbs, and say what every one of them must not pass over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from remediate.cli.session import Session
    from remediate.model.access import ClusterAccess
    from remediate.model.certificate import Certificate
    from remediate.model.events import Sink
    from remediate.model.snapshot import Snapshot


def observe(cluster: ClusterAccess, sink: Sink) -> Snapshot:
    """Return a fresh snapshot of `cluster`; no warning is lost on the way. Raises RemediateError."""
    from remediate.connectors.collect import collect

    return collect(cluster, sink=sink)


def warn_of(session: Session, snapshot: Snapshot) -> None:
    """Say on stderr which peers were not seen, where vantage points disagree, and that the workaround is on.

    Endpoints stand in every result themselves.
    """
    for peer in snapshot.peers:
        if peer.error:
            session.say(f"{snapshot.cluster}: peer {peer.address} was not looked at: {peer.error}")
    for alarm in snapshot.alarms:
        session.say(f"{snapshot.cluster}: ALARM: {alarm.message}")
    remind(session, snapshot.cluster, [peer.address for peer in snapshot.peers if peer.verify_origin_server is False])


def remind(session: Session, cluster: str, off: Sequence[str]) -> None:
    """Say on stderr that the workaround is on, where it is, and what ends it. `off`: peers with verification off."""
    if off:
        session.say(
            f"{cluster}: the workaround is on, so any certificate is accepted by {', '.join(off)}, a forged one too; once `remediate "
            f"verify` is good, end it: `remediate workaround off -i INVENTORY -c {cluster}`."
        )


def remind_from_journal(session: Session) -> None:
    """The same for commands that look at no cluster: as far as the switch was turned from this state directory, if there is one."""
    from remediate.executor.journal.switches import find_workarounds_left_on
    from remediate.model.errors import UsageError

    try:
        left = find_workarounds_left_on(session.state_dir)
    except UsageError:  # no home directory, which is no error where nothing was to be written or read there
        return
    for cluster, switches in left.items():
        peers = ", ".join(switch.peer for switch in switches)
        session.say(
            f"{cluster}: the workaround may be on, as it was last turned from here: verification {switches[-1]} ({peers})."
        )


def read_authorities(session: Session, paths: Iterable[Path]) -> tuple[Certificate, ...]:
    """Return the certificates in `paths`, and say which files hold none. Raises InventoryError, CertificateError."""
    from remediate.connectors.authorities import read_authorities as read

    authorities = read(paths)
    for sentence in authorities.passed_over:
        session.say(f"Not used: {sentence}")
    return authorities.certificates


def with_authorities(snapshot: Snapshot, authorities: Sequence[Certificate]) -> Snapshot:
    """Return `snapshot` with `authorities` available and vouched for."""
    from dataclasses import replace

    known = {authority.fingerprint: authority for authority in authorities}
    return replace(
        snapshot,
        available_ca=tuple(dict.fromkeys((*snapshot.available_ca, *known))),
        vouched_for=snapshot.vouched_for | known.keys(),
        certificates={**snapshot.certificates, **known},
    )
