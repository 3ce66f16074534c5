"""The file of the journal: private, durable, with room proven, and read without a trace."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from remediate.executor.journal.store import FILE_NAME, Journal, JournalError
from tests.executor.clusters import plan_for, story
from tests.executor.conftest import Desk

ROOT = Path(__file__).parents[3]


def test_files_are_for_the_user_alone(desk: Desk) -> None:
    cluster = story()
    desk.apply(cluster, plan_for(cluster))
    assert stat.S_IMODE(desk.state_dir.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in desk.state_dir.rglob("*") if path.is_file()}
    assert FILE_NAME in modes
    assert set(modes.values()) == {0o600}


def test_every_write_is_on_disk_when_it_returns(tmp_path: Path) -> None:
    with Journal(tmp_path, writable=True) as journal, journal.transaction() as db:
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        full = 2
        assert db.execute("PRAGMA synchronous").fetchone()[0] == full


def test_reading_an_absent_journal_creates_nothing(tmp_path: Path) -> None:
    with Journal(tmp_path / "none") as journal:
        assert journal.runs() == ()
    assert not (tmp_path / "none").exists()


def test_a_file_in_the_place_of_the_journal_is_refused(desk: Desk) -> None:
    cluster = story()
    desk.state_dir.mkdir(parents=True, mode=0o700)
    (desk.state_dir / FILE_NAME).write_text("this is no database, whatever it is called\n" * 100)
    with pytest.raises(JournalError, match="cannot be used"):
        desk.apply(cluster, plan_for(cluster))
    assert cluster.sent_count == 0


LIMITED = """
import os, resource, sys
from pathlib import Path
from remediate.executor.journal.store import Journal, JournalError
case, state_dir = sys.argv[1], Path(sys.argv[2])
if case == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
elif os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
try:
    Journal(state_dir, writable=True)
except JournalError as error:
    print(error)
"""


def test_a_full_disk_is_refused_before_the_first_write(tmp_path: Path) -> None:
    assert "cannot be used: File too large" in _error_of("full", tmp_path)
    assert not list(tmp_path.glob("*room*"))


def test_a_state_directory_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    # Given a directory that this user may read and not write
    tmp_path.chmod(0o555)
    for parent in tmp_path.parents[:3]:
        if parent.owner() == tmp_path.owner() and parent != Path(parent.anchor):
            parent.chmod(parent.stat().st_mode | 0o055)
    try:
        assert "cannot be used: Permission denied" in _error_of("read-only", tmp_path)
    finally:
        tmp_path.chmod(0o755)


def _error_of(case: str, state_dir: Path) -> str:
    command = [sys.executable, "-c", LIMITED, case, str(state_dir)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
