"""The recording's file: what is written is read back."""

from __future__ import annotations

import pytest

from remediate.formats.recording import read_recording, write_recording
from remediate.model.errors import FormatError
from remediate.model.recording import Exchange, PeerRecording, Recording


def test_a_recording_is_read_as_it_was_written() -> None:
    exchanges = (Exchange("rest", "GET /api", "answered", "{}"), Exchange("shell", "xStatus", "not-offered", ""))
    recording = Recording("remediate 0.2.0", (PeerRecording("peer 1", True, exchanges, ("xStatus",)),))

    assert read_recording(write_recording(recording)) == recording


def test_another_document_is_no_recording() -> None:
    with pytest.raises(FormatError, match=r"remediate\.recording"):
        read_recording('{"format": "remediate.plan/1"}')
