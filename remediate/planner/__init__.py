"""Snapshot -> Plan: causes, candidate fixes, the choice, approvals, prediction. Pure."""

from remediate.planner.memory import forget_certificates
from remediate.planner.plan import changed_by_approvals, make_plan

__all__ = ["changed_by_approvals", "forget_certificates", "make_plan"]
