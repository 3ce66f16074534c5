"""The probe of `collect`: 400 ports with two certificates each, beside full handshakes in C, a raw hello, tuned s_client and sslyze.

Every port shows the same two certificates, and a root above them. Where there is a round trip, all of them go through the same relay.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fleet import certificate
from benchmarks.wire import Helper, compile_programs, relay, serve, write_identity
from remediate.model.certificate import Certificate

NODES = 200
PORTS = (8443, 6972)
ROUNDS = 3
ROUND_TRIPS_MS = (0, 20)
SSLYZE = Path(__file__).parents[1] / ".venv-sslyze" / "bin" / "python"
"""A Python that has sslyze; `make bench` makes it."""
CIPHERS = "EECDH:EDH:HIGH:-AES256+SHA:!MEDIUM:!LOW:!3DES:!MD5:!PSK:!eNULL:!aNULL"
SSLYZE_MODES = {"connections": "its connections for the same work", "scanner": "its scanner (certificates)"}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took, in seconds."""

    wall_s: float
    cpu_s: float

    def __str__(self) -> str:
        return f"{self.wall_s:.2f} s wall, {self.cpu_s:.2f} s CPU"

    def ratio_to(self, floor: Cost) -> str:
        """Return how many times a floor this is, by wall and by CPU."""
        return f"{self.wall_s / floor.wall_s:.2f}x wall, {self.cpu_s / floor.cpu_s:.2f}x CPU"


def run() -> None:
    """Print each contender with its ratio to the floor, at each delay."""
    hosts = [f"{node // 250}.{node % 250 + 1}" for node in range(NODES)]
    front, behind = ([f"127.{net}.{host}:{port}" for host in hosts for port in PORTS] for net in (91, 92))
    with tempfile.TemporaryDirectory() as folder:
        programs = compile_programs(Path(folder))
        if programs is None:
            print("probe: not measured: the floor in C needs build-essential and libssl-dev")
            return
        handshakes, relaying = programs
        root = certificate("Root", "Root", ca=True, family="rsa")
        rsa, ecdsa = (_write_identity(Path(folder), family, root) for family in ("rsa", "ecdsa"))
        for round_trip_ms in ROUND_TRIPS_MS:
            is_late = round_trip_ms > 0
            wire = relay(relaying, round_trip_ms, dict(zip(front, behind, strict=True))) if is_late else nullcontext(Helper())
            with serve(handshakes, [(rsa, ecdsa)], behind if is_late else front) as server, wire as relayed:
                _compare(handshakes, round_trip_ms, front)
            print(
                f"probe: beside them, {round_trip_ms} ms: the server {server.cpu_s:.1f} s CPU, the relay {relayed.cpu_s:.1f} s"
            )


def _write_identity(folder: Path, family: str, root: Certificate) -> Path:
    leaf = certificate("node.bench", "Root", ("node.bench",), family=family, signer="rsa")
    return write_identity(folder / f"{family}.pem", (leaf, root), family)


def _compare(program: Path, round_trip_ms: int, addresses: Sequence[str]) -> None:
    commands: dict[str, list[str]] = {
        "C": [str(program), "probe", *addresses],
        "collect": [sys.executable, "-m", "benchmarks.probing", "probe", *addresses],
        "survey": [sys.executable, "-m", "benchmarks.probing", "survey", *addresses],
        "hello": [sys.executable, "-m", "benchmarks.raw_hello", *addresses],
        "s_client": ["sh", str(Path(__file__).with_name("s_client.sh")), *addresses],
    }
    if SSLYZE.exists():
        program_of_sslyze = str(Path(__file__).with_name("sslyze_probe.py"))
        commands |= {mode: [str(SSLYZE), program_of_sslyze, mode, *addresses] for mode in SSLYZE_MODES}
    costs = {name: _measure(command) for name, command in commands.items()}
    floor, ours, survey, hello, program_cost = (costs[name] for name in ("C", "collect", "survey", "hello", "s_client"))
    where = f"{len(addresses)} ports with two certificates, {round_trip_ms} ms"
    print(f"probe: {where}: {ours}; {ours.ratio_to(floor)} of full handshakes in C ({_version_of_openssl()})")
    print(f"probe: {where}: tuned s_client, 64 at once, {program_cost.ratio_to(ours)} of that")
    _print_sslyze(where, costs)
    print(f"survey: {where}: {survey}; {survey.ratio_to(hello)} of a raw hello in Python")
    half = Cost(program_cost.wall_s / 2, program_cost.cpu_s / 2)
    print(f"survey: {where}: tuned s_client for as many handshakes, {half.ratio_to(survey)} of that")


def _print_sslyze(where: str, costs: Mapping[str, Cost]) -> None:
    if not costs.keys() >= SSLYZE_MODES.keys():
        print("probe: sslyze was not measured: `make bench` installs it")
        return
    asking = [str(SSLYZE), "-c", "from importlib.metadata import version; print(version('sslyze'), end='')"]
    version = subprocess.run(asking, check=True, capture_output=True, text=True).stdout
    for mode, words in SSLYZE_MODES.items():
        print(f"probe: {where}: sslyze {version}, {words}, 64 at once, {costs[mode].ratio_to(costs['collect'])} of that")
    print(f"probe: {where}: sslyze's connections, {costs['connections'].ratio_to(costs['C'])} of full handshakes in C")


def _version_of_openssl() -> str:
    program = shutil.which("openssl") or "openssl"
    words = subprocess.run([program, "version"], check=True, capture_output=True, text=True).stdout.split()
    return " ".join(words[:2])


def _measure(command: list[str]) -> Cost:
    """Return the best of a few runs: of the stage alone where the program prints its seconds, else of its processes."""
    costs = [_measure_once(command) for _ in range(ROUNDS)]
    return Cost(min(cost.wall_s for cost in costs), min(cost.cpu_s for cost in costs))


def _measure_once(command: list[str]) -> Cost:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    words = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.split()
    wall_s, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if words:
        return Cost(float(words[0]), float(words[1]))
    return Cost(wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def print_best(work: Callable[[], object]) -> None:
    """Print the wall seconds and the CPU seconds of the best of a few runs in this process."""
    walls, cpus = [], []
    for _ in range(ROUNDS):
        began, cpu = time.monotonic(), time.process_time()
        work()
        walls.append(time.monotonic() - began)
        cpus.append(time.process_time() - cpu)
    print(min(walls), min(cpus))


def _look(mode: str, addresses: Sequence[str]) -> None:
    """Look at every port as `collect` does, in this process."""
    from remediate.connectors.tls.probe import probe
    from remediate.connectors.tls.survey import survey
    from remediate.connectors.tls.target import Target
    from remediate.model.identity import Address, CipherList
    from remediate.model.limits import Limits

    hosts = [address.rpartition(":") for address in addresses]
    targets = [Target(Address(f"n{number}.bench"), int(port), "cucm", host) for number, (host, _, port) in enumerate(hosts)]
    ciphers = CipherList(CIPHERS)
    runs = {"probe": lambda: probe(targets, [ciphers], Limits()), "survey": lambda: survey(targets, ciphers, Limits())}
    presented = [len(observation.presented) for observation in runs[mode]()]
    assert presented == [2 if mode == "probe" else 1] * len(targets)
    print_best(runs[mode])


if __name__ == "__main__":
    _look(sys.argv[1], sys.argv[2:])
