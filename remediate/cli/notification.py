"""The notices that a cluster's `notify` command gets: one JSON document on its standard input, `remediate.notice/1`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from remediate.model.canonical import rfc3339

if TYPE_CHECKING:
    from datetime import datetime

    from remediate.cli.session import Session
    from remediate.executor.result import RunResult
    from remediate.model.access import ClusterAccess

NOTICE_FORMAT: Final = "remediate.notice/1"
TIMEOUT_S: Final = 60.0


def notify_of_run(session: Session, cluster: ClusterAccess, result: RunResult, *, kind: str, at: datetime) -> None:
    """Give the cluster's command a notice of a run that ended; nothing where there is no command, or no run came to be.

    Args:
        session: The command line, which says where the command failed.
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


def send_notice(session: Session, cluster: ClusterAccess, kind: str, details: Mapping[str, Any], *, at: datetime) -> bool:
    """Run the cluster's command with a notice on its standard input; return whether it ended well.

    No shell is involved, secrets are masked, and a command that fails or takes longer than a minute changes no exit code.
    """
    from remediate.model.masking import mask

    notice = {"format": NOTICE_FORMAT, "kind": kind, "cluster": cluster.name, "at": rfc3339(at), **details}
    document = mask(json.dumps(notice, sort_keys=True, ensure_ascii=False)) + "\n"
    try:
        completed = subprocess.run(
            cluster.notify,
            input=document.encode(errors="backslashreplace"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            check=False,
        )
    except OSError as error:
        problem = f"cannot be run: {error.strerror}"
    except subprocess.TimeoutExpired:
        problem = f"took longer than {TIMEOUT_S:.0f} s, and was ended"
    else:
        if completed.returncode == 0:
            return True
        problem = f"ended with exit code {completed.returncode}"
    session.say(f"{cluster.name}: the `notify` command {cluster.notify[0]} {problem}. Nothing else depends on it.")
    return False
