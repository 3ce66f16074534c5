"""``remediate.recording/1``: the JSON document of a recording, read and written."""

from __future__ import annotations

from typing import Final, Literal

from remediate.formats.document import Text, Wire, parse_document, validate
from remediate.model.canonical import document_json
from remediate.model.recording import Exchange, PeerRecording, Recording

RECORDING_FORMAT: Final = "remediate.recording/1"


class ExchangeWire(Wire):
    by: Literal["rest", "shell"]
    question: Text
    outcome: Literal["answered", "not-offered", "not-read"]
    text: str


class PeerRecordingWire(Wire):
    peer: Text
    primary: bool
    exchanges: list[ExchangeWire]
    not_understood: list[str] = []


class RecordingWire(Wire):
    format: str
    made_by: str = ""
    peers: list[PeerRecordingWire]


def read_recording(text: str | bytes) -> Recording:
    """Return the recording in `text`. Raises FormatError."""
    wire = validate(RecordingWire, parse_document(text, RECORDING_FORMAT), "recording")
    return Recording(
        wire.made_by,
        tuple(
            PeerRecording(
                peer.peer,
                peer.primary,
                tuple(Exchange(entry.by, entry.question, entry.outcome, entry.text) for entry in peer.exchanges),
                tuple(peer.not_understood),
            )
            for peer in wire.peers
        ),
    )


def write_recording(recording: Recording) -> str:
    """Return the JSON document of `recording`."""
    return document_json(
        {
            "format": RECORDING_FORMAT,
            "made_by": recording.made_by,
            "peers": [
                {
                    "peer": peer.peer,
                    "primary": peer.primary,
                    "exchanges": [
                        {"by": entry.channel, "question": entry.question, "outcome": entry.outcome, "text": entry.text}
                        for entry in peer.exchanges
                    ],
                    "not_understood": list(peer.not_understood),
                }
                for peer in recording.peers
            ],
        }
    )
