"""Snapshot -> Plan. Pure: no clock, no I/O; the same snapshot and policy give the same plan, byte for byte."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from remediate.formats import plan_document, plan_id
from remediate.model.certificate import Certificate
from remediate.model.errors import FormatError
from remediate.model.identity import REVERSE_PROXY_CIPHERS, Address, Fingerprint, PlanId
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
from remediate.planner.advice.advisor import Advisor
from remediate.planner.alternatives import Solver, alternatives, ruled_out
from remediate.planner.forecast import Forecaster
from remediate.planner.notes import notes
from remediate.planner.removals import removals
from remediate.planner.solver.common_name_groups import Candidates, candidates
from remediate.planner.solver.requirements import DemandReader, Today
from remediate.planner.solver.solver import Choice, Chooser, primary
from remediate.planner.unresolved import Helpers, unresolved
from remediate.trust.endpoint_verifier import Judgement, judge
from remediate.trust.verify import Answers


def make_plan(snapshot: Snapshot, policy: Policy = Policy()) -> Plan:
    """Return the smallest safe change for `snapshot` under `policy`, with what will then be true of every endpoint.

    "Now" is the snapshot's ``taken_at``.

    Raises:
        ValueError: the snapshot's ``taken_at`` has no time zone.
        FormatError: the snapshot holds a peer or an endpoint twice.
        RemediateError: no OpenSSL can be loaded on this machine.
    """
    _check(snapshot)
    with _collector_at_rest():
        return _made(_in_order(snapshot), policy)


def changed_by_approvals(plan: Plan, snapshot: Snapshot, policy: Policy) -> bool:
    """Whether `plan`, made from `snapshot` under `policy`, does something else than without the approvals of `policy`."""
    if not policy.approved & snapshot.certificates.keys():
        return False
    without = make_plan(snapshot, replace(policy, approved=frozenset()))
    return _effects(plan) != _effects(without)


def _effects(plan: Plan) -> list[Action]:
    """What `plan` does, whoever vouches for it."""
    return [replace(one, approval="required") if isinstance(one, TrustCertificate) else one for one in plan.actions]


def _check(snapshot: Snapshot) -> None:
    """What a file is refused for when it is read, for a snapshot that a program made."""
    if snapshot.taken_at.utcoffset() is None:
        raise ValueError("the moment the snapshot was taken at needs a time zone")
    for kind, names in (
        ("peer", [one.address for one in snapshot.peers]),
        ("endpoint", [one.name for one in snapshot.endpoints]),
    ):
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise FormatError(f"The snapshot holds the {kind} {min(twice)} more than once.")


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Hold Python's cyclic collector: planning makes no cycles, and for a large cluster walking its values is a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _made(snapshot: Snapshot, policy: Policy) -> Plan:
    answers = Answers(snapshot.taken_at)
    today = judge(snapshot, answers)
    known = candidates(snapshot, policy)
    chooser = Chooser(snapshot, policy, known, DemandReader(snapshot, _unharmed(today)), answers)
    found = chooser.choices(removal=policy.allow_removal)
    choice = found[0]
    forecaster = Forecaster(snapshot, choice, answers)
    forecasts = tuple(forecaster.forecast(one) for one in today)
    solver = Solver(snapshot, policy, known, chooser, answers)
    out = ruled_out(solver, choice, forecaster)
    helpers = Helpers(
        Advisor(known, chooser.oracle, snapshot.taken_at),
        chooser.oracle,
        removing=Forecaster(snapshot, out.removing, answers) if out.removing else None,
        ciphers=Forecaster(snapshot, out.ciphers, answers) if out.ciphers else None,
    )
    actions = _numbered(_actions(snapshot, known, choice, forecaster, forecasts))
    plan = Plan(
        id=PlanId(""),
        cluster=snapshot.cluster,
        made_at=snapshot.taken_at,
        complete=snapshot.complete,
        base={peer.address: _base(peer) for peer in snapshot.peers if peer.error is None},
        actions=actions,
        endpoints=tuple(sorted(forecasts, key=lambda one: (one.address, one.port, one.peer))),
        unresolved=unresolved(snapshot, forecaster, helpers),
        certificates=_named(snapshot, actions),
        notes=notes(snapshot, policy, choice, forecaster),
        alternatives=alternatives(solver, found, out),
        not_in_use=snapshot.not_in_use,
        undiscovered=snapshot.undiscovered,
    )
    return replace(plan, id=plan_id(plan_document(plan)))


def _in_order(snapshot: Snapshot) -> Snapshot:
    """The same snapshot with its sets in one order, so that the order they came in never matters."""
    return replace(
        snapshot,
        peers=tuple(sorted(snapshot.peers, key=lambda one: (not one.primary, one.address))),
        endpoints=tuple(sorted(snapshot.endpoints, key=lambda one: (one.address, one.port))),
        available_ca=tuple(sorted(set(snapshot.available_ca))),
        publishers=tuple(sorted(snapshot.publishers, key=lambda one: (one.product, one.address))),
        not_in_use=tuple(sorted(snapshot.not_in_use)),
        undiscovered=tuple(sorted(snapshot.undiscovered, key=lambda gap: (gap.source, gap.service, gap.kind, gap.message))),
    )


def _unharmed(today: Iterable[Judgement]) -> Today:
    working = {(one.peer, _endpoint_name(one.address, one.port)): one.outcome.verdict.ok for one in today if one.works}
    return Today(frozenset(pair for pair, verified in working.items() if verified), frozenset(working))


def _endpoint_name(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _base(peer: Peer) -> Base:
    depended_on = {name: value for name, value in peer.ciphers.items() if name == REVERSE_PROXY_CIPHERS}
    return Base(peer.trusted_digest, depended_on, peer.version)


def _actions(
    snapshot: Snapshot, known: Candidates, choice: Choice, forecaster: Forecaster, forecasts: Iterable[EndpointForecast]
) -> list[Action]:
    """The actions in the order they are carried out, not yet numbered."""
    mended = [one for one in forecasts if one.after.verdict.ok and not one.before.verdict.ok]
    changes: list[Action] = [
        *removals(snapshot, choice, forecaster, mended),
        *_additions(snapshot, known, choice, forecaster, mended),
        *_cipher_change(snapshot, choice),
    ]
    if not changes:
        return []
    refreshes = [RefreshDiscovery("", one.address, one.product, one.refresh) for one in snapshot.publishers]
    touched = [peer.address for peer in snapshot.peers if _touches(choice, peer)]
    return [*changes, *refreshes, RestartPeer("", tuple(touched))]


def _touches(choice: Choice, peer: Peer) -> bool:
    changed = choice.ciphers is not None or choice.added.get(peer.address) or choice.removed.get(peer.address)
    return peer.error is None and bool(changed)


def _additions(
    snapshot: Snapshot, known: Candidates, choice: Choice, forecaster: Forecaster, mended: Iterable[EndpointForecast]
) -> list[Action]:
    reasons: dict[tuple[Address, Certificate], set[str]] = {}
    for one in mended:
        endpoint = forecaster.endpoints[one.address, one.port]
        for certificate in forecaster.used(one.peer, endpoint):
            reasons.setdefault((one.peer, certificate), set()).add(endpoint.name)
    found: list[Action] = []
    for certificate, peers in _by_certificate(snapshot, choice.added).items():
        because = {name for peer in peers for name in reasons.get((peer, certificate), ())}
        role, approval = known.role(certificate), known.approval(certificate)
        found.append(TrustCertificate("", certificate.fingerprint, peers, role, approval, tuple(sorted(because))))
    return found


def _by_certificate(
    snapshot: Snapshot, per_peer: Mapping[Address, tuple[Certificate, ...]]
) -> dict[Certificate, tuple[Address, ...]]:
    """Which peers each certificate goes to, the certificates by fingerprint, the peers in order."""
    everything = sorted({one for some in per_peer.values() for one in some}, key=lambda one: one.fingerprint)
    order = [peer.address for peer in snapshot.peers]
    return {one: tuple(peer for peer in order if one in per_peer.get(peer, ())) for one in everything}


def _cipher_change(snapshot: Snapshot, choice: Choice) -> list[Action]:
    if choice.ciphers is None:
        return []
    first = primary([peer for peer in snapshot.peers if peer.error is None])
    return [SetCiphers("", REVERSE_PROXY_CIPHERS, first.ciphers[REVERSE_PROXY_CIPHERS], choice.ciphers)]


def _numbered(actions: Iterable[Action]) -> tuple[Action, ...]:
    return tuple(replace(action, id=f"a{number}") for number, action in enumerate(actions, start=1))


def _named(snapshot: Snapshot, actions: Iterable[Action]) -> dict[Fingerprint, Certificate]:
    named = [action.certificate for action in actions if isinstance(action, TrustCertificate | RemoveCertificate)]
    return {one: snapshot.certificates[one] for one in sorted(set(named))}
