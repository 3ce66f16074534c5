"""A lab with an operator in front of it whose machine dies: apply in a process that kills itself, then find out what is true."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from remediate.connectors.collect import collect
from remediate.executor.apply import apply_plan
from remediate.executor.journal import Journal
from remediate.executor.result import ApplyOptions, RunResult
from remediate.executor.rollback import rollback
from remediate.inventory import load
from remediate.lab import Lab
from remediate.model.identity import Fingerprint
from remediate.model.limits import Limits
from remediate.model.plan import SetCiphers, TrustCertificate
from remediate.planner import make_plan
from tests.torture.tapped import tapped_world

QUICK = Limits(replication_poll_s=0.05, restart_poll_s=0.05, restart_s=30, read_pause_s=0.05)
ROOT = Path(__file__).parents[2]

State = list[tuple[tuple[Fingerprint, ...], dict[str, str]]]


@dataclass
class Tally:
    """What came of it all; `lost` and `repeated` must stay 0."""

    kills: int = 0
    finished: int = 0
    undone: int = 0
    lost: int = 0
    repeated: int = 0


class Bench:
    """The lab's story, with boxes that offer removal, so that a rollback needs nobody's hands."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.lab = Lab(home / "lab", judge=False)
        self.lab.scenario = replace(self.lab.scenario, offers_removal=True)
        self.lab.start()
        self.cluster = load(self.lab.inventory)[0]
        console = re.findall("sha256:[0-9a-f]{64}", self.lab.approvals.read_text())
        self.options = ApplyOptions(approved=frozenset(Fingerprint(one) for one in console))
        self.plan = make_plan(collect(self.cluster, limits=QUICK), self.cluster.policy)
        (home / "plan.json").write_text(self.plan.to_json())
        self.start = self.state()
        self.state_dir = home / "state"

    def state(self) -> State:
        """What every peer holds: its trusted CA list and its cipher lists."""
        self.lab.cluster.settle()
        return [(tuple(one.fingerprint for one in peer.trusted), dict(peer.ciphers)) for peer in self.lab.peers]

    def healed(self) -> State:
        """What every peer holds once the plan was applied."""
        ciphers = {one.name: str(one.after) for one in self.plan.actions if isinstance(one, SetCiphers)}
        return [
            ((*trusted, *self._added(peer.address)), lists | ciphers)
            for peer, (trusted, lists) in zip(self.lab.peers, self.start, strict=True)
        ]

    def _added(self, peer: str) -> tuple[Fingerprint, ...]:
        return tuple(one.certificate for one in self.plan.actions if isinstance(one, TrustCertificate) and peer in one.peers)

    def killed_at(self, point: int) -> bool:
        """Apply in a process that is killed at its `point`; whether it lived to be killed."""
        command = [sys.executable, "-m", "tests.torture.victim", str(self.home), str(point)]
        ended = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, timeout=120, env=dict(os.environ))
        if ended.returncode not in {-signal.SIGKILL, 0, 10}:
            raise AssertionError(f"the apply ended with {ended.returncode}: {ended.stderr.decode()[-2000:]}")
        return ended.returncode == -signal.SIGKILL

    def apply(self) -> RunResult:
        """Apply the plan in this process."""
        world = tapped_world(lambda _point: None, self.home / "locks")
        return apply_plan(self.plan, self.cluster, self.options, state_dir=self.state_dir, limits=QUICK, world=world)

    def undo(self) -> RunResult | None:
        """Roll the run back, if the journal knows one."""
        if not Journal(self.state_dir).runs():
            return None
        world = tapped_world(lambda _point: None, self.home / "locks")
        return rollback("last", self.cluster, state_dir=self.state_dir, limits=QUICK, world=world)

    def fresh(self) -> None:
        """A new state directory and an empty request log, on a cluster that is as it was at the start."""
        self.state_dir = self.home / f"state-{len(list(self.home.glob('state-*')))}"
        (self.home / "state-now").unlink(missing_ok=True)
        (self.home / "state-now").symlink_to(self.state_dir)
        self.lab.requests.clear()

    def repeated(self) -> int:
        """How many writes went out more often than the plan needs."""
        uploads = Counter(
            one.peer
            for one in self.lab.requests.writes
            if one.transport == "rest" and one.method == "POST" and "certs" in one.path
        )
        allowed = {peer.address: len(self._added(peer.address)) for peer in self.lab.peers}
        sets = sum(one.transport == "ssh" for one in self.lab.requests.writes)
        ciphers = sum(isinstance(one, SetCiphers) for one in self.plan.actions)
        return sum(max(0, count - allowed[peer]) for peer, count in uploads.items()) + max(0, sets - ciphers)


def kill_once(bench: Bench, point: int, tally: Tally, *, finish: bool) -> bool:
    """One round: killed at `point`, then (finished and) undone by another process; whether there was such a point."""
    bench.fresh()
    alive = bench.killed_at(point)
    tally.kills += alive
    if finish:
        assert bench.apply().exit_code == 10, point
        tally.finished += 1
        tally.lost += bench.state() != bench.healed()
        tally.repeated += bench.repeated()
    bench.undo()
    tally.undone += 1
    tally.lost += bench.state() != bench.start
    return alive
