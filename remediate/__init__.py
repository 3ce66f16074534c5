"""Fixes Mobile and Remote Access after an Expressway upgrade to X14.2.

The names below are the public library; everything else may move. They are loaded on first use, so that a command's ``--help``
does not wait for pydantic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediate.version import __version__ as __version__

if TYPE_CHECKING:
    from remediate.model.certificate import Certificate
    from remediate.model.errors import RemediateError
    from remediate.model.plan import Plan, Policy
    from remediate.model.snapshot import Snapshot
    from remediate.model.verdict import Cause, Verdict
    from remediate.planner import make_plan
    from remediate.trust import verify_chain

_HOMES = {
    "Cause": "remediate.model.verdict",
    "Certificate": "remediate.model.certificate",
    "Plan": "remediate.model.plan",
    "Policy": "remediate.model.plan",
    "RemediateError": "remediate.model.errors",
    "Snapshot": "remediate.model.snapshot",
    "Verdict": "remediate.model.verdict",
    "make_plan": "remediate.planner",
    "verify_chain": "remediate.trust",
}

__all__ = ["Cause", "Certificate", "Plan", "Policy", "RemediateError", "Snapshot", "Verdict", "make_plan", "verify_chain"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
