"""The whole story of one cluster, by the playbooks: what a check predicts, what is `changed`, what a log may show."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from remediate.lab import Lab
from tests.playbooks.conftest import Fleet, Played

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("story")]

ADDED = re.compile(r"^\+(sha256:[0-9a-f]{64}) (.+)$", re.MULTILINE)
HEADER = re.compile(r"^--- before: (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Story:
    """The whole story of one cluster, played once: plan, check, apply, check again, verify.

    Attributes:
        writes: How many writes the peers were asked for after the check, the apply and the second check.
    """

    fleet: Fleet
    planned: Played
    checked: Played
    applied: Played
    checked_again: Played
    verified: Played
    writes: tuple[int, int, int]

    @property
    def printed(self) -> str:
        plays = (self.planned, self.checked, self.applied, self.checked_again, self.verified)
        return "".join(played.printed for played in plays)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("story")
    with Lab(folder / "lab", "reloads-by-itself", judge=False) as lab:
        fleet = Fleet(folder, {"edge-lab": lab})
        planned = fleet.play("plan")
        checked = fleet.play("apply", "--check", "--diff")
        counts = [fleet.writes]
        applied = fleet.play("apply", "--diff", "-e", "remediate_ticket=CHG1")
        counts.append(fleet.writes)
        checked_again = fleet.play("apply", "--check", "--diff")
        counts.append(fleet.writes)
        verified = fleet.play("verify")
        yield Story(fleet, planned, checked, applied, checked_again, verified, (counts[0], counts[1], counts[2]))


def test_a_plan_is_ok_and_says_what_is_pending(story: Story) -> None:
    assert story.planned.outcome == (0, {"edge-lab": (0, 0)})
    assert "Stays refused: voicemail.steven.lab:8443, name-mismatch" in story.planned.printed


def test_a_check_predicts_changed_and_writes_nothing(story: Story) -> None:
    assert (story.checked.outcome, story.writes[0]) == ((0, {"edge-lab": (1, 0)}), 0)
    assert "Dry run: nothing was written." in story.checked.printed


def test_an_apply_is_changed(story: Story) -> None:
    assert (story.applied.outcome, story.writes[1] > 0) == ((0, {"edge-lab": (1, 0)}), True)
    assert "Written and read back." in story.applied.printed
    assert "a rollback would ask you to delete by hand" in story.applied.printed


def test_the_differences_are_those_that_the_check_showed(story: Story) -> None:
    headers = HEADER.findall(story.applied.printed)
    added = ADDED.findall(story.applied.printed)

    assert headers == [f"edge-lab {peer.address} trusted CA list" for peer in story.fleet.lab.peers]
    assert "CN=steven-Issuing-CA,O=Steven Lab" in {name for _, name in added}
    assert (HEADER.findall(story.checked.printed), ADDED.findall(story.checked.printed)) == (headers, added)


def test_a_check_after_the_apply_predicts_no_change(story: Story) -> None:
    assert story.checked_again.outcome == (0, {"edge-lab": (0, 0)})
    assert ADDED.findall(story.checked_again.printed) == []
    assert story.writes[2] == story.writes[1]


def test_verify_fails_for_what_is_left_to_people(story: Story) -> None:
    # The name of the voicemail node stays wrong, which no change of trust mends.
    assert story.verified.outcome == (2, {"edge-lab": (0, 1)})
    assert "30 of 33 checks pass" in story.verified.printed
    assert "ot in effect" not in story.verified.printed


def test_verbose_output_shows_what_happens_before_the_result(story: Story) -> None:
    printed = story.applied.printed
    progress = [line for line in printed.splitlines() if line.startswith("<edge-lab> Read back: trust ")]

    assert len(progress) >= len(story.fleet.lab.peers)
    assert printed.index(progress[0]) < printed.index('"run_id": ')


def test_no_password_is_in_an_output_or_a_command_line(story: Story) -> None:
    output = story.printed + story.fleet.calls.read_text()

    for secret in (story.fleet.lab.accounts.password, story.fleet.lab.accounts.axl_password):
        assert secret not in output
        assert base64.b64encode(secret.encode()).decode() not in output
    assert list(story.fleet.home.iterdir()) == []
