"""The plan of a snapshot. Pure: no clock, no I/O; the same snapshot and policy give the same plan, byte for byte."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from remediate.formats import plan_document, plan_id
from remediate.model.certificate import Certificate, Chain
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
    RefreshDiscovery,
    RemoveCertificate,
    RestartPeer,
    SetCiphers,
    TrustCertificate,
    TrustOnNode,
)
from remediate.model.snapshot import Peer, Snapshot
from remediate.model.toward_nodes import TowardNode
from remediate.planner.advice.advisor import Advisor
from remediate.planner.alternatives import Comparison, RuledOut, find_ruled_out, list_alternatives
from remediate.planner.chains import group_chains, list_chain_certificates
from remediate.planner.discovery import plan_refreshes
from remediate.planner.facts import list_facts
from remediate.planner.forecast import Forecaster, apply_choice
from remediate.planner.guarded import describe_prevented, list_accepted_chains, list_guarded_notes
from remediate.planner.node_horizon import apply_uploads, foresee_all
from remediate.planner.notes import list_notes
from remediate.planner.removals import plan_removals
from remediate.planner.solver.candidates import find_candidates
from remediate.planner.solver.requirements import RequirementReader, VerifiedToday
from remediate.planner.solver.solver import WHOLE_EFFORT, Choice, Effort, Solver, find_primary
from remediate.planner.toward_nodes import judge_toward_nodes, plan_uploads
from remediate.planner.unresolved import AdviceSources, list_unresolved
from remediate.trust.guarded_verifier import list_unseen_consumers, verify_guarded
from remediate.trust.verifier import OpenSslAnswers, verify_snapshot


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
    return _PlanMaker(_sort(snapshot), _limit_policy(policy, snapshot), effort).make()


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


class _PlanMaker:
    """The making of one plan: how the cluster is judged today, what is chosen for it, and what follows from that."""

    def __init__(self, snapshot: Snapshot, policy: Policy, effort: Effort) -> None:
        self._snapshot, self._policy, self._effort = snapshot, policy, effort
        self._observed = [peer for peer in snapshot.peers if peer.error is None]
        self._answers = OpenSslAnswers(snapshot.taken_at)
        self._today = verify_snapshot(snapshot, self._answers)
        self._guarded_today = verify_guarded(snapshot, self._answers)
        # Nothing is removed from a list while it is not known what else needs it.
        self._may_remove = not list_unseen_consumers(snapshot)
        self._candidates = find_candidates(snapshot, policy)
        self._solver = self._make_solver(list_accepted_chains(self._guarded_today))
        self._choices = self._list_choices(self._solver)
        self._choice = self._choices[0]
        self._forecaster = Forecaster(snapshot, self._choice, self._answers)
        self._forecasts = tuple(self._forecaster.forecast(pair, verdict) for pair, verdict in self._today.items())
        self._uploads = plan_uploads(snapshot, policy, self._candidates)

    def make(self) -> Plan:
        """Return the plan, with what will be true after it, what it leaves refused, and why no other was chosen."""
        snapshot, policy = self._snapshot, self._policy
        comparison = Comparison(snapshot, policy, self._candidates, self._solver, self._answers)
        ruled_out = find_ruled_out(comparison, self._choice, self._forecaster, may_remove=self._may_remove)
        actions = self._list_actions()
        future = self._foresee()
        chains = group_chains((peer.address for peer in self._observed), self._forecaster)
        toward_nodes = judge_toward_nodes(snapshot)
        certificates = _collect_certificates(snapshot, actions, future or (), chains, toward_nodes)
        plan = Plan(
            id=PlanId(""),
            cluster=snapshot.cluster,
            made_at=snapshot.taken_at,
            complete=snapshot.complete,
            base={peer.address: _make_base(peer) for peer in self._observed},
            actions=actions,
            endpoints=tuple(sorted(self._forecasts, key=lambda forecast: (forecast.address, forecast.port, forecast.peer))),
            unresolved=list_unresolved(snapshot, self._forecaster, self._gather_sources(ruled_out)),
            certificates=certificates,
            alarms=tuple(sorted({alarm.message for alarm in snapshot.alarms})),
            notes=(*self._list_guarded_notes(), *list_notes(snapshot, policy, self._choice, self._forecaster)),
            alternatives=list_alternatives(comparison, self._choices, ruled_out),
            not_in_use=snapshot.not_in_use,
            undiscovered=snapshot.undiscovered,
            future=future,
            toward_nodes=toward_nodes,
            facts=list_facts(certificates.values(), snapshot, policy.approved),
            chains=chains,
            shortfall=self._choice.shortfall,
        )
        return replace(plan, id=plan_id(plan_document(plan)))

    # --- the choice -----------------------------------------------------------------------------------------------------

    def _make_solver(self, guarded: Mapping[Address, tuple[Chain, ...]]) -> Solver:
        """Return a solver that loses nothing that works today, nor a chain of `guarded`."""
        working = {(pair.peer, str(pair.endpoint)): verdict.ok for pair, verdict in self._today.items() if verdict.works}
        verified = frozenset(pair for pair, verified in working.items() if verified)
        requirements = RequirementReader(self._snapshot, VerifiedToday(verified, frozenset(working), guarded))
        return Solver(self._snapshot, self._policy, self._candidates, requirements, self._answers, self._effort)

    def _list_choices(self, solver: Solver) -> list[Choice]:
        return solver.solve(removal=self._policy.allow_removal and self._may_remove)

    # --- what it leads to -----------------------------------------------------------------------------------------------

    def _foresee(self) -> tuple[FutureChange, ...] | None:
        """Return what changes by the calendar after the plan; None where the policy has no horizon."""
        if not self._policy.horizon:
            return None
        after = apply_uploads(apply_choice(self._snapshot, self._choice), self._uploads)
        return foresee_all(after, after.taken_at + self._policy.horizon)

    def _list_guarded_notes(self) -> Iterator[str]:
        """Yield the notes on guarded endpoints, first what is not planned because one would break."""
        accepted = any(guarded.verdict.ok for guarded in self._guarded_today)
        if accepted and not all(forecast.after.ok for forecast in self._forecasts):
            tempting = self._list_choices(self._make_solver({}))[0]
            yield from describe_prevented(self._snapshot, self._guarded_today, self._choice, tempting, self._answers)
        yield from list_guarded_notes(self._snapshot, self._guarded_today, removal_asked=self._policy.allow_removal)

    def _gather_sources(self, ruled_out: RuledOut) -> AdviceSources:
        removing, ciphers = ruled_out.removing, ruled_out.ciphers
        return AdviceSources(
            Advisor(self._candidates, self._solver.oracle, self._snapshot.taken_at),
            self._solver.oracle,
            guarded=self._guarded_today,
            with_removal=Forecaster(self._snapshot, removing, self._answers) if removing else None,
            with_ciphers=Forecaster(self._snapshot, ciphers, self._answers) if ciphers else None,
        )

    # --- actions --------------------------------------------------------------------------------------------------------

    def _list_actions(self) -> tuple[Action, ...]:
        """Return the actions in the order in which they are carried out, numbered."""
        fixed = [forecast for forecast in self._forecasts if forecast.after.ok and not forecast.before.ok]
        changes: list[Action] = [
            *plan_removals(self._snapshot, self._choice, self._forecaster, fixed),
            *self._list_additions(fixed),
            *self._list_cipher_changes(),
        ]
        refreshes: list[RefreshDiscovery] = []
        if changes:
            changes.append(RestartPeer("", tuple(peer.address for peer in self._observed if self._changes(peer))))
            refreshes = plan_refreshes(self._snapshot, self._choice, self._answers) if self._policy.refresh else []
        numbered = enumerate((*changes, *self._uploads, *refreshes), start=1)
        return tuple(replace(action, id=f"a{number}") for number, action in numbered)

    def _changes(self, peer: Peer) -> bool:
        choice = self._choice
        return choice.ciphers is not None or bool(choice.added.get(peer.address) or choice.removed.get(peer.address))

    def _list_additions(self, fixed: Iterable[EndpointForecast]) -> Iterator[TrustCertificate]:
        """Yield the additions by fingerprint, each with its peers in order and the endpoints among `fixed` that need it there."""
        reasons: dict[tuple[Address, Certificate], set[str]] = {}
        for forecast in fixed:
            endpoint = self._forecaster.endpoints[forecast.endpoint]
            for certificate in self._forecaster.certificates_in_use(forecast.peer, endpoint):
                reasons.setdefault((forecast.peer, certificate), set()).add(endpoint.name)
        added, candidates = self._choice.added, self._candidates
        certificates = {certificate for chain in added.values() for certificate in chain}
        for certificate in sorted(certificates, key=lambda certificate: certificate.fingerprint):
            peers = tuple(peer.address for peer in self._snapshot.peers if certificate in added.get(peer.address, ()))
            endpoints = sorted({name for peer in peers for name in reasons.get((peer, certificate), ())})
            role, approval = candidates.role(certificate), candidates.approval(certificate)
            yield TrustCertificate("", certificate.fingerprint, peers, role, approval, tuple(endpoints))

    def _list_cipher_changes(self) -> Iterator[SetCiphers]:
        if self._choice.ciphers is not None:
            present = find_primary(self._observed).ciphers[REVERSE_PROXY_CIPHERS]
            yield SetCiphers("", REVERSE_PROXY_CIPHERS, present, self._choice.ciphers)


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


def _make_base(peer: Peer) -> Base:
    ciphers = {name: value for name, value in peer.ciphers.items() if name == REVERSE_PROXY_CIPHERS}
    return Base(
        peer.trusted_digest, ciphers, peer.version, peer.verify_origin_server is not None, peer.removal, peer.system_name
    )


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
