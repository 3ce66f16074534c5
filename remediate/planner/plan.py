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
    ChainGroup,
    EndpointForecast,
    FutureChange,
    Plan,
    Policy,
    RemoveCertificate,
    RestartPeer,
    SetCiphers,
    TrustCertificate,
    TrustOnNode,
)
from remediate.model.snapshot import Peer, Snapshot
from remediate.model.toward_nodes import TowardNode
from remediate.model.verdict import Verdicts
from remediate.planner.advice.advisor import Advisor
from remediate.planner.alternatives import Comparison, RuledOut, find_ruled_out, list_alternatives
from remediate.planner.chains import group_chains, list_chain_certificates
from remediate.planner.discovery import plan_refreshes
from remediate.planner.facts import list_facts
from remediate.planner.forecast import Forecaster
from remediate.planner.guarded import describe_prevented, list_accepted_chains, list_guarded_notes
from remediate.planner.horizon import apply_choice
from remediate.planner.node_horizon import apply_uploads, foresee_all
from remediate.planner.notes import list_notes
from remediate.planner.removals import plan_removals
from remediate.planner.solver.candidates import Candidates, find_candidates
from remediate.planner.solver.requirements import RequirementReader, VerifiedToday
from remediate.planner.solver.solver import WHOLE_EFFORT, Choice, Effort, Solver, find_primary
from remediate.planner.toward_nodes import judge_toward_nodes, plan_uploads
from remediate.planner.unresolved import AdviceSources, list_unresolved
from remediate.trust.chain_verifier import OpenSslAnswers
from remediate.trust.endpoint_verifier import verify_snapshot
from remediate.trust.guarded_verifier import GuardedChain, list_unseen_consumers, verify_guarded


def make_plan(snapshot: Snapshot, policy: Policy = Policy(), effort: Effort = WHOLE_EFFORT) -> Plan:
    """Return the smallest safe change for `snapshot` under `policy`, with what will then be true of every endpoint.

    "Now" is the snapshot's ``taken_at``. `effort`: what may be spent where certificates are closely connected; with less than
    it takes, the plan works and is not proven to be the best (`Plan.shortfall`).

    Raises:
        ValueError: The snapshot's ``taken_at`` has no time zone.
        FormatError: The snapshot holds a peer or an endpoint twice.
        RemediateError: No OpenSSL can be loaded on this machine.
    """
    _check(snapshot)
    return _make_plan(_sort(snapshot), _limit_policy(policy, snapshot), effort)


def _limit_policy(policy: Policy, snapshot: Snapshot) -> Policy:
    """Return `policy` with the cipher lists left alone where other certificates of a node than the one shown were not observed."""
    seen_once = any(endpoint.seen_by != "handshake" for endpoint in snapshot.endpoints)
    return replace(policy, ciphers="keep") if seen_once else policy


def changed_by_approvals(plan: Plan, snapshot: Snapshot, policy: Policy) -> bool:
    """Return whether `plan`, made from `snapshot` under `policy`, would do something else without the approvals of `policy`."""
    if not policy.approved & snapshot.certificates.keys():
        return False
    unapproved = make_plan(snapshot, replace(policy, approved=frozenset()))
    return _list_effects(plan) != _list_effects(unapproved)


def _list_effects(plan: Plan) -> list[Action]:
    """Return the actions of `plan` without their approvals."""
    return [
        replace(action, approval="required") if isinstance(action, TrustCertificate | TrustOnNode) else action
        for action in plan.actions
    ]


def _check(snapshot: Snapshot) -> None:
    """Refuse a snapshot for the reasons for which the reader of files refuses one: a program may have made it."""
    if snapshot.taken_at.utcoffset() is None:
        raise ValueError("the time of the snapshot needs a time zone")
    for kind, names in (
        ("peer", [peer.address for peer in snapshot.peers]),
        ("endpoint", [endpoint.name for endpoint in (*snapshot.endpoints, *snapshot.guarded_endpoints)]),
    ):
        repeated = [name for name, count in Counter(names).items() if count > 1]
        if repeated:
            raise FormatError(f"The snapshot holds the {kind} {min(repeated)} more than once.")


def _rule_out(comparison: Comparison, choice: Choice, forecaster: Forecaster, *, may_remove: bool) -> RuledOut:
    """Return the plans that were not chosen; none that removes where a consumer of the list was not looked at."""
    ruled_out = find_ruled_out(comparison, choice, forecaster)
    return ruled_out if may_remove else replace(ruled_out, removing=None)


