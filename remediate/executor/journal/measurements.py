"""Measurements of each run, in the journal: the evidence that its report shows beside the plan."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from remediate.executor.journal.store import Journal
from remediate.model.effect import ClientState, ClientView
from remediate.model.identity import Address
from remediate.model.masking import mask
from remediate.model.measurement import PairMeasurement
from remediate.model.verdict import Cause, Verdict


def record_measurements(journal: Journal, run: str, measurements: Iterable[PairMeasurement]) -> None:
    """Record what `run` measured, in the place of what it measured before it was resumed; nothing where it measured nothing."""
    documents = [_write(measurement) for measurement in measurements]
    if documents:
        with journal.transaction() as db:
            text = mask(json.dumps(documents, separators=(",", ":")))
            db.execute("INSERT OR REPLACE INTO measurements VALUES (?, ?)", (run, text))


def load_measurements(journal: Journal, run: str) -> tuple[PairMeasurement, ...]:
    """Return what `run` measured; empty: nothing, or its journal is of an earlier version."""
    rows = journal.rows_of("measurements", "SELECT pairs FROM measurements WHERE run = ?", run)
    return tuple(_read(document) for row in rows for document in json.loads(row["pairs"]))


def _write(measurement: PairMeasurement) -> dict[str, Any]:
    return {
        "address": measurement.address,
        "port": measurement.port,
        "peer": measurement.peer,
        "before": _write_verdict(measurement.before) if measurement.before else None,
        "after": _write_verdict(measurement.after),
        "client": [measurement.client.state.value, measurement.client.description],
    }


def _read(document: dict[str, Any]) -> PairMeasurement:
    state, description = document["client"]
    return PairMeasurement(
        Address(document["address"]),
        document["port"],
        Address(document["peer"]),
        _read_verdict(document["before"]) if document["before"] else None,
        _read_verdict(document["after"]),
        ClientView(ClientState(state), description),
    )


def _write_verdict(verdict: Verdict) -> list[Any]:
    return [verdict.ok, verdict.cause, verdict.error, verdict.code, verdict.depth, verdict.observed, verdict.key]


def _read_verdict(values: list[Any]) -> Verdict:
    ok, cause, error, code, depth, observed, key = values
    return Verdict(ok, Cause(cause) if cause else None, error, code, depth, observed, key)
