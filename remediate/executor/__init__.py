"""Plan -> changes: numbered steps, journal, lock, read-back, rollback, workaround."""
