"""The plan of a snapshot. Pure: no clock, no I/O; the same snapshot and policy give the same plan, byte for byte."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from remediate.formats import plan_document, plan_id
from remediate.model.certificate import Certificate
from remediate.model.errors import FormatError
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import Address, Fingerprint, PlanId
from remediate.model.plan import (
    Action,
    Base,
    EndpointForecast,
    Plan,
    Policy,
    RefreshDiscovery,
    RemoveCertificate,
    RestartPeer,
    SetCiphers,
    TrustCertificate,
)
from remediate.model.snapshot import Peer, Snapshot
from remediate.model.verdict import Judgement
from remediate.planner.advice.advisor import Advisor
from remediate.planner.alternatives import Comparison, find_ruled_out, list_alternatives
from remediate.planner.forecast import Forecaster
from remediate.planner.notes import notes
from remediate.planner.removals import plan_removals
from remediate.planner.solver.candidates import Candidates, find_candidates
from remediate.planner.solver.requirements import RequirementReader, VerifiedToday
from remediate.planner.solver.solver import Choice, Solver, find_primary
from remediate.planner.unresolved import Helpers, unresolved
from remediate.trust.chain_verifier import OpenSslAnswers
from remediate.trust.endpoint_verifier import verify_snapshot


def make_plan(snapshot: Snapshot, policy: Policy = Policy()) -> Plan:
    """Return the smallest safe change for `snapshot` under `policy`, with what will then be true of every endpoint.

    "Now" is the snapshot's ``taken_at``.

    Raises:
        ValueError: the snapshot's ``taken_at`` has no time zone.
        FormatError: the snapshot holds a peer or an endpoint twice.
        RemediateError: no OpenSSL can be loaded on this machine.
    """
    _check(snapshot)
    return _plan(_in_order(snapshot), policy)


def changed_by_approvals(plan: Plan, snapshot: Snapshot, policy: Policy) -> bool:
    """Whether `plan`, made from `snapshot` under `policy`, does something else than without the approvals of `policy`."""
    if not policy.approved & snapshot.certificates.keys():
        return False
    without = make_plan(snapshot, replace(policy, approved=frozenset()))
    return _effects(plan) != _effects(without)


def _effects(plan: Plan) -> list[Action]:
    """What `plan` does, whoever vouches for it."""
    return [replace(action, approval="required") if isinstance(action, TrustCertificate) else action for action in plan.actions]


def _check(snapshot: Snapshot) -> None:
    """Refuse a snapshot that a program made for what a file is refused for when it is read."""
    if snapshot.taken_at.utcoffset() is None:
        raise ValueError("the moment the snapshot was taken at needs a time zone")
    for kind, names in (
        ("peer", [peer.address for peer in snapshot.peers]),
        ("endpoint", [endpoint.name for endpoint in snapshot.endpoints]),
    ):
        repeated = [name for name, count in Counter(names).items() if count > 1]
        if repeated:
            raise FormatError(f"The snapshot holds the {kind} {min(repeated)} more than once.")


def _plan(snapshot: Snapshot, policy: Policy) -> Plan:
    answers = OpenSslAnswers(snapshot.taken_at)
    today = verify_snapshot(snapshot, answers)
    candidates = find_candidates(snapshot, policy)
    solver = Solver(snapshot, policy, candidates, RequirementReader(snapshot, _verified_today(today)), answers)
    choices = solver.choices(removal=policy.allow_removal)
    choice = choices[0]
    forecaster = Forecaster(snapshot, choice, answers)
    forecasts = tuple(forecaster.forecast(judgement) for judgement in today)
    comparison = Comparison(snapshot, policy, candidates, solver, answers)
    ruled_out = find_ruled_out(comparison, choice, forecaster)
    helpers = Helpers(
        Advisor(candidates, solver.oracle, snapshot.taken_at),
        solver.oracle,
        removing=Forecaster(snapshot, ruled_out.removing, answers) if ruled_out.removing else None,
        ciphers=Forecaster(snapshot, ruled_out.ciphers, answers) if ruled_out.ciphers else None,
    )
    actions = _numbered(_actions(snapshot, candidates, choice, forecaster, forecasts))
    plan = Plan(
        id=PlanId(""),
        cluster=snapshot.cluster,
        made_at=snapshot.taken_at,
        complete=snapshot.complete,
        base={peer.address: _base(peer) for peer in snapshot.peers if peer.error is None},
        actions=actions,
        endpoints=tuple(sorted(forecasts, key=lambda forecast: (forecast.address, forecast.port, forecast.peer))),
        unresolved=unresolved(snapshot, forecaster, helpers),
        certificates=_certificates(snapshot, actions),
        notes=notes(snapshot, policy, choice, forecaster),
        alternatives=list_alternatives(comparison, choices, ruled_out),
        not_in_use=snapshot.not_in_use,
        undiscovered=snapshot.undiscovered,
    )
    return replace(plan, id=plan_id(plan_document(plan)))


def _in_order(snapshot: Snapshot) -> Snapshot:
    """The same snapshot with its sets in one order, so that the order they came in never matters."""
    return replace(
        snapshot,
        peers=tuple(sorted(snapshot.peers, key=lambda peer: (not peer.primary, peer.address))),
        endpoints=tuple(sorted(snapshot.endpoints, key=lambda endpoint: (endpoint.address, endpoint.port))),
        available_ca=tuple(sorted(set(snapshot.available_ca))),
        publishers=tuple(sorted(snapshot.publishers, key=lambda publisher: (publisher.product, publisher.address))),
        not_in_use=tuple(sorted(snapshot.not_in_use)),
        undiscovered=tuple(sorted(snapshot.undiscovered, key=lambda gap: (gap.source, gap.service, gap.kind, gap.message))),
    )


def _verified_today(today: Iterable[Judgement]) -> VerifiedToday:
    working = {
        (judgement.peer, _endpoint_name(judgement.address, judgement.port)): judgement.outcome.verdict.ok
        for judgement in today
        if judgement.works
    }
    return VerifiedToday(frozenset(pair for pair, verified in working.items() if verified), frozenset(working))


def _endpoint_name(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _base(peer: Peer) -> Base:
    depended_on = {name: value for name, value in peer.ciphers.items() if name == REVERSE_PROXY_CIPHERS}
    return Base(peer.trusted_digest, depended_on, peer.version)


def _actions(
    snapshot: Snapshot, candidates: Candidates, choice: Choice, forecaster: Forecaster, forecasts: Iterable[EndpointForecast]
) -> list[Action]:
    """Return the actions in the order in which they are carried out, not yet numbered."""
    fixed = [forecast for forecast in forecasts if forecast.after.verdict.ok and not forecast.before.verdict.ok]
    changes: list[Action] = [
        *plan_removals(snapshot, choice, forecaster, fixed),
        *_additions(snapshot, candidates, choice, forecaster, fixed),
        *_cipher_change(snapshot, choice),
    ]
    if not changes:
        return []
    refreshes = [
        RefreshDiscovery("", publisher.address, publisher.product, publisher.refresh) for publisher in snapshot.publishers
    ]
    touched = [peer.address for peer in snapshot.peers if _touches(choice, peer)]
    return [*changes, *refreshes, RestartPeer("", tuple(touched))]


def _touches(choice: Choice, peer: Peer) -> bool:
    changed = choice.ciphers is not None or choice.added.get(peer.address) or choice.removed.get(peer.address)
    return peer.error is None and bool(changed)


def _additions(
    snapshot: Snapshot, candidates: Candidates, choice: Choice, forecaster: Forecaster, fixed: Iterable[EndpointForecast]
) -> list[Action]:
    reasons: dict[tuple[Address, Certificate], set[str]] = {}
    for forecast in fixed:
        endpoint = forecaster.endpoints[forecast.address, forecast.port]
        for certificate in forecaster.used(forecast.peer, endpoint):
            reasons.setdefault((forecast.peer, certificate), set()).add(endpoint.name)
    additions: list[Action] = []
    for certificate, peers in _by_certificate(snapshot, choice.added).items():
        because = {name for peer in peers for name in reasons.get((peer, certificate), ())}
        role, approval = candidates.role(certificate), candidates.approval(certificate)
        additions.append(TrustCertificate("", certificate.fingerprint, peers, role, approval, tuple(sorted(because))))
    return additions


def _by_certificate(
    snapshot: Snapshot, per_peer: Mapping[Address, tuple[Certificate, ...]]
) -> dict[Certificate, tuple[Address, ...]]:
    """Return the peers that each certificate goes to, the certificates by fingerprint, the peers in order."""
    certificates = {certificate for added in per_peer.values() for certificate in added}
    order = [peer.address for peer in snapshot.peers]
    return {
        certificate: tuple(peer for peer in order if certificate in per_peer.get(peer, ()))
        for certificate in sorted(certificates, key=lambda certificate: certificate.fingerprint)
    }


def _cipher_change(snapshot: Snapshot, choice: Choice) -> list[Action]:
    if choice.ciphers is None:
        return []
    primary = find_primary([peer for peer in snapshot.peers if peer.error is None])
    return [SetCiphers("", REVERSE_PROXY_CIPHERS, primary.ciphers[REVERSE_PROXY_CIPHERS], choice.ciphers)]


def _numbered(actions: Iterable[Action]) -> tuple[Action, ...]:
    return tuple(replace(action, id=f"a{number}") for number, action in enumerate(actions, start=1))


def _certificates(snapshot: Snapshot, actions: Iterable[Action]) -> dict[Fingerprint, Certificate]:
    fingerprints = {action.certificate for action in actions if isinstance(action, TrustCertificate | RemoveCertificate)}
    return {fingerprint: snapshot.certificates[fingerprint] for fingerprint in sorted(fingerprints)}
