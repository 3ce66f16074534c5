"""A fleet, live: `plan -i` of 200 clusters of 3 peers and 20 endpoints, with 20 ms to each system, by one process and by all cores.

The peers are those of a few labs, each of which stands for many clusters; the endpoints are of a server in C, and each cluster has its
own addresses for them. All connections go through a relay of ours in user space. Labs, server and relay share the cores with the
client, so beside the wall stands what our processes spent, and what is beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from benchmarks.fleet import certificate
from benchmarks.measured import Spent, describe, measure
from benchmarks.wire import Helper, compile_programs, relay, serve, write_identity
from remediate.lab import Lab
from remediate.model.certificate import Certificate

CLUSTERS = 200
NODES = 5
PORTS = (443, 6971, 6972, 8443)
LISTED = 150
LABS = 4
ROUND_TRIP_MS = 20
SHIFT = 10_000
"""The relay answers for a peer on its own address, so many ports higher: peers name each other by address."""


def run(clusters: int = CLUSTERS) -> None:
    """Print walls, CPU seconds, memory, and what was asked of the peers."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        programs = compile_programs(Path(folder))
        if programs is None:
            print("fleet: not measured: the servers in C need build-essential and libssl-dev")
            return
        fleet = stack.enter_context(_open_fleet(Path(folder), programs, clusters))
        fewer = fleet.plan(max(1, clusters // 4))
        load = os.getloadavg()[0]
        alone = fleet.plan(clusters, cores={min(os.sched_getaffinity(0))})
        every = fleet.plan(clusters)
        requests = fleet.count_requests()
    size = f"plan -i, {clusters} clusters x 3 peers x {NODES * len(PORTS)} endpoints, {ROUND_TRIP_MS} ms"
    print(f"{size}: {describe(every, alone, fewer, load)}")
    looks = 2 * clusters + max(1, clusters // 4)
    counts = ", ".join(f"{count / looks:.1f} {kind}" for kind, count in sorted(requests.items()))
    print(f"{size}: the peers of a cluster get {counts}")
    print(
        f"{size}: beside them in all three runs: the server {fleet.server.cpu_s:.1f} s CPU, the relay {fleet.wire.cpu_s:.1f} s"
    )


@dataclass(frozen=True, slots=True)
class LiveFleet:
    """A fleet that answers.

    Attributes:
        inventory: The whole inventory, as the file holds it.
        server: The server of the endpoints.
        wire: The relay.
    """

    folder: Path
    inventory: Mapping[str, Any]
    server: Helper
    wire: Helper

    def plan(self, clusters: int, cores: set[int] | None = None) -> Spent:
        """Plan the first so many clusters, on some cores or on all."""
        path = self.folder / "labs" / "inventory.yml"
        path.write_text(json.dumps({**self.inventory, "clusters": self.inventory["clusters"][:clusters]}))
        with tempfile.TemporaryDirectory() as plans:
            command = [sys.executable, "-m", "remediate", "plan", "-i", str(path), "-o", plans]
            spent = measure([*command, "-q", "--state-dir", str(self.folder / "state")], cores)
            documents = [json.loads(plan.read_text()) for plan in Path(plans).iterdir()]
        assert [plan["complete"] for plan in documents] == [True] * clusters
        assert {len(plan["endpoints"]) for plan in documents} == {3 * NODES * len(PORTS)}
        return spent

    def count_requests(self) -> Counter[str]:
        """Return how often the peers were logged in to, and asked over REST and over the shell."""
        kinds: Counter[str] = Counter()
        for path in (self.folder / "labs").glob("*/requests.jsonl"):
            for line in path.read_text().splitlines():
                request = json.loads(line)
                login = request["method"] == "login"
                kinds["logins" if login else f"requests over {request['transport']}"] += 1
        return kinds


@contextmanager
def _open_fleet(folder: Path, programs: tuple[Path, Path], clusters: int) -> Iterator[LiveFleet]:
    handshakes, relaying = programs
    pairs, authority = make_nodes(folder)
    behind = [f"127.94.0.{node + 1}:{port}" for node in range(NODES) for port in PORTS]
    with ExitStack() as stack:
        labs = [stack.enter_context(open_lab(folder / "labs" / str(number))) for number in range(LABS)]
        wires = list_peers(labs) | {
            place: server for cluster in range(clusters) for place, server in zip(list_endpoints(cluster), behind, strict=True)
        }
        server = stack.enter_context(serve(handshakes, pairs, behind))
        wire = stack.enter_context(relay(relaying, ROUND_TRIP_MS, wires))
        entries = [make_cluster(cluster, cluster % LABS, labs[cluster % LABS], authority) for cluster in range(clusters)]
        yield LiveFleet(folder, {"version": 1, "clusters": entries}, server, wire)


@contextmanager
def open_lab(folder: Path, peers: int = 3) -> Iterator[dict[str, Any]]:
    """Start a lab in a process of its own, and yield the one cluster of its inventory."""
    command = [sys.executable, "-m", "benchmarks.live_fleet", str(folder), str(peers)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        [cluster] = yaml.safe_load((folder / "inventory.yml").read_text())["clusters"]
        yield cluster
        process.stdin.close()


def make_nodes(folder: Path) -> tuple[list[tuple[Path, Path]], Path]:
    """Return the files of a pair of certificates for each port of the nodes, and that of the root above them."""
    root = certificate("Fleet Root", "Fleet Root", ca=True, family="rsa")
    issuing = [certificate(f"Fleet Issuing {number}", "Fleet Root", ca=True, family="rsa", signer="rsa") for number in range(4)]
    (folder / "root.pem").write_text(root.pem)
    names = [f"cucm{node}.bench" for node in range(NODES) for _ in PORTS]
    pairs = []
    for number, name in enumerate(names):
        above = issuing[number % len(issuing)]
        files = [
            write_identity(folder / f"{number}-{family}.pem", (_sign(name, above, family), above), family)
            for family in ("rsa", "ecdsa")
        ]
        pairs.append((files[0], files[1]))
    return pairs, folder / "root.pem"


def _sign(name: str, above: Certificate, family: str) -> Certificate:
    return certificate(name, above.common_name, (name,), family=family, signer="rsa")


def list_endpoints(cluster: int) -> list[str]:
    """Return the places (``host:port``) of the endpoints of a cluster."""
    return [f"127.93.{cluster}.{node + 1}:{port}" for node in range(NODES) for port in PORTS]


def list_peers(labs: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the places of the peers of labs behind the relay, by those in front of it."""
    ports = [
        (peer["address"], port)
        for lab in labs
        for peer in lab["expressway"]["peers"]
        for port in (peer["rest_port"], peer["ssh_port"])
    ]
    return {f"{address}:{port + SHIFT}": f"{address}:{port}" for address, port in ports}


def make_cluster(number: int, lab_number: int, lab: Mapping[str, Any], authority: Path) -> dict[str, Any]:
    """Return a cluster of the inventory: the peers of a lab behind the relay, and nodes at addresses of its own."""
    expressway = lab["expressway"]
    peers = [
        {**peer, "rest_port": peer["rest_port"] + SHIFT, "ssh_port": peer["ssh_port"] + SHIFT}
        for peer in expressway["peers"]
        if peer.pop("mra", True)
    ]
    nodes = [
        {"address": f"cucm{node}.bench", "product": "cucm", "connect_to": f"127.93.{number}.{node + 1}", "ports": list(PORTS)}
        for node in range(NODES)
    ]
    password = {"file": str(Path(str(lab_number)) / expressway["password"]["file"])}
    return {
        "name": f"cluster{number:03}",
        "expressway": {"username": expressway["username"], "password": password, "peers": peers},
        "unified_communications": {"discovery": "inventory", "nodes": nodes},
        "ca": [str(authority)],
    }


def _run_lab(folder: Path, peers: int) -> None:
    """Run a lab whose lists are long, until the standard input ends."""
    unrelated = [certificate(f"Unrelated {number}", f"Unrelated {number}", ca=True) for number in range(LISTED)]
    lab = Lab(folder, judge=False)
    lab.scenario = replace(lab.scenario, trusted=(lab.scenario.trusted * peers)[:peers])
    with lab:
        for peer in lab.peers:
            lab.cluster.append_trusted(peer, unrelated)
        print("ready", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("peers", type=int)
    options = parser.parse_args()
    _run_lab(options.folder, options.peers)
