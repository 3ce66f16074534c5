"""Snapshot -> Plan: causes, candidate fixes, the choice, approvals, prediction. Pure."""

from remediate.planner.plan import make_plan

__all__ = ["make_plan"]
