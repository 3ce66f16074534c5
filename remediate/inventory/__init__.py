"""Inventory of clusters, and the sources of their passwords."""

from remediate.inventory.load import load

__all__ = ["load"]
