"""Plays a history on a cluster in memory, over the real executor and a real journal, and asks the laws after every operation."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from remediate.executor.confirm_timer import confirm
from remediate.executor.journal.timers import find_active, is_due
from remediate.executor.ports import WatcherJob, WatcherProcess
from remediate.executor.restart_choice import RestartRequest
from remediate.executor.restart_run import restart
from remediate.executor.result import RestartOptions, RunResult
from remediate.executor.rollback_restart import RollbackRestarts
from remediate.formats import plan_document, plan_id
from remediate.model.certificate import Certificate
from remediate.model.errors import LockHeld, RemediateError
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import Address, CipherList
from remediate.model.plan import Plan, SetCiphers, TrustCertificate
from remediate.model.run import Run
from tests.executor.clock import Clock
from tests.executor.clusters import CIPHERS, plan_for, story
from tests.executor.conftest import Desk
from tests.executor.lies import Lies
from tests.executor.memory import MemoryCluster, Write, no_tap
from tests.executor.memory_device import Device
from tests.executor.tapped import Crash
from tests.histories.chronicle import NOBODY, Ledger, make_ledger
from tests.histories.draw import Disturbance, History, Lie, Load, Operation
from tests.histories.somebody import Somebody
from tests.histories.timer import TimerProcess
from tests.pki import NOW, issue

_LONG_ENOUGH = 30
"""Pauses after which everything is replicated."""
_WITHIN = timedelta(minutes=15)
_BETWEEN_S = 90
"""Between two operations where the time of a start counts: a restart and what follows it are never in one second."""
_A_WHILE_S = 1000


@dataclass(frozen=True)
class Outcome:
    """What an operation came to: a result, an error, or nothing, when its process was killed or had nothing to do (`idle`)."""

    operation: Operation
    result: RunResult | None = None
    error: Exception | None = None
    idle: bool = False

    def __str__(self) -> str:
        if self.result:
            return f"{self.operation.verb}: {self.result.state}, exit code {self.result.exit_code}: {self.result.message}"
        idle_text = "nothing to do" if self.idle else "killed"
        return f"{self.operation.verb}: {type(self.error).__name__ + ': ' + str(self.error) if self.error else idle_text}"


@dataclass(frozen=True)
class Before:
    """How it stood when an operation began; `armed`: the run that a timer was to undo, and `due`: its deadline had passed."""

    ledger: Ledger
    lines: int
    down: frozenset[Address]
    armed: Run | None
    due: bool
    cut_calls: int


KEPT = issue("a root that nobody touches", ca=True)


def cluster_of(peers: int) -> MemoryCluster:
    """The story on so many peers, each of which trusts one more certificate, that stays whatever happens: no list is ever empty."""
    cluster = story(peers)
    for device in cluster.devices:
        device.trusted.insert(1, KEPT.certificate)
    return cluster


@cache
def plan_of(peers: int) -> Plan:
    """The plan for the story on so many peers; in an order that does not depend on fingerprints, or no seed could be replayed."""
    plan = plan_for(cluster_of(peers))

    def place(action: object) -> tuple[bool, str]:
        trust = isinstance(action, TrustCertificate)
        return (
            not trust,
            plan.certificates[action.certificate].common_name or "" if isinstance(action, TrustCertificate) else "",
        )

    ordered = replace(plan, actions=tuple(sorted(plan.actions, key=place)))
    return replace(ordered, id=plan_id(plan_document(ordered)))


def is_away(device: Device) -> bool:
    """Whether a device takes no calls: it restarts, its links are not back, or it is in maintenance mode."""
    links = {**(device.health.zones or {}), **(device.health.tunnels or {})}
    return bool(device.down_for or device.links_late_for or device.health.maintenance) or not all(links.values())


def connect(device: Device) -> None:
    """Bring the zones and tunnels of a device up."""
    device.health = replace(
        device.health,
        zones=dict.fromkeys(device.health.zones or (), True),
        tunnels=dict.fromkeys(device.health.tunnels or (), True),
    )


@dataclass(frozen=True)
class ClusterClock(Clock):
    """The one clock of a story in which the time of a start counts."""

    cluster: MemoryCluster

    def __call__(self) -> datetime:
        return self.cluster.now()

    def go_on(self, seconds: float) -> None:
        self.cluster.elapsed_s += seconds


@dataclass
class Player:
    """One cluster, one operator's machine, and the chronicle of both."""

    history: History
    desk: Desk
    outcomes: list[Outcome] = field(default_factory=list)
    runs: dict[int, str] = field(default_factory=dict)
    came_up: set[Address] = field(default_factory=set)
    watches: list[WatcherJob] = field(default_factory=list)
    watch: WatcherJob | None = None
    clock: Clock = field(default_factory=lambda: Clock(NOW))
    _points: int = 0
    _due: tuple[Disturbance, ...] = ()
    _lie: Lie | None = None
    _readings: int = 0
    _list_writes: int = 0
    _lies: Lies | None = None

    def __post_init__(self) -> None:
        self.plan = plan_of(self.history.peers)
        self.cluster = cluster_of(self.history.peers)
        if self.history.waits:
            self.clock = ClusterClock(self.cluster)
            for device in self.cluster.run_since_long().devices:
                device.front, device.loaded = self.history.asks, list(device.trusted)
        self._honest_start = Lies.of(self.cluster.devices).start
        self.cluster.shows = self._show
        self.cluster.lag = self.history.lag
        self.start = {
            device.address: [certificate.fingerprint for certificate in device.trusted] for device in self.cluster.devices
        }
        self.after = next(action.after for action in self.plan.actions if isinstance(action, SetCiphers))
        self.somebody = Somebody(self.cluster, self.plan, self._nobodys)

    def ledger(self) -> Ledger:
        """The chronicle so far, told anew."""
        refused = sum(fault == "refuse-done" for operation in self.history.operations for fault in operation.faults.values())
        return make_ledger(self.start, (CIPHERS, self.after), self.cluster.writes, self.runs, refused)

    def before(self) -> Before:
        down = frozenset(device.address for device in self.cluster.devices if not device.up)
        armed = self.armed()
        is_overdue = armed is not None and is_due(armed, self.clock())
        return Before(self.ledger(), len(self.cluster.writes), down, armed, is_overdue, self.cut_calls())

    def armed(self) -> Run | None:
        """The run that a confirm timer is to undo."""
        with self.desk.journal() as journal:
            return find_active(journal, self.cluster.access.name)

    def do(self, operation: Operation) -> Outcome | None:
        """Do one operation; None when it is none of ours."""
        devices = self.cluster.devices
        match operation.verb:
            case "somebody":
                self.somebody.act(operation.choice, between=True)
            case "down" | "up":
                devices[operation.choice % len(devices)].up = operation.verb == "up"
            case "wait":
                for device in devices:
                    connect(device)
                self.settle()
                self.clock.go_on(_A_WHILE_S)
            case "expire" if not self.watches:
                pass
            case _:
                return self._run(operation)
        return None

    def cut_calls(self) -> int:
        """How many calls restarts have cut so far."""
        return sum(device.cut_calls for device in self.cluster.devices)

    def settle(self) -> None:
        """Enough time goes by for everything to be replicated, and for what restarts to be back."""
        for device in self.cluster.devices:
            device.down_for = 0
        self._time_goes_by()

    def calm_down(self) -> None:
        """Nothing is down or late any more."""
        for device in self.cluster.devices:
            device.up = True
            connect(device)
        self.settle()

    def _run(self, operation: Operation) -> Outcome:
        number, cluster = len(self.outcomes), self.cluster
        cluster.writes.append(Write(NOBODY, f"operation {number} {operation.verb}"))
        cluster.faults = {
            cluster.sent_count + nth: fault.replace("session", "answer") for nth, fault in operation.faults.items()
        }
        cluster.breaks_shell = frozenset(
            cluster.sent_count + nth for nth, fault in operation.faults.items() if fault == "drop-session"
        )
        self._points, self._due, cluster.tap = 0, operation.disturbances, self._tap
        self._lie, self._readings, self._list_writes, self._lies = operation.lie, 0, 0, None
        self.came_up.clear()
        self._load(operation.load)
        if isinstance(self.clock, ClusterClock):
            self.clock.go_on(_BETWEEN_S)
        self.watch = self.watches.pop(operation.choice % len(self.watches)) if operation.verb == "expire" else None
        outcome = _outcome(operation, self._call(operation))
        cluster.tap, cluster.faults, self._lie = no_tap, {}, None
        for device in cluster.devices:
            device.down_for = device.links_late_for = 0
            device.health = replace(device.health, calls=0)
        self.outcomes.append(outcome)
        runs = [run for run in self.desk.journal().runs() if run.plan]
        self.runs[number] = self.watch.run if self.watch else runs[0].id if runs else ""
        return outcome

    def _load(self, load: Load | None) -> None:
        """Let one device carry calls, and come back from a restart late or without its tunnels, which then stay down for a while."""
        for device in self.cluster.devices:
            device.drains_after, device.links_late, device.keeps_down = 0, 0, frozenset()
        if load:
            device = self.cluster.devices[load.choice % len(self.cluster.devices)]
            device.health, device.drains_after = replace(device.health, calls=load.calls), load.drains_after
            device.links_late = load.links_late_for or 0
            device.keeps_down = frozenset(device.health.tunnels or ()) if load.links_late_for is None else frozenset()

    def _restart(self, operation: Operation) -> RunResult:
        device = self.cluster.devices[operation.choice % len(self.cluster.devices)]
        everywhere, peers = operation.restart == "rolling", (device.address,) if operation.restart == "if-needed" else ()
        request = RestartRequest(peers, everywhere, RestartOptions(operation.calls))
        environment = self.cluster.environment(
            lock_directory=self.desk.home / "locks", journal=self.desk.tapped_journal(self.cluster), now=self.clock
        )
        return restart(self.cluster.access, request, state_dir=self.desk.state_dir, environment=environment)

    def _call(self, operation: Operation) -> Callable[[], RunResult | None]:
        match operation.verb:
            case "rollback":
                restarts = RollbackRestarts(
                    operation.restart if self.history.waits else "never", RestartOptions(operation.calls)
                )
                return lambda: self.desk.rollback(self.cluster, restarts=restarts, now=self.clock)
            case "restart":
                return lambda: self._restart(operation)
            case "confirm":
                # Every third one comes late.
                self.clock.go_on(_A_WHILE_S if operation.choice % 3 == 0 else 0)
                return lambda: confirm("last", state_dir=self.desk.state_dir, now=self.clock)
            case "expire" if self.watch:
                return TimerProcess(self.watch, self.clock, self._roll_back_again, self._time_goes_by).run
        options: dict[str, Any] = {"on_failure": operation.on_failure, "restart": operation.restart}
        options["restarts"] = RestartOptions(operation.calls)
        options["confirm_within"] = _WITHIN if operation.timer else None
        environment = {"now": self.clock, "start_watcher": self._start}
        return lambda: self.desk.apply(self.cluster, self.plan, environment, **options)

    def _start(self, order: WatcherJob) -> WatcherProcess:
        self.watches.append(order)
        return WatcherProcess(4711, Path("timer.log"), lambda: None)

    def _roll_back_again(self, run: str) -> RunResult:
        # Each try of a timer goes strictly backwards anew.
        self.cluster.writes.append(Write(NOBODY, f"operation {len(self.outcomes)} expire"))
        return self.desk.rollback(self.cluster, run, now=self.clock)

    def _time_goes_by(self) -> None:
        for _ in range(_LONG_ENOUGH):
            self.cluster.tick()

    def _tap(self, point: str) -> None:
        self._points += 1
        method, _, address = point.removeprefix("after ").removeprefix("before ").partition(" on ")
        if point.startswith("before"):
            self._begin_to_be_late(method, address)
            self._look_for_a_second(method, address)
        if point.startswith("after") and method in {"trusted_ca", "ciphers"}:
            self.cluster.writes.append(Write(Address(address), f"looked {method}"))
        for disturbance in [disturbance for disturbance in self._due if disturbance.point == self._points]:
            self._disturb(disturbance)

    def _disturb(self, disturbance: Disturbance) -> None:
        devices = self.cluster.devices
        match disturbance.incident:
            case "crash":
                raise Crash(f"at point {self._points}")
            case "down":
                devices[disturbance.choice % len(devices)].up = False
            case "up":
                devices[disturbance.choice % len(devices)].up = True
                self.came_up.add(devices[disturbance.choice % len(devices)].address)
            case "somebody":
                self.somebody.act(disturbance.choice, between=False)
            case "another-run":
                self._another_run(disturbance)
            case "interrupt" | "stop":
                for _ in range(1 + (disturbance.incident == "stop")):
                    os.kill(os.getpid(), signal.SIGINT)

    def _show(self, device: Device) -> tuple[Certificate, ...]:
        self._readings += 1
        lie = self._lie
        if lie and lie.kind != "late" and self._readings == lie.begins:
            self._lies = Lies(self._honest_start)
            devices = self.cluster.devices
            liars = devices if lie.choice is None else [devices[lie.choice % len(devices)]]
            self._lies.tell(lie.kind, readings=lie.readings, peers=[liar.address for liar in liars])
        return self._lies(device) if lie and self._lies else tuple(device.trusted)

    def _begin_to_be_late(self, method: str, address: str) -> None:
        """Right before a write to a list: what it shows then, it may show for a while after it."""
        lie = self._lie
        self._list_writes += method.startswith(("append", "remove"))
        if lie and lie.kind == "late" and self._lies is None and self._list_writes == lie.begins:
            device = next(peer for peer in self.cluster.devices if peer.address == address)
            self._lies = Lies({device.address: tuple(device.trusted)})
            self._lies.tell("old", readings=lie.readings, peers=[device.address])

    def _look_for_a_second(self, method: str, address: str) -> None:
        """Right before a peer goes away, or takes no calls any more: whether another one is away by a restart, or takes none."""
        if method not in {"restart", "maintenance True"}:
            return
        away = [device.address for device in self.cluster.devices if device.address != address and is_away(device)]
        if away:
            self.cluster.writes.append(Write(NOBODY, f"intruder {method} on {address}, and away is {away}"))

    def _another_run(self, disturbance: Disturbance) -> None:
        """A second operator, at the same moment, on the same cluster: every point of a run is under its lock."""
        self.cluster.tap = no_tap
        wrote = len(self.cluster.writes)
        has_run = any(run.plan for run in self.desk.journal().runs())
        operation = Operation("rollback" if disturbance.choice % 2 and has_run else "apply")
        outcome = _outcome(operation, self._call(operation))
        self.cluster.tap = self._tap
        if not isinstance(outcome.error, LockHeld) or len(self.cluster.writes) > wrote:
            self.cluster.writes.append(Write(NOBODY, f"intruder {outcome}"))

    def _nobodys(self, peer: Address, fingerprint: str) -> bool:
        """Whether no run may have put this certificate there, nor will have to look whether it did."""
        with self.desk.journal() as journal:
            steps = [step for run in journal.runs() for step in journal.steps(run.id)]
        own_steps = [step for step in steps if step.peer == peer and step.facts.get("certificate") == fingerprint]
        return all(step.proven for step in own_steps)

    def list_found_certificates(self) -> set[tuple[Address, str]]:
        """Return which certificates were on which peers when a run began."""
        with self.desk.journal() as journal:
            backups = [backup for run in journal.runs() if run.plan for backup in journal.backups(run.id).values()]
        return {(backup.peer, fingerprint) for backup in backups for fingerprint in backup.trusted_ca}

    def is_up(self, peer: Address) -> bool:
        return next(device.up for device in self.cluster.devices if device.address == peer)

    def ciphers(self) -> dict[Address, CipherList]:
        return {device.address: device.ciphers[REVERSE_PROXY_CIPHERS] for device in self.cluster.devices}


def _outcome(operation: Operation, call: Callable[[], RunResult | None]) -> Outcome:
    try:
        result = call()
        return Outcome(operation, result=result, idle=result is None)
    except Crash:
        return Outcome(operation)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - whatever it is, a law judges it
        failure = error if isinstance(error, RemediateError) else RuntimeError(f"{type(error).__name__}: {error}")
        failure.__cause__ = error
        return Outcome(operation, error=failure)
