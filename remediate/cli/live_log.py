"""The diagnostic log of a live cluster, recorded for `diagnose --for`."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from remediate.model.text import count

if TYPE_CHECKING:
    from remediate.cli.session import Session
    from remediate.executor.log_recording import CollectedLogs
    from remediate.executor.signals import StopRequest
    from remediate.model.access import ClusterAccess
    from remediate.model.events import Sink


RECORDING_COSTS = (
    "Meanwhile every peer logs at debug level, which costs performance: choose a quiet time.",
    "The new log replaces the last one on the peers.",
)


def ask_to_record(session: Session, cluster: ClusterAccess, length: timedelta, *, tcpdump: bool, yes: bool) -> None:
    """Say what a recording does and ask for `yes`. Raises Declined."""
    from remediate.cli.questions import ask, refuse_without_terminal

    refuse_without_terminal(session, yes=yes)
    if yes:
        return
    lines = list(RECORDING_COSTS)
    if tcpdump:
        lines.append("The captures contain all packets of the peers. The archives are deleted after they are read.")
    peers = count(len(cluster.peers), "peer")
    ask(session, lines, f"Start diagnostic logging on {cluster.name} ({peers} in the inventory) for {_format(length)}?")


@contextmanager
def record_log(
    session: Session, cluster: ClusterAccess, length: timedelta, sink: Sink, *, tcpdump: bool
) -> Iterator[CollectedLogs]:
    """Record the log of every peer for so long; its files are there while the block runs.

    Raises:
        LockHeld: Another log may be running. Nothing was started.
        NotOffered, ObservationError, AccessError, WriteRefused: Nothing was started.
        OutcomeUnknown: Logging may still be running.
        KeyboardInterrupt: On a signal, once logging was stopped.
    """
    from remediate.connectors.expressway.cluster import open_peers
    from remediate.executor.left_logging import hold_note
    from remediate.executor.log_recording import LogRecorder
    from remediate.executor.signals import handle_signals
    from remediate.model.canonical import utc_now

    limits = session.limits
    with (
        tempfile.TemporaryDirectory(prefix="remediate-log-") as folder,
        hold_note(cluster.name, session.state_dir) as note,
        open_peers(cluster, limits, writable=False, logs=True) as opened,
        handle_signals(session.say) as stop,
    ):
        recorder = LogRecorder(
            opened, opened.peers, cluster.name, note, limits, sink, utc_now, time.sleep, lambda: _raise_if_interrupted(stop)
        )
        recorder.end_left()
        recorder.refuse_if_running()
        with recorder.recording(tcpdump=tcpdump):
            recorder.wait(length.total_seconds())
        yield recorder.collect(Path(folder))


def _raise_if_interrupted(stop: StopRequest) -> None:
    from remediate.cli.error_reporting import Terminated
    from remediate.model.exit_codes import ExitCode

    if stop.signal is not None:
        raise Terminated if stop.exit_code is ExitCode.TERMINATED else KeyboardInterrupt


def _format(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    return f"{seconds} s" if seconds % 60 else count(seconds // 60, "minute")
