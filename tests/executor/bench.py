"""A running lab with an operator in front of it, for tests of runs over the real protocols."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from remediate.connectors.collect import collect
from remediate.executor.apply import apply_plan
from remediate.executor.environment import Environment
from remediate.executor.result import ApplyOptions, RunResult
from remediate.executor.rollback import rollback
from remediate.inventory import load
from remediate.lab import Lab
from remediate.model.access import ClusterAccess
from remediate.model.identity import Fingerprint
from remediate.model.limits import Limits
from remediate.model.plan import Plan, Policy
from remediate.planner import make_plan
from tests.executor.clusters import approvals_of

QUICK = Limits(
    replication_poll_s=0.1,
    restart_poll_s=0.05,
    restart_s=30,
    restart_settle_s=0.1,
    write_seen_s=2,
    write_seen_poll_s=0.2,
    read_pause_s=0.05,
    effect_s=0.2,
    after_restart_s=20,
    effect_poll_s=0.1,
    sign_in_again_s=0.6,
)


class Bench:
    """A running lab with an operator in front of it."""

    def __init__(
        self,
        home: Path,
        scenario: str,
        stack: ExitStack,
        judge: bool | None = False,
        *,
        reloads: bool = True,
        times: int = 1,
    ) -> None:
        """Start a lab; `times`: with so many times the peers of its scenario."""
        self.home = home
        lab = Lab(home / "lab", scenario=scenario, judge=judge)
        trusted = lab.scenario.trusted * times
        lab.scenario = replace(lab.scenario, reloads_by_itself=reloads, trusted=trusted)
        self.lab = stack.enter_context(lab)
        self.cluster: ClusterAccess = load(self.lab.inventory)[0]
        console = self.lab.approvals.read_text() if self.lab.approvals.exists() else ""
        self.approved = frozenset(Fingerprint(fingerprint) for fingerprint in re.findall("sha256:[0-9a-f]{64}", console))
        self.environment = Environment(lock_directory=home / "locks")

    def plan(self, policy: Policy | None = None, **every_peer: str) -> Plan:
        snapshot = collect(self.cluster, limits=QUICK)
        peers = tuple(replace(peer, **every_peer) for peer in snapshot.peers)  # type: ignore[arg-type]  # a field of Peer
        return make_plan(replace(snapshot, peers=peers), policy or self.cluster.policy)

    def apply(self, plan: Plan, *, restart: str = "if-needed", dry_run: bool = False) -> RunResult:
        options = ApplyOptions(dry_run=dry_run, approvals=approvals_of(*self.approved), restart=restart)  # type: ignore[arg-type]  # a literal
        return apply_plan(
            plan, self.cluster, options, state_dir=self.home / "state", limits=QUICK, environment=self.environment
        )

    def rollback(self) -> RunResult:
        return rollback("last", self.cluster, state_dir=self.home / "state", limits=QUICK, environment=self.environment)

    def lists(self) -> list[tuple[Fingerprint, ...]]:
        return [tuple(certificate.fingerprint for certificate in peer.trusted) for peer in self.lab.peers]

    def asked_of(self, peer: str) -> list[str]:
        """What the lab's log says of one peer: each client's request by its target, and each restart."""
        requests = [
            request
            for request in self.lab.requests
            if request.peer == peer and (request.transport == "mra" or request.path.endswith("/restart"))
        ]
        return [request.path.rpartition("/https/")[2] for request in requests]
