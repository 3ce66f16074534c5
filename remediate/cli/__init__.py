"""One small file a verb: parse, call, render, exit code. No logic."""

from remediate.cli.app import main

__all__ = ["main"]
