"""The limits: every time-out, size and count, the unit in the name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How long is waited, how much is read, and how much is done at once."""

    connect_s: float = 10.0
    read_s: float = 30.0
    slow_write_s: float = 120.0
    """For writes that make the peer ask another system first: adding a publisher asks that over AXL."""
    shell_answer_s: float = 30.0
    shell_silence_s: float = 1.0
    """How long a shell must be silent until an unfinished line counts as a question, or a fresh shell as ready."""
    shell_quiet_s: float = 0.2
    """How long it must be silent after its last bytes until what follows a banner or an error counts as all there is."""
    shell_answer_bytes: int = 1024 * 1024
    """A whole configuration is smaller, and we ask for parts of it."""
    shell_line_bytes: int = 16 * 1024
    """The longest value is 2,048 characters."""
    handshake_s: float = 5.0
    read_attempts: int = 3
    read_pause_s: float = 0.5
    write_seen_s: float = 15.0
    """How long a write that was not refused is looked for before its outcome is called unknown: a list showed one 4 s later."""
    write_seen_poll_s: float = 1.0
    replication_s: float = 150.0
    """The primary's configuration reaches the other peers about every two minutes (cluster deployment guide, X15.4)."""
    replication_first_poll_s: float = 0.25
    replication_poll_s: float = 2.0
    """The pause between two looks doubles from the first one until it is this long."""
    restart_s: float = 900.0
    restart_poll_s: float = 5.0
    restart_settle_s: float = 30.0
    """How long a peer that is back as it was is given, so that clients register through it again, before the next one goes away."""
    drain_poll_s: float = 10.0
    effect_s: float = 20.0
    """How long a 502 must last before it counts: a traffic server that reloads a changed list by itself took 3 to 6 s (9.x)."""
    after_restart_s: float = 120.0
    """A peer that answers again after its restart still has to be traversed to before clients get through."""
    effect_poll_s: float = 4.0
    effect_log_s: float = 180.0
    """How long requests of clients are waited for in the peers' own logs, to see whether a change is in effect."""
    diagnostic_log_s: float = 1800.0
    """For the download of one peer's diagnostic log: up to 20 captures of 20 MB for each network interface (X14.0)."""
    diagnostic_log_bytes: int = 2 * 1024 * 1024 * 1024
    diagnostic_log_ready_s: float = 600.0
    """How long a peer may take to collect its log after it was stopped."""
    diagnostic_log_poll_s: float = 2.0
    max_sign_ins: int = 2
    """Of one account over one way in `sign_in_window_s`: an Expressway allows 3 in 300 s (Cisco, reference of xConfiguration)."""
    sign_in_window_s: float = 300.0
    sign_in_again_s: float = 60.0
    """How long after a sign-in that got no verdict the same run may try again: a tunnel comes up after its peer."""
    sign_in_poll_s: float = 1.0
    sign_in_progress_s: float = 30.0
    """How often it is said how long the budget of sign-ins is still waited for."""
    max_cookie_bytes: int = 4096
    max_file_bytes: int = 256 * 1024 * 1024
    max_response_bytes: int = 8 * 1024 * 1024
    max_certificate_bytes: int = 100 * 1024
    """What OpenSSL takes for a whole chain (ssl.h: SSL_MAX_CERT_LIST_DEFAULT)."""
    max_chain_certificates: int = 100
    max_list_certificates: int = 5_000
    max_peers: int = 6
    """Of one cluster, as many as Expressway allows (Cisco, cluster creation guide)."""
    max_publishers: int = 100
    """Unified CM and IM and Presence publishers that one Expressway cluster discovers servers from."""
    max_named_nodes: int = 200
    """Nodes that one source with a login may name: a Unified CM megacluster has some 30 servers."""
    max_nodes_without_login: int = 64
    """Nodes that UDS may name: each costs a look-up and a connection that anybody in the path can order."""
    parallel_nodes: int = 128
    """Nodes of one cluster that are opened at once, and names that are looked up, each in a thread."""
    parallel_endpoints: int = 256
    """Connections of one cluster's probe at once, none of which costs a thread."""
    parallel_per_node: int = 4
    parallel_clusters: int = 16
    """A cluster waits for its systems ten times as long as it works."""
    evidence_bytes: int = 16 * 1024 * 1024 * 1024
    """What one `diagnose` reads in all, unpacked, each layer of an archive for itself: a minute or two."""
    evidence_ratio: int = 250
    """How many times its own size a file may unpack to; a log of one repeated line reaches 100."""
    evidence_grace_bytes: int = 64 * 1024 * 1024
    """What any file may unpack to, whatever its size."""
    evidence_in_memory_bytes: int = 128 * 1024 * 1024
    """The largest zip inside another archive: its directory is at its end, so it is held whole."""
    evidence_mail_bytes: int = 64 * 1024 * 1024
    """The largest mail, or file of mails: it is held whole, and decoded."""
    evidence_members: int = 20_000
    evidence_depth: int = 5
    evidence_line_bytes: int = 64 * 1024
    evidence_kinds: int = 5_000
    """How many different things are counted (endpoint, peer, error …); the rest is reported as not examined."""
    capture_packet_bytes: int = 1024 * 1024
    capture_connections: int = 100_000
    capture_stream_bytes: int = 128 * 1024
    """What is kept of one direction of a connection: a handshake, not what follows it."""
    capture_buffered_bytes: int = 128 * 1024 * 1024
    """What is held of all connections of a capture, and of all certificates in all of them."""
