"""Frozen values: what was seen, what it means, what to do. No I/O; imports nothing of ours."""
