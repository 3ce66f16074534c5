"""What refuses a plan before anything is written: another cluster, incomplete, not approved, or no longer what would come of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from remediate.executor.operations.certificates import named
from remediate.executor.verify import Verification
from remediate.model.access import ClusterAccess
from remediate.model.errors import Declined, FormatError, IncompletePlan, StalePlan, UsageError
from remediate.model.identity import Address, Fingerprint
from remediate.model.plan import Plan, SetCiphers, TrustCertificate
from remediate.model.verdict import Cause
from remediate.trust.ciphers import families_in

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
    for one in plan.actions:
        if isinstance(one, SetCiphers) and not families_in(one.after):
            raise FormatError(f"The plan sets {one.name} to {one.after!r}, in which OpenSSL finds no cipher to use.")


def refuse_incomplete(plan: Plan) -> None:
    """Raise IncompletePlan when not everything was seen when the plan was made."""
    if not plan.complete:
        unseen = [f"{one.address}:{one.port}" for one in plan.unresolved if one.cause in _NOT_SEEN]
        what = ", ".join(unseen) or "a peer or an endpoint"
        raise IncompletePlan(
            f"Nothing was changed: the plan for {plan.cluster} is incomplete, since {what} could not be observed."
        )


def refuse_absent_peers(plan: Plan, unreachable: Mapping[Address, str]) -> None:
    """Raise IncompletePlan when a peer cannot be opened."""
    if unreachable:
        said = "; ".join(f"{peer}: {why.rstrip('.')}" for peer, why in unreachable.items())
        raise IncompletePlan(f"Not every peer of {plan.cluster} can be read: {said}.")


def approvals(plan: Plan, approved: Collection[Fingerprint]) -> dict[Fingerprint, str]:
    """Return, for each certificate to trust, how it was vouched for. Raises Declined when nobody did."""
    missing = "\n".join(_unapproved(plan, approved))
    if missing:
        raise Declined(f"Nobody has vouched for these certificates, so they are not trusted:\n{missing}")
    granted = {"vouched": "vouched for when the plan was made", "granted": "approved by a person when the plan was made"}
    wanted = (one for one in plan.actions if isinstance(one, TrustCertificate))
    return {one.certificate: granted.get(one.approval, "approved by a person for this run") for one in wanted}


def _unapproved(plan: Plan, approved: Collection[Fingerprint]) -> Iterator[str]:
    for one in plan.actions:
        if isinstance(one, TrustCertificate) and one.approval == "required" and one.certificate not in approved:
            yield f"  {named(plan.certificates[one.certificate])}, seen at {', '.join(one.because)}"


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
