"""A lab with an operator in front of it whose machine dies: work in a process that is killed, then find out what is true."""

from __future__ import annotations

import multiprocessing
import shutil
import signal
import time
from dataclasses import dataclass, replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Literal

from remediate.connectors.collect import collect
from remediate.executor.apply import apply_plan
from remediate.executor.changes import find_cipher_lists
from remediate.executor.journal.restarts import load_open_maintenance
from remediate.executor.journal.store import Journal
from remediate.executor.restart_run import restart
from remediate.executor.result import RunResult
from remediate.executor.rollback import rollback
from remediate.inventory import load
from remediate.lab import Lab
from remediate.lab.condition import Condition
from remediate.lab.scenario import Removal
from remediate.lab.state import PublisherEntry
from remediate.model.certificate import Certificate
from remediate.model.identity import Fingerprint
from remediate.model.plan import TrustCertificate
from remediate.planner import make_plan
from tests.torture.tapped import tapped_environment
from tests.torture.victim import QUICK, options_in, request_for, work

LONGEST_S = 120
FORKED = multiprocessing.get_context("forkserver")
"""Each victim is a process of its own, forked from one without threads that has imported everything: a second less for each."""
FORKED.set_forkserver_preload(["tests.torture.victim"])

Verb = Literal["apply", "rollback", "restart"]
State = list[tuple[tuple[Fingerprint, ...], dict[str, str]]]


@dataclass(frozen=True)
class Kept:
    """The peers' lists, configurations and conditions, and a state directory (None: an empty one), to begin rounds from."""

    peers: tuple[tuple[list[Certificate], dict[str, str], list[PublisherEntry], Condition], ...]
    journal: Path | None


