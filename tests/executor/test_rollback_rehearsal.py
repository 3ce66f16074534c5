"""The dry run of a rollback: what it would undo, what would stop it, and nothing written."""

from __future__ import annotations

from typing import Any

import pytest

from remediate.executor.identity import identify_operator
from remediate.executor.journal.store import Journal
from remediate.executor.lock import hold_cluster, refuse_if_held
from remediate.executor.result import RunResult
from remediate.executor.rollback_rehearsal import preview_rollback, rehearse_rollback
from remediate.model.errors import LockHeld, UsageError
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import CipherList
from tests.executor.clusters import IMP, known_as, plan_for, story
from tests.executor.conftest import Desk
from tests.executor.memory import MemoryCluster
from tests.pki import NOW


def rehearse(desk: Desk, cluster: MemoryCluster, run: str = "last", **changes: Any) -> RunResult:
    environment = cluster.environment(lock_directory=desk.home / "locks", **changes)
    return rehearse_rollback(run, cluster.access, state_dir=desk.state_dir, sink=desk.events.append, environment=environment)


def applied(desk: Desk) -> MemoryCluster:
    cluster = story()
    desk.apply(cluster, plan_for(cluster))
    desk.events.clear()
    return cluster


def journal_text(desk: Desk) -> str:
    with Journal(desk.state_dir) as journal:
        return repr([(run, journal.steps(run.id)) for run in journal.runs()])


def test_a_rehearsal_says_what_is_undone_and_writes_nothing(desk: Desk) -> None:
    cluster = applied(desk)
    sent, journal = cluster.sent, journal_text(desk)

    result = rehearse(desk, cluster)

    assert (result.exit_code, result.state, result.changed) == (0, "dry-run", False)
    rehearsed = desk.messages("would-change")
    assert (cluster.sent, journal_text(desk)) == (sent, journal)
    # And the rollback then does just that
    desk.events.clear()
    desk.rollback(cluster)
    going = [message.replace("Going to ", "Would ") for message in desk.messages("change-start")]
    assert rehearsed == going


def test_the_preview_names_the_same_from_the_journal(desk: Desk) -> None:
    cluster = applied(desk)
    rehearse(desk, cluster)

    changes = preview_rollback("last", cluster.access, desk.state_dir)

    assert [f"Would {change.summary}." for change in changes] == desk.messages("would-change")


def test_what_is_rolled_back_has_nothing_to_undo(desk: Desk) -> None:
    cluster = applied(desk)
    desk.rollback(cluster)

    assert preview_rollback("last", cluster.access, desk.state_dir) == ()
    assert (rehearse(desk, cluster).exit_code, desk.messages("would-change")) == (0, [])


def test_a_peer_without_removal_is_8_before_the_rollback(desk: Desk) -> None:
    cluster = applied(desk)
    cluster.box(2).removal = False

    result = rehearse(desk, cluster)

    assert (result.exit_code, len(result.open_steps)) == (8, 1)
    assert result.open_steps == desk.rollback(cluster).open_steps


def test_a_peer_that_is_down_is_8_before_the_rollback(desk: Desk) -> None:
    cluster = applied(desk)
    cluster.box(3).up = False

    result = rehearse(desk, cluster)

    assert result.exit_code == 8
    assert set(result.open_step_texts) == set(desk.rollback(cluster).open_step_texts)


def test_what_others_changed_is_left_in_a_rehearsal(desk: Desk) -> None:
    cluster = applied(desk)
    for box in cluster.boxes:
        box.ciphers[REVERSE_PROXY_CIPHERS] = CipherList("HIGH")
    cluster.box(1).trusted.remove(IMP.certificate)

    assert rehearse(desk, cluster).exit_code == 0
    assert any("somebody else changed it" in message for message in desk.messages("warning"))
    assert any(IMP.certificate.fingerprint in message for message in desk.messages("nothing-to-do"))
    assert not any("expc1" in message for message in desk.messages("would-change"))


def test_a_rehearsal_is_stopped_by_what_stops_a_rollback(desk: Desk) -> None:
    cluster = applied(desk)
    with pytest.raises(UsageError, match="is of cluster edge"):
        rehearse_rollback("last", known_as("other", "expc1.example.test"), state_dir=desk.state_dir)
    holder = hold_cluster(
        cluster.access, desk.state_dir, desk.home / "locks", operator=identify_operator(), ticket=None, now=lambda: NOW
    )
    with holder, pytest.raises(LockHeld):
        rehearse(desk, cluster)
    refuse_if_held(cluster.access, desk.state_dir, desk.home / "locks")
