"""The peers of a cluster, read at once: `plan` and `verify` of six peers, beside one login and the same command for a single peer.

The first login is made alone, so that a wrong password is sent once; then all peers are read at once. So six peers should take what a
single one takes, and one login. There are 20 ms to each system, through a relay of ours in user space; the labs of the peers share the
cores with the client.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.live_fleet import (
    NODES,
    PORTS,
    ROUND_TRIP_MS,
    list_endpoints,
    list_peers,
    make_cluster,
    make_nodes,
    open_lab,
)
from benchmarks.measured import Spent, measure
from benchmarks.wire import compile_programs, relay, serve
from remediate.connectors.expressway.cluster import open_peers
from remediate.inventory import load
from remediate.model.exit_codes import ExitCode
from remediate.model.limits import Limits

PEERS = (1, 6)
ROUNDS = 3
COMMANDS = {"plan": ["plan", "-o", "plan.json"], "verify": ["verify", "--no-clients"]}
EXIT_CODES = {"plan": ExitCode.DONE, "verify": ExitCode.CHANGES_PENDING}


def run() -> None:
    """Print the walls of both commands, and their ratio to one login and a single peer."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        programs = compile_programs(Path(folder))
        if programs is None:
            print("peers: not measured: the servers in C need build-essential and libssl-dev")
            return
        single, six = _open_clusters(Path(folder), programs, stack)
        login_s = min(_log_in(single) for _ in range(ROUNDS))
        for name, words in COMMANDS.items():
            alone, every = (_measure(words, inventory, EXIT_CODES[name]) for inventory in (single, six))
            limit_s = login_s + alone.wall_s
            print(
                f"{name}, {PEERS[1]} peers, {ROUND_TRIP_MS} ms: {every.wall_s:.2f} s wall, {every.cpu_s:.2f} s CPU; "
                f"{every.wall_s / limit_s:.2f}x of one login ({login_s:.2f} s) and a single peer ({alone.wall_s:.2f} s)"
            )


def _open_clusters(folder: Path, programs: tuple[Path, Path], stack: ExitStack) -> list[Path]:
    """Return the inventories of a cluster for each number of peers, with the same endpoints."""
    handshakes, relaying = programs
    pairs, authority = make_nodes(folder)
    behind = [f"127.94.0.{node + 1}:{port}" for node in range(NODES) for port in PORTS]
    labs = [stack.enter_context(open_lab(folder / str(number), peers)) for number, peers in enumerate(PEERS)]
    wires = list_peers(labs) | {
        place: server for number in range(len(PEERS)) for place, server in zip(list_endpoints(number), behind, strict=True)
    }
    stack.enter_context(serve(handshakes, pairs, behind))
    stack.enter_context(relay(relaying, ROUND_TRIP_MS, wires))
    inventories = []
    for number, lab in enumerate(labs):
        inventories.append(folder / f"{number}.yml")
        document = {"version": 1, "clusters": [make_cluster(number, number, lab, authority)]}
        inventories[-1].write_text(json.dumps(document))
    return inventories


def _measure(words: Sequence[str], inventory: Path, exit_code: ExitCode) -> Spent:
    """Return what the best of a few runs of a command spent."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "remediate", *words, "-i", str(inventory), "-q", "--state-dir", folder]
        command = [str(Path(folder) / word) if word == "plan.json" else word for word in command]
        return min((measure(command, exit_code=exit_code) for _ in range(ROUNDS)), key=lambda spent: spent.wall_s)


def _log_in(inventory: Path) -> float:
    """Return how many seconds it takes to log in to the peers of a cluster."""
    [cluster] = load(inventory)
    began = time.monotonic()
    open_peers(cluster, Limits(), writable=False).close()
    return time.monotonic() - began


if __name__ == "__main__":
    run()