class Bench:
    """The lab's story, with devices that offer removal, so that a rollback needs nobody's hands.

    Attributes:
        begins: what rounds begin from: the untouched cluster for a kill of an apply, the healed one for a kill of a rollback.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.lab = Lab(home / "lab", judge=False)
        self.lab.scenario = replace(self.lab.scenario, removal=Removal.FINGERPRINT, reloads_by_itself=True)
        self.lab.start()
        self.cluster = load(self.lab.inventory)[0]
        self.plan = make_plan(collect(self.cluster, limits=QUICK), self.cluster.policy)
        (home / "plan.json").write_text(self.plan.to_json())
        (home / "victim.log").touch()
        self.start = self.state()
        self.begins: dict[Verb, Kept] = {"apply": self._save_state(None)}
        self.fresh("apply")
        assert self.apply().exit_code in {10, 11}
        shutil.copytree(self.state_dir, home / "applied")
        self.begins["rollback"] = self.begins["restart"] = self._save_state(home / "applied")

    def state(self) -> State:
        """What every peer holds: its trusted CA list and its cipher lists."""
        self.lab.cluster.settle()
        return [(tuple(certificate.fingerprint for certificate in peer.trusted), dict(peer.ciphers)) for peer in self.lab.peers]

    def as_planned(self) -> State:
        """What every peer must hold once the plan was applied."""
        ciphers = {name: str(value) for name, value in find_cipher_lists(self.plan).items()}
        return [
            ((*trusted, *self.added(peer.address)), lists | ciphers)
            for peer, (trusted, lists) in zip(self.lab.peers, self.start, strict=True)
        ]

    def fresh(self, verb: Verb) -> None:
        """Peers, state directory, request log and sign-ins of clients as they are where a `verb` begins."""
        self.lab.cluster.settle()
        state = self.begins[verb]
        for peer, (trusted, leaves, publishers, condition) in zip(self.lab.peers, state.peers, strict=True):
            peer.trusted[:], peer.leaves, peer.publishers[:] = trusted, dict(leaves), publishers
            peer.condition, peer.restarts = condition.copy(), 0
        if verb == "restart":
            primary = self.lab.peers[0].condition
            primary.ordinary_calls, primary.drain_s = 2, 0.3
        self.state_dir = self.home / f"state-{len(list(self.home.glob('state-*')))}"
        if state.journal:
            # The lab forgets the sign-ins of clients with each round.
            shutil.copytree(state.journal, self.state_dir, ignore=shutil.ignore_patterns("sign-ins"))
        (self.home / "state-now").unlink(missing_ok=True)
        (self.home / "state-now").symlink_to(self.state_dir)
        self.lab.requests.clear()
        self.lab.requests.outages.clear()
        self.lab.forget_clients()

    def killed_at(self, verb: Verb, point: int) -> bool:
        """Work in a process that is killed at its `point`; whether it lived to be killed."""
        return self._was_killed(self._start(verb, point))

    def killed_after(self, verb: Verb, seconds: float) -> bool:
        """Work in a process that is killed at this moment; whether it lived to be killed."""
        process = self._start(verb, 0)
        time.sleep(seconds)
        process.kill()
        return self._was_killed(process)

    def seconds(self, verb: Verb) -> float:
        """How long a process that nobody kills takes."""
        self.fresh(verb)
        started = time.monotonic()
        assert not self.killed_at(verb, 0)
        return time.monotonic() - started

    def apply(self) -> RunResult:
        """Apply the plan in this process."""
        environment = tapped_environment(lambda _point: None, self.home / "locks")
        return apply_plan(
            self.plan, self.cluster, options_in(self.home), state_dir=self.state_dir, limits=QUICK, environment=environment
        )

    def restart(self) -> RunResult:
        """Restart the primary in this process."""
        environment = tapped_environment(lambda _point: None, self.home / "locks")
        return restart(self.cluster, request_for(self.cluster), state_dir=self.state_dir, limits=QUICK, environment=environment)

    def out_of_service(self) -> list[str]:
        """What is not as before the restarts of a round: maintenance mode, the journal's record of it, calls, zones and tunnels."""
        with Journal(self.state_dir) as journal:
            problems = [f"the journal says: {record}" for record in load_open_maintenance(journal, self.cluster.name)]
        for peer in self.lab.peers:
            condition = peer.condition
            facts = {
                "maintenance mode is on": condition.maintenance,
                "calls were cut": condition.cut_calls > 0,
                "clients do not get through": not condition.reaches_clients,
            }
            problems += [f"{peer.address}: {words}" for words, is_so in facts.items() if is_so]
        if self.lab.requests.most_away_at_once > 1:
            problems.append("two peers were away at once")
        return problems

    def undo(self) -> RunResult | None:
        """Roll the last run back, if the journal knows one."""
        if not Journal(self.state_dir).runs():
            return None
        environment = tapped_environment(lambda _point: None, self.home / "locks")
        return rollback("last", self.cluster, state_dir=self.state_dir, limits=QUICK, environment=environment)

    def added(self, peer: str) -> tuple[Fingerprint, ...]:
        """What the plan adds on one peer, in its order."""
        return tuple(
            action.certificate for action in self.plan.actions if isinstance(action, TrustCertificate) and peer in action.peers
        )

    def _save_state(self, journal: Path | None) -> Kept:
        self.lab.cluster.settle()
        peers = tuple(
            (list(peer.trusted), dict(peer.leaves), list(peer.publishers), peer.condition.copy()) for peer in self.lab.peers
        )
        return Kept(peers, journal)

    def _start(self, verb: Verb, point: int) -> BaseProcess:
        process = FORKED.Process(target=work, args=(self.home, verb, point))
        process.start()
        return process

    def _was_killed(self, process: BaseProcess) -> bool:
        process.join(LONGEST_S)
        code = process.exitcode
        if code not in {-signal.SIGKILL, 0, 10, 11}:
            process.kill()
            raise AssertionError(f"the process ended with {code}: {(self.home / 'victim.log').read_text()[-2000:]}")
        return code == -signal.SIGKILL
