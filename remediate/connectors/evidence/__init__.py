"""Logs, archives and captures, read without writing or extracting anything: what they show is a `model.evidence.Evidence`."""

from remediate.connectors.evidence.gather import gather

__all__ = ["gather"]
