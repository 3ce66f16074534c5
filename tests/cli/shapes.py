"""The published shape of what each command prints under ``--json``."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pydantic import BaseModel

from remediate.formats import outputs, run_outputs

_SHAPES: dict[str, type[BaseModel]] = {
    "apply": run_outputs.RunResultOutput,
    "certificates": outputs.CertificatesOutput,
    "confirm": run_outputs.RunResultOutput,
    "diagnose": outputs.DiagnosisOutput,
    "doctor": outputs.DoctorOutput,
    "restart": run_outputs.RestartOutput,
    "rollback": run_outputs.RunResultOutput,
    "verify": outputs.VerifyOutput,
    "workaround": run_outputs.WorkaroundOutput,
}


def shape_of(words: Sequence[str]) -> type[BaseModel] | None:
    """Return the shape of what a command line prints; None where none is published."""
    if words[0] == "doctor" and "--pins" in words:
        return outputs.PinsOutput
    if words[0] == "restart" and "--dry-run" in words:
        return run_outputs.RestartDryRunOutput
    if words[0] == "runs":
        return (
            run_outputs.RunRecordOutput
            if words[1:2] == ["show"]
            else run_outputs.RunsOutput
            if words[1:2] != ["export"]
            else None
        )
    return _SHAPES.get(words[0])


def check_output(words: Sequence[str], printed: str) -> None:
    """Raise ValidationError where the JSON document that a command printed is not of its published shape."""
    shape = shape_of(words) if words else None
    if "--json" not in words or shape is None or not printed.strip():
        return
    document = json.loads(printed)
    is_failure = isinstance(document, dict) and set(document) == {"error"}
    (outputs.FailureOutput if is_failure else shape).model_validate_json(printed)
