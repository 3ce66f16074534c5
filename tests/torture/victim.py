"""A process that applies the plan to the lab, rolls it back or restarts a peer, and kills itself, without a word, at a given point."""

from __future__ import annotations

import os
import re
import signal
import sys
from datetime import timedelta
from pathlib import Path

from remediate.executor.apply import apply_plan
from remediate.executor.restart_choice import RestartRequest
from remediate.executor.restart_run import restart
from remediate.executor.result import ApplyOptions, RestartOptions
from remediate.executor.rollback import rollback
from remediate.inventory import load
from remediate.model.access import ClusterAccess
from remediate.model.identity import Fingerprint
from remediate.model.limits import Limits
from remediate.model.plan import Plan
from tests.executor.clusters import approvals_of
from tests.torture.tapped import tapped_environment

QUICK = Limits(
    shell_quiet_s=0.05,
    read_pause_s=0.05,
    write_seen_s=2,
    write_seen_poll_s=0.1,
    replication_poll_s=0.05,
    restart_s=30,
    restart_poll_s=0.05,
    restart_settle_s=0.1,
    drain_poll_s=0.05,
    effect_poll_s=0.1,
    after_restart_s=5,
    sign_in_window_s=1,
)
"""The lab shows a write at once, so what a killed process never sent need not be looked for longer."""


def options_in(home: Path) -> ApplyOptions:
    """What the operator chooses: the fingerprints that were read on the consoles are approved."""
    console = re.findall("sha256:[0-9a-f]{64}", (home / "lab" / "pki" / "seen-on-console.txt").read_text())
    return ApplyOptions(approvals=approvals_of(*map(Fingerprint, console)))


def request_for(cluster: ClusterAccess) -> RestartRequest:
    """What the operator asks for: the primary alone, drained."""
    return RestartRequest((cluster.peers[0].address,), restarts=RestartOptions("drain", timedelta(seconds=10)))


def work(home: Path, verb: str, point: int) -> None:
    """Do it, and die at `point`; without so many points (0: none) end with the exit code of the work."""
    passed = 0

    def tap(_point: str) -> None:
        nonlocal passed
        passed += 1
        if passed == point:
            os.kill(os.getpid(), signal.SIGKILL)

    with (home / "victim.log").open("w") as log:
        os.dup2(log.fileno(), sys.stdout.fileno())
        os.dup2(log.fileno(), sys.stderr.fileno())
    cluster, environment = load(home / "lab" / "inventory.yml")[0], tapped_environment(tap, home / "locks")
    state_dir = (home / "state-now").readlink()
    if verb == "rollback":
        result = rollback("last", cluster, state_dir=state_dir, limits=QUICK, environment=environment)
    elif verb == "restart":
        result = restart(cluster, request_for(cluster), state_dir=state_dir, limits=QUICK, environment=environment)
    else:
        plan = Plan.from_json((home / "plan.json").read_text())
        result = apply_plan(plan, cluster, options_in(home), state_dir=state_dir, limits=QUICK, environment=environment)
    sys.exit(result.exit_code)
