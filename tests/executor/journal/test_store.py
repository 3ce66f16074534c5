"""The journal: what it keeps, how it is kept, and what refuses it before the first write."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from remediate.executor.identity import identify_operator
from remediate.executor.journal.schema import MIGRATIONS, migrate, version_of
from remediate.executor.journal.store import FILE_NAME, Journal, JournalError
from remediate.formats import plan_id
from remediate.model.plan import Plan
from tests.executor.clusters import IMP, plan_for, story
from tests.executor.conftest import Desk
from tests.pki import NOW


def test_a_run_is_kept_with_all_that_rollback_needs(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster)
    result = desk.apply(cluster, plan, ticket="CHG-9")
    with desk.journal() as journal:
        run = journal.run("last")
        steps = journal.steps(run.id)
        assert (run.id, run.state, run.ticket, run.plan) == (result.run_id, "applied", "CHG-9", plan.id)
        assert run.user
        assert run.host
        assert run.started_at == "2026-11-23T10:00:00Z"
        assert journal.plan(run.id) == plan
        start = [certificate.fingerprint for certificate in story().device(3).trusted]
        assert list(journal.backups(run.id)[cluster.device(3).address].trusted_ca) == start
        assert journal.certificate(IMP.certificate.fingerprint) == IMP.certificate
        assert [step.number for step in steps] == [6, 6, 6, 6, 9, 11]
        assert {step.state for step in steps} == {"done"}
        assert [step.inverse_kind for step in steps] == ["remove-certificate"] * 4 + ["set-ciphers", None]
        assert all(step.before != step.after for step in steps[:5])


def test_a_plan_of_a_later_version_is_kept_under_its_id(desk: Desk) -> None:
    # Given a plan with a key that this version does not know, which counts for its id
    cluster = story()
    document = json.loads(plan_for(cluster).to_json()) | {"of_a_later_version": True}
    plan = Plan.from_json(json.dumps(document | {"id": plan_id(document)}))
    # When it is applied and rolled back, Then the journal gives it back as it was applied
    run = desk.apply(cluster, plan).run_id
    assert desk.rollback(cluster).state == "rolled-back"
    assert desk.journal().plan(run) == plan


def test_two_runs_in_one_second_have_different_ids(tmp_path: Path) -> None:
    draws = iter(["4f2a", "4f2a", "4f2b"])
    with Journal(tmp_path, writable=True, now=lambda: NOW, suffix=lambda: next(draws)) as journal:
        first, second = (journal.begin_without_plan("restart", "edge", (), operator=identify_operator()) for _ in range(2))
    assert (first[-4:], second[-4:], first[:-4]) == ("4f2a", "4f2b", second[:-4])


def test_a_journal_of_an_older_version_keeps_its_runs(desk: Desk) -> None:
    # Given a journal with a run
    cluster = story()
    desk.apply(cluster, plan_for(cluster))
    db = sqlite3.connect(desk.state_dir / FILE_NAME, isolation_level=None)
    # When a later version with one more script opens it
    migrate(db, (*MIGRATIONS, "ALTER TABLE runs ADD COLUMN later TEXT"))
    # Then the run is there, and the journal has the new version
    assert version_of(db) == len(MIGRATIONS) + 1
    assert db.execute("SELECT state, later FROM runs").fetchall() == [("applied", None)]
    db.close()
    # And this version, which does not know it, refuses it in one sentence
    with pytest.raises(JournalError, match="newer version"):
        Journal(desk.state_dir)


def test_a_migration_that_fails_leaves_the_old_version(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "journal", isolation_level=None)
    with pytest.raises(sqlite3.OperationalError):
        migrate(db, ("CREATE TABLE a (b); CREATE TABLE a (b)",))
    db.rollback()
    assert version_of(db) == 0
    assert db.execute("SELECT name FROM sqlite_master").fetchall() == []
    db.close()


def test_a_journal_that_fails_between_two_writes_stops_everything(desk: Desk) -> None:
    # Given a disk that fills up after the second write to a device
    cluster = story()

    def full(point: str) -> None:
        if point == "before a journal write" and len(cluster.writes) == 2:
            raise JournalError("The journal cannot be used: database or disk is full.")

    cluster.tap = full
    # When the plan is applied
    result = desk.apply(cluster, plan_for(cluster))
    # Then no device gets another write, and a person is told
    assert (result.exit_code, result.state, cluster.sent_count) == (8, "unknown", 2)
    assert "disk is full" in result.message


def test_no_secret_is_in_the_journal(desk: Desk) -> None:
    cluster = story()
    desk.apply(cluster, plan_for(cluster))
    content = b"".join(path.read_bytes() for path in desk.state_dir.rglob("*") if path.is_file())
    assert b"secret" not in content


def _do_half(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE half (done)")
    db.execute("this is no SQL")


def test_a_failure_within_a_transaction_undoes_all_of_it(tmp_path: Path) -> None:
    with Journal(tmp_path, writable=True) as journal:
        with pytest.raises(JournalError, match="syntax error"), journal.transaction() as db:
            _do_half(db)
        with journal.transaction() as db:
            assert db.execute("SELECT * FROM sqlite_master WHERE name = 'half'").fetchall() == []


def test_a_resumed_run_has_both_tickets(desk: Desk) -> None:
    # Given a run under one ticket that died on its way
    cluster = story()
    plan = plan_for(cluster)
    cluster.faults = {2: "refuse"}
    desk.apply(cluster, plan, ticket="CHG-1", on_failure="stop")
    # When it is gone on with under another one, and once more under the first
    cluster.faults = {3: "refuse"}
    desk.apply(cluster, plan, ticket="CHG-2", on_failure="stop")
    desk.apply(cluster, plan, ticket="CHG-1")
    # Then it has both, each once
    assert [(run.ticket, run.state) for run in desk.journal().runs()] == [("CHG-1, CHG-2", "applied")]
