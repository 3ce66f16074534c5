"""The notices that a cluster's `notify` command gets: one JSON document on its standard input, `remediate.notice/1`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from remediate.machine.files import read_regular_file
from remediate.machine.notice import TIMEOUT_S, deliver_notice
from remediate.machine.private_files import make_file_name, make_private_folder, write_private_file
from remediate.model.canonical import canonical_json, rfc3339, sha256_of

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from remediate.cli.session import Session
    from remediate.executor.result import RunResult
    from remediate.model.access import ClusterAccess
    from remediate.model.snapshot import Snapshot

EXPIRES_WITHIN: Final = timedelta(days=30)
_MAX_DIGEST_BYTES: Final = 200


def notify_of_run(session: Session, cluster: ClusterAccess, result: RunResult, *, kind: str, at: datetime) -> None:
    """Give the cluster's command a notice of a run that ended; nothing where there is no command, or no run began.

    Args:
        session: The command line, which reports a command that failed.
        cluster: The cluster, whose inventory names the command.
        result: The end of the run.
        kind: ``apply``, ``rollback``, ``restart`` or ``workaround``.
        at: The moment of the notice.
    """
    from remediate.model.effect import effects_json

    if cluster.notify and result.run_id:
        details = {
            "run": result.run_id,
            "run_kind": kind,
            "state": result.state,
            "exit_code": int(result.exit_code),
            "message": result.message,
            "in_effect": effects_json(result.effects),
        }
        send_notice(session, cluster, "run-ended", details, at=at)


def send_notice(
    session: Session,
    cluster: ClusterAccess,
    kind: str,
    details: Mapping[str, Any],
    *,
    at: datetime,
    timeout_s: float = TIMEOUT_S,
) -> bool:
    """Run the cluster's command with a notice on its standard input; return whether it ended well.

    A command that fails or takes longer than `timeout_s` changes no exit code.
    """
    notice = {"kind": kind, "cluster": cluster.name, "at": rfc3339(at), **details}
    problem = deliver_notice(cluster.notify, notice, timeout_s)
    if not problem:
        return True
    session.say(f"{cluster.name}: the `notify` command {cluster.notify[0]} {problem}. Nothing else is affected.")
    return False


def notify_of_changes(session: Session, cluster: ClusterAccess, snapshot: Snapshot, *, at: datetime) -> None:
    """Give the cluster's command a notice where lists drifted apart, or what a check relies on ends soon: once for one finding.

    The last notice is kept in the state directory, so that a job every five minutes does not repeat itself. A notice that the command
    did not take is sent again by the next look.
    """
    from remediate.planner.certificates import make_overview

    if not cluster.notify:
        return
    overview = make_overview(snapshot)
    drift = {
        str(entry.certificate): {"held_by": list(entry.held_by), "missing_on": list(entry.missing_on)}
        for entry in overview.drift
    }
    expiry = {
        str(certificate.fingerprint): {"common_name": certificate.certificate.common_name, "ends": rfc3339(certificate.ends)}
        for certificate in overview.expiring(EXPIRES_WITHIN)
        if certificate.relied_on_by and certificate.ends is not None
    }
    for kind, findings in (("drift", drift), ("expiry", expiry)):
        sent_file = session.state_dir / "notices" / make_file_name(f"{cluster.name}.{kind}")
        digest = sha256_of(canonical_json(findings))
        if (
            findings
            and _read_sent(sent_file) != digest
            and send_notice(session, cluster, kind, {"certificates": findings}, at=at)
        ):
            _keep_sent(session, sent_file, digest)


def _read_sent(file: Path) -> str | None:
    """Return the digest of what was sent last; None where nothing was, or that cannot be read: it is then sent again."""
    try:
        return read_regular_file(file, _MAX_DIGEST_BYTES).decode("ascii", errors="replace").strip()
    except OSError:
        return None


def _keep_sent(session: Session, file: Path, digest: str) -> None:
    try:
        make_private_folder(file.parent)
        write_private_file(file, f"{digest}\n")
    except OSError as error:
        session.say(f"{file} cannot be written ({error.strerror}), so the same notice will be sent again.")
