"""Events as JSON lines."""

from __future__ import annotations

import io
import json

from remediate.model.events import Event
from remediate.report.events import EventLines
from tests.report.builders import NOON


def test_event_lines_begin_with_the_version_and_count() -> None:
    stream = io.StringIO()
    sink = EventLines(stream, version="1.2.3", now=lambda: NOON)

    sink(Event("peer-read", "read expc1\n", "edge-paris", {"peer": "expc1", "seq": 99}))

    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["type"], first["version"], first["format"]) == ("version", "1.2.3", "remediate.events/1")
    assert second == {
        "type": "peer-read", "message": "read expc1\n", "cluster": "edge-paris", "timestamp": "2026-11-23T12:00:00Z",
        "seq": 1, "peer": "expc1",
    }  # fmt: skip
