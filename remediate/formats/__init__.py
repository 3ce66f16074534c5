"""The formats of the files: ``remediate.snapshot/1``, ``remediate.plan/1``, ``remediate.approvals/1``, one module each.

Strict about types and about what must be there; keys that this version does not know are ignored within one major.
"""

from functools import partial

from remediate.formats.approvals import read_approvals, write_approvals
from remediate.formats.plan import plan_document, plan_id, read_plan, write_plan
from remediate.formats.snapshot import read_snapshot, write_snapshot
from remediate.model.approvals import Approvals
from remediate.model.json_document import Codec, register_codec
from remediate.model.plan import Plan
from remediate.model.snapshot import Snapshot

__all__ = [
    "plan_document",
    "plan_id",
    "read_approvals",
    "read_plan",
    "read_snapshot",
    "write_approvals",
    "write_plan",
    "write_snapshot",
]

register_codec(Snapshot, Codec(read_snapshot, write_snapshot))
register_codec(Plan, Codec(read_plan, write_plan, partial(read_plan, is_own=True)))
register_codec(Approvals, Codec(read_approvals, write_approvals))
