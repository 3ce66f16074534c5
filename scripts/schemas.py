"""The published JSON Schemas, made from the shapes of files, of inventories and of what commands print.

`python -m scripts.schemas` writes them to docs/schema.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from remediate.formats import outputs, run_outputs
from remediate.formats.approvals import APPROVALS_FORMAT, ApprovalsWire
from remediate.formats.plan import PLAN_FORMAT, PlanWire
from remediate.formats.recording import RECORDING_FORMAT, RecordingWire
from remediate.formats.snapshot import SNAPSHOT_FORMAT, SnapshotWire
from remediate.inventory.shape import InventoryShape

FOLDER = Path(__file__).parents[1] / "docs/schema"
FILES: dict[str, tuple[type[BaseModel], str]] = {
    "snapshot-1.json": (SnapshotWire, SNAPSHOT_FORMAT),
    "plan-1.json": (PlanWire, PLAN_FORMAT),
    "approvals-1.json": (ApprovalsWire, APPROVALS_FORMAT),
    "recording-1.json": (RecordingWire, RECORDING_FORMAT),
    "inventory-1.json": (InventoryShape, "Inventory of remediate, version 1"),
    "certificates-1.json": (outputs.CertificatesOutput, "remediate certificates --json"),
    "diagnosis-1.json": (outputs.DiagnosisOutput, "remediate diagnose --json"),
    "doctor-1.json": (outputs.DoctorOutput, "remediate doctor --json"),
    "error-1.json": (outputs.FailureOutput, "what a command prints under --json where it ends with an error"),
    "event-1.json": (outputs.EventOutput, "a line of --events"),
    "pins-1.json": (outputs.PinsOutput, "remediate doctor --pins --json"),
    "restart-1.json": (run_outputs.RestartOutput, "remediate restart --json"),
    "restart-dry-run-1.json": (run_outputs.RestartDryRunOutput, "remediate restart --dry-run --json"),
    "run-1.json": (run_outputs.RunRecordOutput, "remediate runs show RUN --json"),
    "run-result-1.json": (run_outputs.RunResultOutput, "remediate apply, rollback and confirm --json"),
    "runs-1.json": (run_outputs.RunsOutput, "remediate runs --json"),
    "verify-1.json": (outputs.VerifyOutput, "remediate verify --json"),
    "workaround-1.json": (run_outputs.WorkaroundOutput, "remediate workaround --json"),
}


def schemas() -> dict[str, str]:
    """Return the text of each schema, by file name."""
    texts = {}
    for name, (shape, title) in FILES.items():
        schema = shape.model_json_schema(by_alias=True, mode="validation")
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **_without_defaults(schema), "title": title}
        texts[name] = json.dumps(schema, indent=2, sort_keys=True) + "\n"
    return texts


def _without_defaults(schema: Any) -> Any:
    """Return a schema without ``additionalProperties: true``, the default, which some versions of pydantic write and others do not."""
    if isinstance(schema, list):
        return [_without_defaults(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_defaults(value) for key, value in schema.items() if not (key == "additionalProperties" and value is True)
    }


if __name__ == "__main__":
    for file_name, text in schemas().items():
        (FOLDER / file_name).write_text(text, encoding="utf-8")
