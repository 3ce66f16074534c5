"""What the journal holds of a run, and what is left to a person, as they are shown."""

from __future__ import annotations

from remediate.cli.runs_view import by_peer, list_after
from remediate.model.identity import Address
from remediate.model.run import StepRecord, StepState

PEERS = ("expc1", "expc10", "10.0.0.1", "fd00::1", "expc1.example.test")


def step(kind: str, certificate: str, state: StepState = "done", peer: str = "expc1") -> StepRecord:
    facts = {"certificate": certificate}
    return StepRecord(1, 6, Address(peer), kind, facts, None, None, state, "sha256:b", "sha256:a", "then", "then", None, "")


def test_open_steps_stand_under_the_peer_that_they_name() -> None:
    steps = (
        "On expc10, open the page.",
        "On expc1, open the page and delete CN=x (sha256:ab).",
        "Still to do: remove y on 10.0.0.1. 10.0.0.1 cannot be reached.",
        "Refresh on expc1.example.test: it checks.",
        "On [fd00::1], press it.",
        "On expc1 and expc10, wait.",
        "Open Configuration, on the primary.",
        "On 10.0.0.11, nothing of ours.",
    )

    grouped = by_peer(steps, PEERS)

    assert list(grouped) == ["expc1", "expc10", "10.0.0.1", "fd00::1", "expc1.example.test", ""]
    assert grouped["expc1"] == [steps[1]]
    assert grouped["expc10"] == [steps[0]]
    assert grouped["10.0.0.1"] == [steps[2]]
    assert grouped["expc1.example.test"] == [steps[3]]
    assert grouped["fd00::1"] == [steps[4]]
    assert grouped[""] == list(steps[5:])


def test_the_list_after_a_run_is_made_of_what_was_read_back() -> None:
    steps = (
        step("trust-certificate", "new"),
        step("trust-certificate", "lost", "unknown"),
        step("trust-certificate", "taken back", "undone"),
        step("trust-certificate", "elsewhere", peer="expc2"),
        step("remove-certificate", "stale"),
    )

    assert list_after(("stale", "old"), "expc1", steps) == ("old", "new")
