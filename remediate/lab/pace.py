"""The pace of a lab: its minutes are seconds, so what waits for a peer waits that much less."""

from __future__ import annotations

from remediate.model.limits import Limits

LAB_LIMITS = Limits(
    write_seen_poll_s=0.2,
    replication_s=20.0,
    replication_poll_s=0.1,
    restart_s=30.0,
    restart_poll_s=0.1,
    restart_settle_s=0.2,
    drain_poll_s=0.1,
    effect_s=1.0,
    effect_poll_s=0.2,
    after_restart_s=20.0,
)
"""For commands that work on a lab: two minutes of replication are 0.3 s there, and three minutes of a restart are 1.3 s."""
