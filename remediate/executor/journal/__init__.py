"""Journal of runs in SQLite: steps with their inverses, backups, approvals, confirm timers and switches of the workaround."""
