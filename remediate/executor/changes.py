"""A plan as the changes of each peer, in the order they are made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from remediate.executor.operations import RefreshOnPrimary, RemoveFromPeer, SetCipherList, TrustOnPeer
from remediate.model.certificate import Certificate
from remediate.model.identity import Address, CipherList, Fingerprint
from remediate.model.plan import Plan, RefreshDiscovery, RemoveCertificate, RestartPeer, SetCiphers, TrustCertificate
from remediate.model.secret import Login

UNKNOWN_PRIMARY = Address("the primary")
"""For sentences, when no peer said which one it is."""


def to_trust(plan: Plan, peer: Address) -> frozenset[Fingerprint]:
    """What `plan` adds to the trusted CA list of `peer`."""
    return frozenset(
        action.certificate for action in plan.actions if isinstance(action, TrustCertificate) and peer in action.peers
    )


def to_remove(plan: Plan, peer: Address) -> frozenset[Fingerprint]:
    """What `plan` takes out of the trusted CA list of `peer`."""
    return frozenset(
        action.certificate for action in plan.actions if isinstance(action, RemoveCertificate) and peer in action.peers
    )


def changes_of(plan: Plan, peer: Address) -> Iterator[RemoveFromPeer | TrustOnPeer]:
    """The changes to the trusted CA list of `peer` that can be made for the operator.

    Removals first: a certificate with the same subject must be gone before its successor is taken ("Append CA certificate", Expressway
    administrator guide).
    """
    for action in plan.actions:
        if isinstance(action, RemoveCertificate) and action.by == "rest" and peer in action.peers:
            yield RemoveFromPeer(peer, plan.certificates[action.certificate])
    for action in plan.actions:
        if isinstance(action, TrustCertificate) and peer in action.peers:
            yield TrustOnPeer(peer, plan.certificates[action.certificate])


def removals_by_hand(plan: Plan, peer: Address) -> Iterator[RemoveFromPeer]:
    """The removals on `peer` that only a person can make."""
    for action in plan.actions:
        if isinstance(action, RemoveCertificate) and action.by == "person" and peer in action.peers:
            yield RemoveFromPeer(peer, plan.certificates[action.certificate])


def endpoints_of(plan: Plan, certificate: Certificate) -> frozenset[str]:
    """The endpoints for whose sake `plan` adds or removes `certificate`, or another one with its common name."""
    return frozenset(
        name
        for action in plan.actions
        if isinstance(action, TrustCertificate | RemoveCertificate)
        and _share_a_place(plan.certificates[action.certificate], certificate)
        for name in action.because
    )


def _share_a_place(one: Certificate, other: Certificate) -> bool:
    """A list holds one of them at a time: they are the same, or have one common name (none is no name to share)."""
    return one == other or (one.common_name != "" and one.common_name == other.common_name)


def cipher_targets(plan: Plan) -> Mapping[str, CipherList]:
    """The cipher lists that `plan` sets."""
    return {action.name: action.after for action in plan.actions if isinstance(action, SetCiphers)}


def cipher_changes(plan: Plan, primary: Address | None) -> tuple[SetCipherList, ...]:
    """The cipher lists to set on the primary."""
    peer = primary or UNKNOWN_PRIMARY
    return tuple(
        SetCipherList(peer, action.name, action.before, action.after)
        for action in plan.actions
        if isinstance(action, SetCiphers)
    )


def refreshes(plan: Plan, primary: Address | None, axl: Login | None) -> tuple[tuple[RefreshDiscovery, RefreshOnPrimary], ...]:
    """The refreshes of discovery, each with the change that makes it where it can be made for the operator."""
    peer = primary or UNKNOWN_PRIMARY
    wanted = [action for action in plan.actions if isinstance(action, RefreshDiscovery)]
    return tuple((one, RefreshOnPrimary(peer, one.publisher, one.product, axl)) for one in wanted)


def writes_of(plan: Plan, primary: Address | None) -> tuple[str, ...]:
    """What `plan` writes for the operator, by its summaries, in its order; without restarts, which only a test tells."""
    lists = [change.summary for peer in plan.base for change in changes_of(plan, peer)]
    ciphers = [change.summary for change in cipher_changes(plan, primary)]
    refreshed = [change.summary for action, change in refreshes(plan, primary, None) if action.by != "person"]
    return (*lists, *ciphers, *refreshed)


def peers_to_restart(plan: Plan, *, everywhere: bool) -> tuple[Address, ...]:
    """The peers that a restart concerns: those that `plan` names; with `everywhere`, all that it changes too."""
    named = [peer for action in plan.actions if isinstance(action, RestartPeer) for peer in action.peers]
    changed = [peer for peer in plan.base if everywhere and _changes(plan, peer)]
    return tuple(dict.fromkeys([*named, *changed]))


def _changes(plan: Plan, peer: Address) -> bool:
    return bool(to_trust(plan, peer) or to_remove(plan, peer) or cipher_targets(plan))
