"""The JSON of a run."""

from __future__ import annotations

from remediate.language.messages import use_language
from remediate.model.identity import Address
from remediate.model.run import StepRecord, StepState
from remediate.report.run import list_after
from tests.report.run_examples import page_of_a_run


def step(kind: str, certificate: str, state: StepState = "done", peer: str = "expc1") -> StepRecord:
    facts = {"certificate": certificate}
    return StepRecord(1, 6, Address(peer), kind, facts, None, None, state, "sha256:b", "sha256:a", "then", "then", None, "")


def test_the_list_after_a_run_is_made_of_what_was_read_back() -> None:
    steps = (
        step("trust-certificate", "new"),
        step("trust-certificate", "lost", "unknown"),
        step("trust-certificate", "taken back", "undone"),
        step("trust-certificate", "elsewhere", peer="expc2"),
        step("remove-certificate", "stale"),
    )

    assert list_after(("stale", "old"), "expc1", steps) == ("old", "new")


def test_the_columns_and_signs_of_a_page_are_french() -> None:
    use_language("fr")

    page = page_of_a_run()

    assert all(f">{title}</th>" in page for title in ("prévu", "mesuré", "clients"))
    assert "homologue\u00a0: prévus" in page
    assert "\\u{" not in page
