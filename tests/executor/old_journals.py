"""Journals as earlier versions of their schema left them."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

from remediate.executor.journal.schema import MIGRATIONS


def take_back_to(path: Path, version: int) -> None:
    """Take what the scripts after this version added out of a journal; the runs in it stay."""
    db = sqlite3.connect(path, isolation_level=None)
    for script in reversed(MIGRATIONS[version:]):
        for table, column in re.findall(r"ALTER TABLE (\w+) ADD COLUMN (\w+)", script):
            db.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        for table in re.findall(r"CREATE TABLE (\w+)", script):
            db.execute(f"DROP TABLE {table}")
    db.execute(f"PRAGMA user_version = {version}")
    db.close()
