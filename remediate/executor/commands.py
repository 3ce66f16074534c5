"""The exact commands that a person types next: to resume a run, to undo it, to confirm it, or to restart peers."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

from remediate.model.access import ClusterAccess
from remediate.model.identity import Address


def rollback_command(run: str, cluster: ClusterAccess, state_dir: Path) -> str:
    """Return the exact command that undoes `run`, from whatever folder it is typed in."""
    return shlex.join(["remediate", "rollback", run, *_choose_cluster(cluster, state_dir)])


def restart_command(peers: Iterable[Address], cluster: ClusterAccess, state_dir: Path) -> str:
    """Return the exact command that restarts `peers`, from whatever folder it is typed in."""
    chosen = [word for peer in peers for word in ("--peer", peer)]
    return shlex.join(["remediate", "restart", *_choose_cluster(cluster, state_dir), *chosen])


def confirm_command(run: str, state_dir: Path) -> str:
    """Return the exact command that confirms `run`, from whatever folder it is typed in."""
    return shlex.join(["remediate", "confirm", run, "--state-dir", str(state_dir.absolute())])


def resume_rollback_command(run: str, cluster: ClusterAccess, state_dir: Path) -> str:
    """Return the sentence with the command that resumes a rollback."""
    return f"Roll back again to continue: `{rollback_command(run, cluster, state_dir)}`"


def recovery_commands(run: str, cluster: ClusterAccess, state_dir: Path) -> str:
    """Return the sentence with the commands that resume a run, or undo it."""
    return f"Apply the same plan again to continue, or undo with: `{rollback_command(run, cluster, state_dir)}`"


def _choose_cluster(cluster: ClusterAccess, state_dir: Path) -> list[str]:
    return ["-i", str(cluster.source.absolute()), "-c", cluster.name, "--state-dir", str(state_dir.absolute())]
