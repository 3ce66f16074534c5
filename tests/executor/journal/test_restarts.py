"""What the journal holds for restarts: runs without a plan, alarms, assumptions, and maintenance mode until it is read as off."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from remediate.executor.identity import identify_operator
from remediate.executor.journal.restarts import (
    end_maintenance,
    find_maintenance_left_on,
    load_alarms,
    load_open_maintenance,
    load_unsettled_restarts,
    record_alarms,
    record_assumptions,
    record_maintenance,
)
from remediate.executor.journal.schema import MIGRATIONS, migrate
from remediate.executor.journal.store import FILE_NAME, Journal, UnknownRun
from remediate.executor.operations import RestartOnPeer
from remediate.model.errors import UsageError
from remediate.model.exit_codes import ExitCode
from remediate.model.identity import Address
from remediate.model.restart import Guard
from tests.executor.clusters import plan_for, story
from tests.executor.conftest import Desk
from tests.pki import NOW

FIRST, SECOND = Address("expc1.example.test"), Address("expc2.example.test")


def begin(journal: Journal, cluster: str = "edge") -> str:
    return journal.begin_without_plan("restart", cluster, (FIRST, SECOND), operator=identify_operator(), ticket="CHG-9")


def test_a_restart_is_a_run_without_a_plan(tmp_path: Path) -> None:
    with Journal(tmp_path, writable=True) as journal:
        run = begin(journal)
        journal.close_run(run, "applied", "Restarted.", ExitCode.DONE)
        record = journal.run("last")
    assert (record.id, record.kind, record.plan, record.exit_code) == (run, "restart", None, 0)
    assert (record.peers, record.ticket, record.state) == ((FIRST, SECOND), "CHG-9", "applied")


def test_last_passes_over_restarts_where_a_plan_is_needed(tmp_path: Path) -> None:
    with Journal(tmp_path, writable=True) as journal:
        begin(journal)
        assert journal.run("last").kind == "restart"
        with pytest.raises(UnknownRun):
            journal.run("last", with_plan=True)


def test_a_restart_cannot_be_rolled_back(desk: Desk) -> None:
    # Given an apply, and a restart after it
    cluster = story()
    applied = desk.apply(cluster, plan_for(cluster)).run_id
    with Journal(desk.state_dir, writable=True) as journal:
        restart = begin(journal)
        journal.close_run(restart, "applied", "Restarted.", ExitCode.DONE)
    # When the restart is to be rolled back, Then that is refused; last is the apply, whatever restarted since
    with pytest.raises(UsageError, match="is a restart"):
        desk.rollback(cluster, restart)
    assert desk.rollback(cluster).run_id == applied
    assert cluster.state() == story().state()


def test_the_journal_keeps_the_alarms_before_the_first_write(tmp_path: Path) -> None:
    with Journal(tmp_path, writable=True) as journal:
        run = begin(journal)
        record_alarms(journal, run, {FIRST: ["25026", "15028"], SECOND: []}, NOW)
        # When the run is resumed, Then what was read before its first write stays
        record_alarms(journal, run, {FIRST: ["20020"]}, NOW)
        assert load_alarms(journal, run) == {FIRST: {"25026", "15028"}, SECOND: frozenset()}


def test_the_journal_keeps_the_guards_that_were_assumed(tmp_path: Path) -> None:
    with Journal(tmp_path, writable=True) as journal:
        run = begin(journal)
        record_assumptions(journal, run, FIRST, [Guard.REPLICATION, Guard.ALARMS], NOW)
        rows = journal.rows_of("assumptions", "SELECT * FROM assumptions WHERE run = ?", run)
        assert sorted((row["peer"], row["guard"]) for row in rows) == [(FIRST, "alarms"), (FIRST, "replication")]


def test_maintenance_mode_is_open_until_it_is_read_as_off(tmp_path: Path) -> None:
    with Journal(tmp_path, writable=True) as journal:
        run = begin(journal)
        number = record_maintenance(journal, run, "edge", FIRST, identify_operator(), NOW, NOW)
        record_maintenance(journal, begin(journal, "paris"), "paris", SECOND, identify_operator(), NOW, None)
        [record] = load_open_maintenance(journal, "edge")
        assert (record.number, record.peer, record.started_at) == (number, FIRST, "2026-11-23T10:00:00Z")
        assert f"turned on by run {run} (" in str(record)
        assert [record.peer for record in find_maintenance_left_on(tmp_path, "paris")] == [SECOND]
        end_maintenance(journal, number, NOW, "")
        assert load_open_maintenance(journal, "edge") == ()


def test_the_last_restart_of_a_peer_says_whether_it_is_settled(tmp_path: Path) -> None:
    with Journal(tmp_path, writable=True) as journal:
        run = begin(journal)
        first = journal.record_intent(run, 11, RestartOnPeer(FIRST), "")
        journal.record_outcome(run, first, "unknown")
        second = journal.record_intent(run, 11, RestartOnPeer(SECOND), "")
        assert [(restart.run, restart.step.peer) for restart in load_unsettled_restarts(journal, "edge")] == [
            (run, FIRST),
            (run, SECOND),
        ]
        journal.record_outcome(run, second, "done")
        again = journal.record_intent(begin(journal), 11, RestartOnPeer(FIRST), "")
        journal.record_outcome(journal.run("last").id, again, "done")
        assert load_unsettled_restarts(journal, "edge") == ()


def test_an_older_journal_holds_no_alarms_and_no_maintenance(tmp_path: Path) -> None:
    # Given a journal of the version before, opened for reading
    db = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    migrate(db, MIGRATIONS[:5])
    db.close()
    with Journal(tmp_path) as journal:
        assert journal.runs() == ()
        assert load_open_maintenance(journal, "edge") == ()
        assert load_alarms(journal, "none") == {}
    assert find_maintenance_left_on(tmp_path / "absent", "edge") == ()
