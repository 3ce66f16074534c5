"""What refuses a plan before anything is written: another cluster, incomplete, or no longer what would come of it."""

from __future__ import annotations

from collections.abc import Mapping

from remediate.executor.verification import Verification
from remediate.model.access import ClusterAccess
from remediate.model.errors import FormatError, IncompletePlan, StalePlan, UsageError
from remediate.model.identity import Address, endpoint_name
from remediate.model.plan import Plan, SetCiphers
from remediate.model.verdict import Cause
from remediate.trust.ciphers import families_in

_LET_DISCOVERY_ASK = (
    "Make reachable what could not be asked or observed and plan again; or name every node in the inventory, with "
    "`discovery: inventory`; or pass --allow-incomplete."
)
_NOT_SEEN = frozenset({Cause.UNREACHABLE, Cause.HANDSHAKE_FAILED})


def refuse_other_cluster(plan: Plan, cluster: ClusterAccess) -> None:
    """Raise UsageError when the plan was made for another cluster."""
    if plan.cluster != cluster.name:
        raise UsageError(
            f"The plan is for cluster {plan.cluster}, and {cluster.source} names {cluster.name} here.",
            next_step="Choose the cluster with --cluster, or give the plan that was made for it.",
        )


def refuse_unusable_ciphers(plan: Plan) -> None:
    """Raise FormatError when the plan sets a cipher list in which OpenSSL finds nothing for RSA or ECDSA."""
    for action in plan.actions:
        if isinstance(action, SetCiphers) and not families_in(action.after):
            raise FormatError(f"The plan sets {action.name} to {action.after!r}, in which OpenSSL finds no cipher to use.")


def refuse_incomplete(plan: Plan) -> None:
    """Raise IncompletePlan when not everything was seen when the plan was made."""
    if not plan.complete:
        unseen = [endpoint_name(one.address, one.port) for one in plan.unresolved if one.cause in _NOT_SEEN]
        gaps = [gap.message for gap in plan.undiscovered if gap.incomplete]
        what = ", ".join(unseen) or ("" if gaps else "a peer or an endpoint")
        reasons = [*([f"{what} could not be observed"] if what else []), *gaps]
        raise IncompletePlan(
            f"Nothing was changed: the plan for {plan.cluster} is incomplete: {'; '.join(reasons).rstrip('.')}.",
            next_step=_LET_DISCOVERY_ASK if gaps else None,
        )


def refuse_absent_peers(plan: Plan, unreachable: Mapping[Address, str]) -> None:
    """Raise IncompletePlan when a peer cannot be opened."""
    if unreachable:
        said = "; ".join(f"{peer}: {why.rstrip('.')}" for peer, why in unreachable.items())
        raise IncompletePlan(f"Not every peer of {plan.cluster} can be read: {said}.")


def refuse_if_proof_fails(plan: Plan, forecast: Verification, *, allow_incomplete: bool) -> None:
    """Raise when the plan's promise no longer follows from what the endpoints present now.

    Raises:
        StalePlan: an endpoint would stay refused: it shows another certificate than when the plan was made.
        IncompletePlan: an endpoint that the plan promises to verify cannot be looked at now.
    """
    if forecast.broken:
        said = "; ".join(forecast.sentence(one) for one in forecast.broken)
        raise StalePlan(
            f"The plan for {plan.cluster} is stale: by what is presented and trusted now, these endpoints would be refused after it: "
            f"{said}."
        )
    promised = [one for one in forecast.unseen if one.after.verdict.ok]
    if promised and not allow_incomplete:
        said = "; ".join(forecast.sentence(one) for one in promised)
        raise IncompletePlan(f"What the plan promises cannot be checked now: {said}.")
