"""The inventory file and where secrets come from."""

from remediate.inventory.authorities import authority_files
from remediate.inventory.load import load

__all__ = ["authority_files", "load"]
