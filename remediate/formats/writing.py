"""Values to JSON: sorted keys, one order, so that the same value gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remediate.formats.shapes import APPROVALS_FORMAT, PLAN_FORMAT, SNAPSHOT_FORMAT
from remediate.model.approvals import Approvals
from remediate.model.canonical import canonical_json, document_json, rfc3339, sha256_of
from remediate.model.certificate import Certificate
from remediate.model.identity import Fingerprint, PlanId
from remediate.model.plan import (
    Action,
    Base,
    EndpointForecast,
    Plan,
    RefreshDiscovery,
    RemoveCertificate,
    RestartPeer,
    SetCiphers,
    TrustCertificate,
)
from remediate.model.snapshot import DiscoveryGap, Endpoint, Peer, Snapshot
from remediate.model.verdict import Outcome


def write_snapshot(snapshot: Snapshot) -> str:
    """Return the JSON document of `snapshot`."""
    return document_json(
        {
            "format": SNAPSHOT_FORMAT,
            "cluster": snapshot.cluster,
            "taken_at": rfc3339(snapshot.taken_at),
            "peers": [_peer_out(peer) for peer in snapshot.peers],
            "endpoints": [_endpoint_out(endpoint) for endpoint in snapshot.endpoints],
            "available_ca": list(snapshot.available_ca),
            "vouched_for": sorted(snapshot.vouched_for),
            "certificates": _pems(snapshot.certificates),
            "publishers": [
                {"address": publisher.address, "product": publisher.product, "refresh": publisher.refresh}
                for publisher in snapshot.publishers
            ],
            "not_in_use": list(snapshot.not_in_use),
            # For readers of 0.1.0, which know the sentences alone.
            "not_asked": [gap.message for gap in snapshot.undiscovered],
            "undiscovered": [_gap_out(gap) for gap in snapshot.undiscovered],
            "alarms": [{"certificate": alarm.certificate, "message": alarm.message} for alarm in snapshot.alarms],
        }
    )


def write_approvals(approvals: Approvals) -> str:
    """Return the JSON document of `approvals`."""
    return document_json(
        {
            "format": APPROVALS_FORMAT,
            "plan": approvals.plan,
            "approved": [
                {"certificate": one.certificate, "at": one.at, "by": one.by, "how": one.how} for one in approvals.approved
            ],
        }
    )


def write_plan(plan: Plan) -> str:
    """Return the JSON document of `plan`."""
    return document_json(plan_document(plan) | {"id": plan.id, "made_at": rfc3339(plan.made_at)})


def plan_document(plan: Plan) -> dict[str, Any]:
    """Return all of the plan's document but ``id`` and ``made_at``: what the id is made of."""
    document: dict[str, Any] = {
        "format": PLAN_FORMAT,
        "cluster": plan.cluster,
        "complete": plan.complete,
        "base": {peer: _base_out(base) for peer, base in plan.base.items()},
        "actions": [_action_out(action) for action in plan.actions],
        "endpoints": [_forecast_out(endpoint) for endpoint in plan.endpoints],
        "unresolved": [
            {
                "address": one.address,
                "port": one.port,
                "cause": one.cause.value,
                "advice": one.advice,
                "options": list(one.options),
            }
            for one in plan.unresolved
        ],
        "certificates": _pems(plan.certificates),
        "notes": list(plan.notes),
        "alternatives": [
            {"summary": alternative.summary, "why_not": alternative.why_not, "switch": alternative.switch}
            for alternative in plan.alternatives
        ],
    }
    # Left out where there are none: a plan of 0.1.0, read and written, is to have its own id again.
    if plan.not_in_use:
        document["not_in_use"] = list(plan.not_in_use)
    if plan.undiscovered:
        document["undiscovered"] = [_gap_out(gap) for gap in plan.undiscovered]
    return document


def plan_id(document: Mapping[str, Any]) -> PlanId:
    """Return the id that belongs to a plan's document, whatever ``id`` and ``made_at`` it holds."""
    return PlanId(sha256_of(canonical_json({key: one for key, one in document.items() if key not in {"id", "made_at"}})))


def _pems(certificates: Mapping[Fingerprint, Certificate]) -> dict[str, str]:
    return {fingerprint: certificate.pem for fingerprint, certificate in certificates.items()}


def _base_out(base: Base) -> dict[str, Any]:
    """What the plan was made from; the version only where it is known, for the same reason."""
    document: dict[str, Any] = {"trusted_ca": base.trusted_ca, "ciphers": dict(base.ciphers)}
    return document | ({"version": base.version} if base.version else {})


def _gap_out(gap: DiscoveryGap) -> dict[str, Any]:
    return {
        "source": gap.source,
        "service": gap.service,
        "kind": gap.kind,
        "incomplete": gap.incomplete,
        "message": gap.message,
        "names": list(gap.names),
        "count": gap.count,
    }


def _peer_out(peer: Peer) -> dict[str, Any]:
    return {
        "address": peer.address,
        "version": peer.version,
        "primary": peer.primary,
        "trusted_ca": list(peer.trusted_ca),
        "ciphers": dict(peer.ciphers),
        "verify_origin_server": peer.verify_origin_server,
        "error": peer.error,
        "removal": peer.removal,
        "rest_port": peer.rest_port,
    }


def _endpoint_out(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "address": endpoint.address,
        "port": endpoint.port,
        "product": endpoint.product,
        "presented": {family: list(chain) for family, chain in endpoint.presented.items()},
        "preferred": {
            "client-order": endpoint.preferred.client_order,
            "family": endpoint.preferred.family,
            "measured": dict(endpoint.preferred.measured),
        },
        "tls13": endpoint.tls13,
        "error": endpoint.error,
        "learned_from": list(endpoint.learned_from),
    }


def _action_out(action: Action) -> dict[str, Any]:
    common: dict[str, Any] = {"id": action.id, "kind": action.kind}
    match action:
        case TrustCertificate():
            return common | {
                "certificate": action.certificate,
                "peers": list(action.peers),
                "role": action.role,
                "approval": action.approval,
                "because": list(action.because),
            }
        case SetCiphers():
            return common | {"name": action.name, "from": action.before, "to": action.after}
        case RefreshDiscovery():
            return common | {"publisher": action.publisher, "product": action.product, "by": action.by}
        case RestartPeer():
            return common | {"peers": list(action.peers), "when": action.when}
        case RemoveCertificate():
            return common | {
                "certificate": action.certificate,
                "peers": list(action.peers),
                "by": action.by,
                "because": list(action.because),
            }


def _forecast_out(forecast: EndpointForecast) -> dict[str, Any]:
    return {
        "address": forecast.address,
        "port": forecast.port,
        "peer": forecast.peer,
        "before": _outcome_out(forecast.before),
        "after": _outcome_out(forecast.after),
    }


def _outcome_out(outcome: Outcome) -> dict[str, Any]:
    verdict = outcome.verdict
    return {
        "ok": verdict.ok,
        "cause": verdict.cause.value if verdict.cause else None,
        "error": verdict.error,
        "code": verdict.code,
        "depth": verdict.depth,
        "key": outcome.key,
    }
