"""The next command after a plan, for every view of it."""

from __future__ import annotations

from remediate.model.plan import Plan, TrustCertificate, TrustOnNode


def describe_next_step(plan: Plan, path: str, inventory: str = "INVENTORY") -> str:
    """Return what to do with `plan`, which stands in the file at `path`."""
    if not plan.actions:
        return "There is nothing to apply."
    if not plan.complete:
        return "It is incomplete: make what could not be observed reachable, and plan again."
    trusting = [action for action in plan.actions if isinstance(action, TrustCertificate | TrustOnNode)]
    if any(action.approval == "required" for action in trusting):
        return f"Next: compare the fingerprints that need your approval with `remediate approve {path}`, or pass them with --approve."
    switch = " --cucm-trust" if any(isinstance(action, TrustOnNode) for action in trusting) else ""
    return f"Next: `remediate apply {path} -i {inventory}{switch}`."
