"""The exact commands that go on with a run, or undo it."""

from __future__ import annotations

import shlex
from pathlib import Path

from remediate.model.access import ClusterAccess


def rollback_command(run: str, cluster: ClusterAccess, state_dir: Path) -> str:
    """The exact command that undoes `run`, from whatever folder it is typed in."""
    where = ["-i", str(cluster.source.absolute()), "-c", cluster.name, "--state-dir", str(state_dir.absolute())]
    return shlex.join(["remediate", "rollback", run, *where])


def confirm_command(run: str, state_dir: Path) -> str:
    """The exact command that confirms `run`, from whatever folder it is typed in."""
    return shlex.join(["remediate", "confirm", run, "--state-dir", str(state_dir.absolute())])


def go_on_undoing(run: str, cluster: ClusterAccess, state_dir: Path) -> str:
    """One sentence with the way on from a rollback that was left before its end."""
    return f"Roll back again to go on: {rollback_command(run, cluster, state_dir)}"


def recovery_commands(run: str, cluster: ClusterAccess, state_dir: Path) -> str:
    """One sentence with both ways out of a run that was left before its end."""
    return f"Apply the same plan again to go on, or undo with: {rollback_command(run, cluster, state_dir)}"
