"""Events as JSON lines, for programs. The first line gives the version; readers print `message` of an unknown type."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import datetime
from typing import TextIO

from remediate.model.canonical import rfc3339
from remediate.model.events import Event

FORMAT = "remediate.events/1"


class EventLines:
    """Sink that writes one line per event to `stream`, numbered in one order for all threads."""

    def __init__(self, stream: TextIO, *, version: str, now: Callable[[], datetime]) -> None:
        self._stream = stream
        self._now = now
        self._lock = threading.Lock()
        self._seq = 0
        self(Event("version", f"remediate {version}", fields={"format": FORMAT, "version": version}))

    def __call__(self, event: Event) -> None:
        """Write `event`; its own fields never replace the common ones."""
        with self._lock:
            line = {
                **event.fields,
                "type": event.type,
                "message": event.message,
                "cluster": event.cluster,
                "timestamp": rfc3339(self._now()),
                "seq": self._seq,
            }
            self._seq += 1
            self._stream.write(json.dumps(line, sort_keys=True) + "\n")
            self._stream.flush()
