"""The twins of Snapshot and Plan as JSON: ``remediate.snapshot/1`` and ``remediate.plan/1``.

Strict about types and about what must be there; keys that this version does not know are ignored within one major.
"""

from remediate.model.wire.reading import read_plan, read_snapshot
from remediate.model.wire.writing import plan_document, plan_id, write_plan, write_snapshot

__all__ = ["plan_document", "plan_id", "read_plan", "read_snapshot", "write_plan", "write_snapshot"]
