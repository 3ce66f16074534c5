"""The dry run of a rollback: what it would undo, what would stop it, and nothing written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from remediate.executor.identity import identify_operator
from remediate.executor.journal.restarts import record_maintenance
from remediate.executor.journal.store import Journal
from remediate.executor.lock import hold_cluster, refuse_if_held
from remediate.executor.result import RunResult
from remediate.executor.rollback_rehearsal import RollbackPreview, preview_rollback, rehearse_rollback
from remediate.executor.rollback_restart import RollbackRestarts
from remediate.model.errors import LockHeld, UsageError
from remediate.model.exit_codes import ExitCode
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.health import PeerAlarm
from remediate.model.identity import CipherList, Fingerprint
from tests.executor.clusters import IMP, known_as, plan_for, story
from tests.executor.conftest import Desk
from tests.executor.memory import MemoryCluster
from tests.pki import NOW

NEVER, ROLLING, IF_NEEDED = RollbackRestarts(), RollbackRestarts("rolling"), RollbackRestarts("if-needed")


def rehearse(desk: Desk, cluster: MemoryCluster, restarts: RollbackRestarts = NEVER) -> RunResult:
    environment = cluster.environment(lock_directory=desk.home / "locks")
    return rehearse_rollback(
        "last", cluster.access, restarts, state_dir=desk.state_dir, sink=desk.events.append, environment=environment
    )


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
    sent_count, journal = cluster.sent_count, journal_text(desk)

    result = rehearse(desk, cluster)

    assert (result.exit_code, result.state, result.has_written) == (0, "dry-run", False)
    rehearsed = desk.messages("would-change")
    assert (cluster.sent_count, journal_text(desk)) == (sent_count, journal)
    # And the rollback then does just that
    desk.events.clear()
    desk.rollback(cluster)
    going = [message.replace("Now: ", "Would ") for message in desk.messages("change-start")]
    assert rehearsed == going


def look_ahead(desk: Desk, cluster: MemoryCluster) -> RollbackPreview:
    environment = cluster.environment(lock_directory=desk.home / "locks")
    return preview_rollback("last", cluster.access, desk.state_dir, environment=environment)


def test_the_preview_is_what_the_rehearsal_says(desk: Desk) -> None:
    cluster = applied(desk)
    cluster.device(2).removal = False
    rehearsal, sent_count = rehearse(desk, cluster), cluster.sent_count

    preview = look_ahead(desk, cluster)

    assert [f"Would {change.summary}." for change in preview.changes] == desk.messages("would-change")
    assert (preview.steps, len(preview.steps)) == (rehearsal.open_steps, 1)
    assert cluster.sent_count == sent_count


def test_the_preview_names_what_may_still_show(desk: Desk) -> None:
    # Given a write without an answer that is not seen
    cluster = story()
    cluster.faults = {1: "drop-request", 2: "drop-request"}
    assert desk.apply(cluster, plan_for(cluster)).exit_code == ExitCode.PERSON_NEEDED

    preview = look_ahead(desk, cluster)

    # Then a rollback may write although there is nothing to undo now: it waits for what shows late
    assert (preview.changes, preview.steps) == ((), ())
    assert [change.peer for change in preview.late] == [cluster.device(1).address]
    (step,) = desk.journal().steps(desk.journal().run("last").id)
    certificate = desk.journal().certificate(Fingerprint(step.facts["certificate"]))
    desk.rollback(cluster, pause=lambda _: cluster.device(1).trusted.append(certificate))
    assert cluster.sent_count == 3


def test_what_is_rolled_back_has_nothing_to_undo(desk: Desk) -> None:
    cluster = applied(desk)
    desk.rollback(cluster)

    assert look_ahead(desk, cluster) == RollbackPreview((), ())
    assert (rehearse(desk, cluster).exit_code, desk.messages("would-change")) == (0, [])


def test_a_peer_without_removal_is_8_before_the_rollback(desk: Desk) -> None:
    cluster = applied(desk)
    cluster.device(2).removal = False

    result = rehearse(desk, cluster)

    assert (result.exit_code, len(result.open_steps)) == (8, 1)
    assert result.open_steps == desk.rollback(cluster).open_steps


def test_a_peer_that_is_down_is_8_before_the_rollback(desk: Desk) -> None:
    cluster = applied(desk)
    cluster.device(3).up = False

    result = rehearse(desk, cluster)

    assert result.exit_code == 8
    assert set(result.open_step_texts) == set(desk.rollback(cluster).open_step_texts)


def test_what_others_changed_is_left_in_a_rehearsal(desk: Desk) -> None:
    cluster = applied(desk)
    for device in cluster.devices:
        device.ciphers[REVERSE_PROXY_CIPHERS] = CipherList("HIGH")
    cluster.device(1).trusted.remove(IMP.certificate)

    assert rehearse(desk, cluster).exit_code == 0
    assert any("someone else has changed it" in message for message in desk.messages("warning"))
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


def restarted(desk: Desk) -> MemoryCluster:
    """Peers that work with what a run wrote to them, by their restarts."""
    cluster = story().run_since_long()
    desk.apply(cluster, plan_for(cluster), restart="rolling")
    desk.events.clear()
    return cluster


def guards_of(desk: Desk, number: int) -> list[str]:
    return [message for message in desk.messages("guard") if message.startswith(f"expc{number}.example.test: ")]


def would_restart(desk: Desk) -> list[str]:
    return [message[:19] for message in desk.messages("would-change") if message.startswith("Would restart")]


def test_a_rehearsal_shows_the_guards_where_it_restarts(desk: Desk) -> None:
    cluster = restarted(desk)
    sent_count = cluster.sent_count

    assert rehearse(desk, cluster).exit_code == 0
    assert (desk.messages("guard"), would_restart(desk)) == ([], [])
    for choice in (ROLLING, IF_NEEDED):
        desk.events.clear()
        assert rehearse(desk, cluster, choice).exit_code == 0
        assert [len(guards_of(desk, number)) for number in (1, 2, 3)] == [7, 7, 7]
        assert would_restart(desk) == [f"Would restart expc{number}" for number in (1, 2, 3)]
    assert cluster.sent_count == sent_count


def test_a_guard_that_fails_is_8_only_where_all_restart(desk: Desk) -> None:
    cluster = restarted(desk)
    cluster.device(2).health = replace(cluster.device(2).health, alarms=(PeerAlarm("25026", "Restart required"),))

    rolling = rehearse(desk, cluster, ROLLING)

    assert (rolling.exit_code, [step.peer for step in rolling.open_steps]) == (8, [cluster.device(2).address])
    assert any("restart-required fails: alarm 25026" in message for message in guards_of(desk, 2))
    assert would_restart(desk) == ["Would restart expc1", "Would restart expc3"]
    assert rehearse(desk, cluster, IF_NEEDED).exit_code == 0


def test_peers_that_never_loaded_the_run_would_not_restart(desk: Desk) -> None:
    cluster = story().run_since_long()
    desk.apply(cluster, plan_for(cluster), restart="never")
    assert rehearse(desk, cluster, ROLLING).exit_code == 0
    assert (desk.messages("guard"), would_restart(desk)) == ([], [])
    # And the rollback does not restart them either
    assert desk.rollback(cluster, restarts=ROLLING).exit_code == 0
    assert "restart" not in {write.action for write in cluster.writes}


def test_peers_that_restarted_since_the_undo_would_not_restart(desk: Desk) -> None:
    cluster = restarted(desk)
    assert desk.rollback(cluster, restarts=ROLLING).exit_code == 0
    desk.events.clear()
    assert rehearse(desk, cluster, ROLLING).exit_code == 0
    assert would_restart(desk) == []


def test_a_rehearsal_names_maintenance_mode_that_was_left_on(desk: Desk) -> None:
    cluster = restarted(desk)
    with desk.journal() as journal:
        run = journal.run("last").id
    with Journal(desk.state_dir, writable=True) as journal:
        record_maintenance(journal, run, "edge", cluster.device(1).address, identify_operator(), NOW, None)
    rehearse(desk, cluster)
    assert any("Maintenance mode of expc1.example.test" in text for text in desk.messages("warning"))
