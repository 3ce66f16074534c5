"""The exact commands that go on with a run, or undo it."""

from __future__ import annotations

import shlex
from pathlib import Path

from remediate.model.access import ClusterAccess


def recovery_commands(run: str, cluster: ClusterAccess, state_dir: Path) -> str:
    """One sentence with both ways out of a run that was left before its end."""
    where = shlex.join(["-i", str(cluster.source), "-c", cluster.name, "--state-dir", str(state_dir)])
    return f"Apply the same plan again to go on, or undo with: remediate rollback {run} {where}"
