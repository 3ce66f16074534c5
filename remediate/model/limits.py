"""Every time-out, size and count in one place, the unit in the name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How long we wait, how much we read, how much we do at once."""

    connect_s: float = 10.0
    read_s: float = 30.0
    slow_write_s: float = 120.0
    """For writes that make the box look elsewhere first: adding a publisher asks it over AXL."""
    shell_answer_s: float = 30.0
    handshake_s: float = 5.0
    read_attempts: int = 3
    read_pause_s: float = 0.5
    replication_s: float = 150.0
    """The documents say about a minute from the primary to the other peers; this is how long we are willing to wait."""
    replication_poll_s: float = 2.0
    restart_s: float = 900.0
    restart_poll_s: float = 5.0
    effect_s: float = 20.0
    """How long a 502 must last before it counts: a traffic server that reloads a changed list by itself took 3 to 6 s (9.x)."""
    after_restart_s: float = 120.0
    """A peer that answers again after its restart still has to be traversed to before clients get through."""
    effect_poll_s: float = 4.0
    max_file_bytes: int = 256 * 1024 * 1024
    max_response_bytes: int = 8 * 1024 * 1024
    max_certificate_bytes: int = 64 * 1024
    max_chain_certificates: int = 100
    max_list_certificates: int = 5_000
    parallel_endpoints: int = 64
    parallel_per_node: int = 4
    parallel_clusters: int = 8
