"""Readers of logs, archives and captures, which write and extract nothing; the result is a `model.evidence.Evidence`."""

from remediate.connectors.evidence.gather import gather

__all__ = ["gather"]
