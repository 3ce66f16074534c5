"""Command line: one small file per verb that parses, calls, renders and returns an exit code. No logic."""

from remediate.cli.app import main

__all__ = ["main"]
