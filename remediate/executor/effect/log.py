"""The peers' own logs, recorded where no client shows whether a change is in effect (`ApplyOptions.diagnostic_log`)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from remediate.executor.context import RunContext, RunState
from remediate.executor.effect.decision import Views
from remediate.executor.effect.log_view import view_log
from remediate.executor.left_logging import LoggingNote, find_left_logging, hold_note
from remediate.executor.log_recording import LogRecorder
from remediate.executor.result import ManualStep
from remediate.model.errors import Interrupted, OutcomeUnknown, RemediateError
from remediate.model.identity import Address, EndpointId

_ALL_LINES = datetime.min.replace(tzinfo=UTC)
"""A log that was started after the last write has only lines since then."""


def record_log_views(
    context: RunContext, state: RunState, endpoints: Mapping[Address, Sequence[EndpointId]], ask: Callable[[], None]
) -> dict[Address, Views]:
    """Record the log of every peer for a while, and return what it shows of `endpoints`; nothing where it cannot be recorded.

    Logging that may still be running is left to a person.

    Args:
        context: The run.
        state: Of the run.
        endpoints: For each peer, those that were refused before its last write and that the change of its list fixes.
        ask: Sends requests of our own, as far as there is a way; those of clients are waited for in any case.

    Raises:
        Interrupted: The run was asked to stop; logging was stopped.
    """
    try:
        with (
            hold_note(context.cluster.name, context.state_dir) as note,
            tempfile.TemporaryDirectory(prefix="remediate-log-") as name,
        ):
            recorder = _make_recorder(context, note)
            recorder.refuse_if_running()
            with recorder.recording(tcpdump=False):
                ask()
                recorder.wait(context.limits.effect_log_s)
            logs = recorder.collect(Path(name))
            return {
                peer: view_log(context.environment.read_log(path, context.limits), _ALL_LINES, endpoints.get(peer, ()))
                for peer, path in logs.archives.items()
            }
    except Interrupted:
        raise
    except OutcomeUnknown as error:
        state.add_open_step(context.events, ManualStep(f"{error} {error.next_step}"))
    except RemediateError as error:
        context.events.emit("warning", f"No diagnostic log shows what is in effect: {error} {error.next_step}")
    return {}


def end_left_logging(context: RunContext) -> None:
    """Stop diagnostic logging that an earlier command left running on this cluster; warn where that fails."""
    if not find_left_logging(context.state_dir, context.cluster.name):
        return
    try:
        with hold_note(context.cluster.name, context.state_dir) as note:
            _make_recorder(context, note).end_left()
    except Interrupted:
        raise
    except RemediateError as error:
        context.events.emit("warning", f"{error} {error.next_step}")


def _make_recorder(context: RunContext, note: LoggingNote) -> LogRecorder:
    environment = context.environment
    return LogRecorder(
        context.opened,
        context.peers,
        context.cluster.name,
        note,
        context.limits,
        context.events.forward,
        environment.now,
        environment.pause,
        context.stop.check,
    )
