"""A process that applies the plan to the lab, or rolls it back, and kills itself, without a word, at a given point.

Usage: python -m tests.torture.victim HOME VERB POINT. Without so many points (0: none) it ends with the exit code of its work.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from remediate.executor.apply import apply_plan
from remediate.executor.rollback import rollback
from remediate.inventory import load
from remediate.model.plan import Plan
from tests.torture.bench import QUICK, options_in
from tests.torture.tapped import tapped_environment


def main(home: Path, verb: str, point: int) -> int:
    """Do it, and die at `point`."""
    passed = 0

    def tap(_point: str) -> None:
        nonlocal passed
        passed += 1
        if passed == point:
            os.kill(os.getpid(), signal.SIGKILL)

    cluster, environment = load(home / "lab" / "inventory.yml")[0], tapped_environment(tap, home / "locks")
    state_dir = (home / "state-now").readlink()
    if verb == "rollback":
        return rollback("last", cluster, state_dir=state_dir, limits=QUICK, environment=environment).exit_code
    plan = Plan.from_json((home / "plan.json").read_text())
    return apply_plan(plan, cluster, options_in(home), state_dir=state_dir, limits=QUICK, environment=environment).exit_code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