def _make_plan(snapshot: Snapshot, policy: Policy, effort: Effort) -> Plan:
    answers = OpenSslAnswers(snapshot.taken_at)
    today = verify_snapshot(snapshot, answers)
    guarded = verify_guarded(snapshot, answers)
    verified_today = _find_verified_today(today, guarded)
    candidates = find_candidates(snapshot, policy)
    may_remove = not list_unseen_consumers(snapshot)
    solver = Solver(snapshot, policy, candidates, RequirementReader(snapshot, verified_today), answers, effort)
    choices = solver.choices(removal=policy.allow_removal and may_remove)
    choice = choices[0]
    forecaster = Forecaster(snapshot, choice, answers)
    forecasts = tuple(forecaster.forecast(pair, verdict) for pair, verdict in today.items())
    comparison = Comparison(snapshot, policy, candidates, solver, answers)
    ruled_out = _rule_out(comparison, choice, forecaster, may_remove=may_remove)
    advisor = Advisor(candidates, solver.oracle, snapshot.taken_at)
    sources = _list_sources(snapshot, advisor, solver, ruled_out, guarded)
    uploads = plan_uploads(snapshot, policy, candidates)
    future = _foresee(apply_uploads(apply_choice(snapshot, choice), uploads), policy)
    notes = list(list_guarded_notes(snapshot, guarded, removal_asked=policy.allow_removal))
    if verified_today.guarded and not all(forecast.after.ok for forecast in forecasts):
        unguarded = RequirementReader(snapshot, replace(verified_today, guarded={}))
        unbound = Solver(snapshot, policy, candidates, unguarded, answers, effort)
        tempting = unbound.choices(removal=policy.allow_removal and may_remove)
        notes[:0] = describe_prevented(snapshot, guarded, choice, tempting[0], answers)
    changes = _list_changes(snapshot, candidates, choice, forecaster, forecasts)
    actions = _number((*changes, *uploads, *(plan_refreshes(snapshot, choice, answers) if changes and policy.refresh else ())))
    chains = group_chains((peer.address for peer in snapshot.peers if peer.error is None), forecaster)
    toward_nodes = judge_toward_nodes(snapshot)
    certificates = _collect_certificates(snapshot, actions, future or (), chains, toward_nodes)
    plan = Plan(
        id=PlanId(""),
        cluster=snapshot.cluster,
        made_at=snapshot.taken_at,
        complete=snapshot.complete,
        base={peer.address: _make_base(peer) for peer in snapshot.peers if peer.error is None},
        actions=actions,
        endpoints=tuple(sorted(forecasts, key=lambda forecast: (forecast.address, forecast.port, forecast.peer))),
        unresolved=list_unresolved(snapshot, forecaster, sources),
        certificates=certificates,
        alarms=tuple(sorted({alarm.message for alarm in snapshot.alarms})),
        notes=(*notes, *list_notes(snapshot, policy, choice, forecaster)),
        alternatives=list_alternatives(comparison, choices, ruled_out),
        not_in_use=snapshot.not_in_use,
        undiscovered=snapshot.undiscovered,
        future=future,
        toward_nodes=toward_nodes,
        facts=list_facts(certificates.values(), snapshot, policy.approved),
        chains=chains,
        shortfall=choice.shortfall,
    )
    return replace(plan, id=plan_id(plan_document(plan)))


def _list_sources(
    snapshot: Snapshot, advisor: Advisor, solver: Solver, ruled_out: RuledOut, guarded: tuple[GuardedChain, ...]
) -> AdviceSources:
    answers = OpenSslAnswers(snapshot.taken_at)
    return AdviceSources(
        advisor,
        solver.oracle,
        guarded=guarded,
        with_removal=Forecaster(snapshot, ruled_out.removing, answers) if ruled_out.removing else None,
        with_ciphers=Forecaster(snapshot, ruled_out.ciphers, answers) if ruled_out.ciphers else None,
    )


def _sort(snapshot: Snapshot) -> Snapshot:
    """Return `snapshot` with its sets in one order, so that the order of collection never matters."""
    return replace(
        snapshot,
        peers=tuple(sorted(snapshot.peers, key=lambda peer: (not peer.primary, peer.address))),
        endpoints=tuple(sorted(snapshot.endpoints, key=lambda endpoint: (endpoint.address, endpoint.port))),
        guarded_endpoints=tuple(sorted(snapshot.guarded_endpoints, key=lambda endpoint: (endpoint.address, endpoint.port))),
        available_ca=tuple(sorted(set(snapshot.available_ca))),
        publishers=tuple(sorted(snapshot.publishers, key=lambda publisher: (publisher.product, publisher.address))),
        not_in_use=tuple(sorted(snapshot.not_in_use)),
        undiscovered=tuple(sorted(snapshot.undiscovered, key=lambda gap: (gap.source, gap.service, gap.kind, gap.message))),
    )


