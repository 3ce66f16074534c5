"""A run of the large plan that measured all of it, as a page."""

from __future__ import annotations

from typing import Any

from remediate.model.effect import ClientState, ClientView
from remediate.model.measurement import PairMeasurement
from remediate.model.run import Run, StepRecord
from remediate.report.run import run_record
from remediate.report.run_page import run_page
from tests.report.large_plan import PEERS, large_plan

RUN_ID = "261129-004712-4d70"
SHA = "sha256:" + "7f8f7c26" * 8


def page_of_a_run(text: str = "Written and read back. In effect on every peer.", name: str = "mra-france-production") -> str:
    """Return the page of a run that waits for its confirmation; `text` stands wherever a text of the journal does."""
    return run_page(record_of_a_run(text, name), {}, large_plan(60), measured_pairs())


def record_of_a_run(text: str = "Written and read back.", name: str = "mra-france-production") -> dict[str, Any]:
    """Return what the journal holds of that run."""
    plan = large_plan(60)
    run = Run(RUN_ID, name, plan.id, "confirm-pending", "2026-11-29T00:47:12Z", "2026-11-29T00:58:16Z", "CHG0012345", "ann", "jump", 7,
              PEERS, text, "2026-11-29T01:13:16Z", exit_code=9)  # fmt: skip
    steps = [
        StepRecord(number, 10, peer, "restart-peer", {}, None, None, "done", "sha256:b", "sha256:a", f"2026-11-29T00:5{number}:00Z",
                   f"2026-11-29T00:5{number}:58Z", None, "")
        for number, peer in enumerate(PEERS)
    ]  # fmt: skip
    remark = f"Confirm it by 2026-11-29T01:13:16Z: `remediate confirm {RUN_ID}`. Otherwise it is rolled back."
    return run_record(run, steps, {}, [], remark)


def measured_pairs() -> list[PairMeasurement]:
    """Return what the run measured: what the plan says, and clients that reached every second endpoint."""
    pairs = []
    for number, pair in enumerate(large_plan(60).endpoints):
        answer = ClientState.REACHED if pair.after.ok else ClientState.REFUSED
        view = ClientView(answer if number // 6 % 2 else ClientState.NOT_ASKED, "as the edge answered")
        pairs.append(PairMeasurement(pair.address, pair.port, pair.peer, pair.before, pair.after, view))
    return pairs
