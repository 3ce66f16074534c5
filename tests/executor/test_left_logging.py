"""The note that logging was started from here: what a process left that ended too soon, and nothing else."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from remediate.executor.left_logging import LeftLogging, find_left_logging, hold_note
from remediate.model.errors import LockHeld
from tests.pki import NOW


def leave(state_dir: Path, cluster: str) -> None:
    """Write a note and end without clearing it."""
    with hold_note(cluster, state_dir) as note:
        note.write(cluster, NOW)


def test_a_note_is_left_where_its_writer_ended_without_clearing_it(tmp_path: Path) -> None:
    leave(tmp_path, "paris")
    leave(tmp_path, "rome")

    note_of_paris = LeftLogging("paris", "2026-11-23T10:00:00Z")
    assert find_left_logging(tmp_path, "paris") == (note_of_paris,)
    assert {logging.cluster for logging in find_left_logging(tmp_path)} == {"paris", "rome"}
    with hold_note("paris", tmp_path) as note:
        assert note.left == note_of_paris
        note.clear()
    assert find_left_logging(tmp_path, "paris") == ()


def test_a_note_that_is_held_is_not_left_and_no_one_else_gets_it(tmp_path: Path) -> None:
    with hold_note("paris", tmp_path) as note:
        note.write("paris", NOW)

        assert find_left_logging(tmp_path) == ()
        with pytest.raises(LockHeld), hold_note("paris", tmp_path):
            pass


def test_looking_for_left_logging_creates_nothing(tmp_path: Path) -> None:
    assert find_left_logging(tmp_path / "state") == ()
    assert not (tmp_path / "state").exists()


def test_a_note_is_private_and_a_broken_one_is_ignored(tmp_path: Path) -> None:
    leave(tmp_path, "paris")
    [path] = (tmp_path / "diagnostic-logging").iterdir()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("{")
    assert find_left_logging(tmp_path) == ()
