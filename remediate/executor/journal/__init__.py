"""The journal: every run, its steps with their inverses, its backups and its confirm timer, in SQLite."""
