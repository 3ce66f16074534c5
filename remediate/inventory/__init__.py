"""The inventory file and where secrets come from."""

from remediate.inventory.load import load

__all__ = ["load"]
