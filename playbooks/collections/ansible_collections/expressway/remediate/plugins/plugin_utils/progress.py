# Copyright (c) remediate contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Progress of a long task: what the program does, shown while it does it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import threading
from pathlib import Path

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

PERIOD_S = 0.5
DETAILS = frozenset({"version", "summary", "step", "guard", "endpoint-probed", "nothing-to-do", "observe-start"})
"""Types of events that only C(-vv) shows."""

display = Display()


class ProgressAction(ActionBase):
    """Runs the module of the same name, and shows its events from C(-v) on where the module runs on the controller."""

    _supports_async = True

    def run(self, tmp=None, task_vars=None):
        """Run the module, and follow the file with its events meanwhile."""
        result = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        is_here = self._connection.transport == "local" and not self._task.async_val
        is_followed = display.verbosity > 0 and is_here and not self._task.no_log
        with contextlib.ExitStack() as stack:
            if is_followed:
                events = arguments.setdefault("events", str(_make_events_file(stack)))
                host = (task_vars or {}).get("inventory_hostname", "")
                stack.enter_context(_Follower(events, host))
            result.update(self._execute_module(module_args=arguments, task_vars=task_vars, wrap_async=self._task.async_val))
        return result


def _make_events_file(stack):
    folder = tempfile.mkdtemp(prefix="remediate-events-")
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder) / "events.jsonl"


class _Follower:
    """Shows the lines of a file as they come, until the end of a `with` block."""

    def __init__(self, path, host):
        self._path = Path(path)
        self._host = host
        self._offset = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self):
        # What an earlier task left in the file is not shown; the program empties it.
        with contextlib.suppress(OSError):
            os.truncate(self._path, 0)
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._end.set()
        self._thread.join()

    def _follow(self):
        while not self._end.wait(PERIOD_S):
            self._show_new_lines()
        self._show_new_lines()

    def _show_new_lines(self):
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                lines = file.read().split(b"\n")
        except OSError:
            return
        # The last one is not whole yet.
        self._offset += sum(len(line) + 1 for line in lines[:-1])
        for line in lines[:-1]:
            with contextlib.suppress(ValueError):
                self._show(json.loads(line))

    def _show(self, event):
        words = str(event.get("message", ""))
        text = f"<{self._host}> " + "".join(letter if letter.isprintable() else "?" for letter in words)
        if event.get("type") in DETAILS:
            display.vv(text)
        else:
            display.v(text)
