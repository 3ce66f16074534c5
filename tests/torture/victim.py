"""A process that applies the plan to the lab and kills itself, without a word, at a given point.

Usage: python -m tests.torture.victim HOME POINT. Without so many points it ends with the exit code of the apply.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from pathlib import Path

from remediate.executor.apply import apply_plan
from remediate.executor.result import ApplyOptions
from remediate.inventory import load
from remediate.model.identity import Fingerprint
from remediate.model.plan import Plan
from tests.torture.bench import QUICK
from tests.torture.tapped import tapped_world


def main(home: Path, point: int) -> int:
    """Apply, and die at `point`."""
    passed = 0

    def tap(_what: str) -> None:
        nonlocal passed
        passed += 1
        if passed == point:
            os.kill(os.getpid(), signal.SIGKILL)

    cluster = load(home / "lab" / "inventory.yml")[0]
    plan = Plan.from_json((home / "plan.json").read_text())
    console = re.findall("sha256:[0-9a-f]{64}", (home / "lab" / "pki" / "seen-on-console.txt").read_text())
    options = ApplyOptions(approved=frozenset(Fingerprint(one) for one in console))
    state_dir = (home / "state-now").readlink()
    return apply_plan(
        plan, cluster, options, state_dir=state_dir, limits=QUICK, world=tapped_world(tap, home / "locks")
    ).exit_code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
