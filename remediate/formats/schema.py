"""The published JSON Schemas, made from the formats: ``python -m remediate.formats.schema docs/schema`` writes them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pydantic import BaseModel

from remediate.formats.approvals import APPROVALS_FORMAT, ApprovalsWire
from remediate.formats.plan import PLAN_FORMAT, PlanWire
from remediate.formats.recording import RECORDING_FORMAT, RecordingWire
from remediate.formats.snapshot import SNAPSHOT_FORMAT, SnapshotWire

FILES: dict[str, tuple[type[BaseModel], str]] = {
    "snapshot-1.json": (SnapshotWire, SNAPSHOT_FORMAT),
    "plan-1.json": (PlanWire, PLAN_FORMAT),
    "approvals-1.json": (ApprovalsWire, APPROVALS_FORMAT),
    "recording-1.json": (RecordingWire, RECORDING_FORMAT),
}


def schemas() -> dict[str, str]:
    """Return the text of each schema, by file name."""
    texts = {}
    for name, (shape, title) in FILES.items():
        schema = shape.model_json_schema(by_alias=True, mode="validation")
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": title}
        texts[name] = json.dumps(schema, indent=2, sort_keys=True) + "\n"
    return texts


if __name__ == "__main__":
    for file_name, text in schemas().items():
        (Path(sys.argv[1]) / file_name).write_text(text, encoding="utf-8")
