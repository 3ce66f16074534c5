"""Look at each ADDRESS:PORT with sslyze's API; run by the Python that has sslyze, which has nothing of ours.

Usage: sslyze_probe.py connections|scanner ADDRESS:PORT...

`connections` does the same work as the probe and no other: whether TLS 1.3 is spoken, and a handshake for each key family. `scanner`
is what a script would use: the scan command for certificates, which makes five or six handshakes, and judges by its trust stores.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sslyze import (  # type: ignore[import-not-found]  # only `make bench` installs it
    ScanCommand,
    ScanCommandAttemptStatusEnum,
    Scanner,
    ServerNetworkLocation,
    ServerScanRequest,
)
from sslyze.server_connectivity import (  # type: ignore[import-not-found]
    ServerConnectivityInfo,
    TlsVersionEnum,
    check_connectivity_to_server,
)
from sslyze.server_setting import ServerNetworkConfiguration  # type: ignore[import-not-found]

AT_ONCE = 64
ROUNDS = 3
FAMILIES = ("aRSA", "aECDSA")


def connect(locations: list[ServerNetworkLocation]) -> None:
    """Ask each server for TLS 1.3 and for the chain of each family, with the connections of sslyze, 64 servers at once."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        chains = list(pool.map(_connect_to, locations))
    assert chains == [2] * len(locations)


def _connect_to(location: ServerNetworkLocation) -> int:
    configuration = ServerNetworkConfiguration("node.bench")
    server = ServerConnectivityInfo(location, configuration, check_connectivity_to_server(location, configuration))
    leaves = set()
    for family in FAMILIES:
        connection = server.get_preconfigured_tls_connection(override_tls_version=TlsVersionEnum.TLS_1_2)
        connection.ssl_client.set_cipher_list(family)
        try:
            connection.connect()
            leaves.add(connection.ssl_client.get_received_chain()[0])
        finally:
            connection.close()
    return len(leaves)


def scan(locations: list[ServerNetworkLocation]) -> None:
    """Scan each server for its certificates, 64 at once, one connection to each at a time."""
    scanner = Scanner(per_server_concurrent_connections_limit=1, concurrent_server_scans_limit=AT_ONCE)
    scanner.queue_scans([ServerScanRequest(location, scan_commands={ScanCommand.CERTIFICATE_INFO}) for location in locations])
    for result in scanner.get_results():
        assert result.scan_result, result.connectivity_error_trace
        certificates = result.scan_result.certificate_info
        assert certificates.status == ScanCommandAttemptStatusEnum.COMPLETED
        assert len(certificates.result.certificate_deployments) == 2


def print_best(work: Callable[[list[ServerNetworkLocation]], None], locations: list[ServerNetworkLocation]) -> None:
    """Print the wall seconds and the CPU seconds of the best of a few runs."""
    walls, cpus = [], []
    for _ in range(ROUNDS):
        began, cpu = time.monotonic(), time.process_time()
        work(locations)
        walls.append(time.monotonic() - began)
        cpus.append(time.process_time() - cpu)
    print(min(walls), min(cpus))


if __name__ == "__main__":
    hosts = [address.rpartition(":") for address in sys.argv[2:]]
    print_best(
        {"connections": connect, "scanner": scan}[sys.argv[1]],
        [
            ServerNetworkLocation(hostname=f"n{number}.bench", port=int(port), ip_address=host)
            for number, (host, _, port) in enumerate(hosts)
        ],
    )
