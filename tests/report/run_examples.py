"""A run of the large plan that measured all of it, as a page and as the last screen of an apply."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from remediate.model.effect import ClientState, ClientView, EffectSource, EffectState, PeerEffect
from remediate.model.events import Event
from remediate.model.measurement import PairMeasurement
from remediate.model.run import Run, StepRecord
from remediate.report.effects import show_effects
from remediate.report.ending import Ending, print_ending
from remediate.report.run import run_record
from remediate.report.run_page import run_page
from remediate.report.run_progress import ExpectedWork, RunProgress
from remediate.report.terminal import show_matrix
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


def print_end_of_a_run(console: Console) -> None:
    """Print a run as it goes on, then its last screen."""
    seconds = iter(range(0, 10_000, 17))
    work = ExpectedWork(PEERS, dict.fromkeys(PEERS, 4), lambda run: f"remediate rollback {run}")
    progress = RunProgress(console, work, clock=lambda: next(seconds), now=lambda: datetime(2026, 11, 29, 0, 48, 7, tzinfo=UTC))
    progress(Event("run-state", "", "mra-france-production", {"run": RUN_ID}))
    for number, peer in enumerate(PEERS[:3]):
        for kind in ("change-start", *["change-complete"] * (4 if number < 2 else 1)):
            subject = f"CN=Example Entreprise Issuing CA {number}"
            facts: dict[str, str | int | bool | None] = {
                "peer": peer,
                "change": "trust-certificate",
                "certificate": SHA,
                "subject": subject,
            }
            progress(Event(kind, "", "mra-france-production", facts))
    progress(Event("waiting", "expressway-c3 restarts.", "", {"seconds": 900}))
    console.print(progress.render())
    show_matrix(console, large_plan(60).endpoints, tense="measured")
    show_effects(
        console, [PeerEffect(peer, EffectState.YES, EffectSource.CLIENT, "a client reached every service") for peer in PEERS]
    )
    ending = Ending(664.0, f"/home/ann/.local/state/remediate/reports/{RUN_ID}.html", f"remediate rollback {RUN_ID} -i inventory.yml",
                    f"remediate confirm {RUN_ID}", datetime(2026, 11, 29, 1, 13, 16, tzinfo=UTC))  # fmt: skip
    console.print()
    print_ending(console, ending, datetime(2026, 11, 29, 0, 58, 16, tzinfo=UTC))