def _find_verified_today(today: Verdicts, guarded: Iterable[GuardedChain]) -> VerifiedToday:
    working = {(pair.peer, str(pair.endpoint)): verdict.ok for pair, verdict in today.items() if verdict.works}
    verified = frozenset(pair for pair, verified in working.items() if verified)
    return VerifiedToday(verified, frozenset(working), list_accepted_chains(guarded))


def _make_base(peer: Peer) -> Base:
    ciphers = {name: value for name, value in peer.ciphers.items() if name == REVERSE_PROXY_CIPHERS}
    return Base(peer.trusted_digest, ciphers, peer.version, peer.verify_origin_server is not None, peer.removal)


def _list_changes(
    snapshot: Snapshot, candidates: Candidates, choice: Choice, forecaster: Forecaster, forecasts: Iterable[EndpointForecast]
) -> list[Action]:
    """Return the changes and the restart in the order in which they are carried out, not yet numbered; none for no change."""
    fixed = [forecast for forecast in forecasts if forecast.after.ok and not forecast.before.ok]
    changes: list[Action] = [
        *plan_removals(snapshot, choice, forecaster, fixed),
        *_list_additions(snapshot, candidates, choice, forecaster, fixed),
        *_list_cipher_changes(snapshot, choice),
    ]
    if not changes:
        return []
    changed_peers = [peer.address for peer in snapshot.peers if _is_changed(choice, peer)]
    return [*changes, RestartPeer("", tuple(changed_peers))]


def _is_changed(choice: Choice, peer: Peer) -> bool:
    changes = choice.ciphers is not None or choice.added.get(peer.address) or choice.removed.get(peer.address)
    return peer.error is None and bool(changes)


def _list_additions(
    snapshot: Snapshot, candidates: Candidates, choice: Choice, forecaster: Forecaster, fixed: Iterable[EndpointForecast]
) -> list[Action]:
    reasons: dict[tuple[Address, Certificate], set[str]] = {}
    for forecast in fixed:
        endpoint = forecaster.endpoints[forecast.endpoint]
        for certificate in forecaster.certificates_in_use(forecast.peer, endpoint):
            reasons.setdefault((forecast.peer, certificate), set()).add(endpoint.name)
    additions: list[Action] = []
    for certificate, peers in _group_by_certificate(snapshot, choice.added).items():
        endpoints = {name for peer in peers for name in reasons.get((peer, certificate), ())}
        role, approval = candidates.role(certificate), candidates.approval(certificate)
        additions.append(TrustCertificate("", certificate.fingerprint, peers, role, approval, tuple(sorted(endpoints))))
    return additions


def _group_by_certificate(
    snapshot: Snapshot, per_peer: Mapping[Address, tuple[Certificate, ...]]
) -> dict[Certificate, tuple[Address, ...]]:
    """Return the peers that get each certificate, the certificates by fingerprint, the peers in order."""
    certificates = {certificate for added in per_peer.values() for certificate in added}
    order = [peer.address for peer in snapshot.peers]
    return {
        certificate: tuple(peer for peer in order if certificate in per_peer.get(peer, ()))
        for certificate in sorted(certificates, key=lambda certificate: certificate.fingerprint)
    }


def _list_cipher_changes(snapshot: Snapshot, choice: Choice) -> list[Action]:
    if choice.ciphers is None:
        return []
    primary = find_primary([peer for peer in snapshot.peers if peer.error is None])
    return [SetCiphers("", REVERSE_PROXY_CIPHERS, primary.ciphers[REVERSE_PROXY_CIPHERS], choice.ciphers)]


def _number(actions: Iterable[Action]) -> tuple[Action, ...]:
    return tuple(replace(action, id=f"a{number}") for number, action in enumerate(actions, start=1))


def _foresee(after: Snapshot, policy: Policy) -> tuple[FutureChange, ...] | None:
    return foresee_all(after, after.taken_at + policy.horizon) if policy.horizon else None


def _collect_certificates(
    snapshot: Snapshot,
    actions: Iterable[Action],
    future: Iterable[FutureChange],
    chains: Iterable[ChainGroup],
    toward_nodes: Iterable[TowardNode],
) -> dict[Fingerprint, Certificate]:
    kinds = TrustCertificate | RemoveCertificate | TrustOnNode
    fingerprints = {action.certificate for action in actions if isinstance(action, kinds)}
    fingerprints |= {fingerprint for change in future for fingerprint in change.because}
    fingerprints |= list_chain_certificates(chains)
    fingerprints |= {fingerprint for toward in toward_nodes for fingerprint in toward.missing}
    return {fingerprint: snapshot.certificates[fingerprint] for fingerprint in sorted(fingerprints)}
