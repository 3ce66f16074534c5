"""The changes that a plan makes on each peer, in the order in which they are made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from remediate.executor.operations import RefreshOnPrimary, RemoveFromPeer, SetCipherList, TrustOnPeer, UploadToNode
from remediate.executor.operations.change import Change
from remediate.model.certificate import Certificate
from remediate.model.identity import Address, CipherList, Fingerprint
from remediate.model.plan import (
    Plan,
    RefreshDiscovery,
    RemoveCertificate,
    RestartPeer,
    SetCiphers,
    TrustCertificate,
    TrustOnNode,
)
from remediate.model.secret import Login

UNKNOWN_PRIMARY = Address("the primary")
"""Its name in sentences where no peer names it."""


def find_additions(plan: Plan, peer: Address) -> frozenset[Fingerprint]:
    """Return what `plan` adds to the trusted CA list of `peer`."""
    return frozenset(
        action.certificate for action in plan.actions if isinstance(action, TrustCertificate) and peer in action.peers
    )


def find_removals(plan: Plan, peer: Address) -> frozenset[Fingerprint]:
    """Return what `plan` takes out of the trusted CA list of `peer`."""
    return frozenset(
        action.certificate for action in plan.actions if isinstance(action, RemoveCertificate) and peer in action.peers
    )


def find_uploads(plan: Plan) -> frozenset[tuple[Address, str, Fingerprint]]:
    """Return what `plan` uploads to nodes: the node, the store and the certificate."""
    return frozenset(
        (action.node, action.store, action.certificate) for action in plan.actions if isinstance(action, TrustOnNode)
    )


def list_changes(plan: Plan, peer: Address) -> Iterator[RemoveFromPeer | TrustOnPeer]:
    """Yield the changes to the trusted CA list of `peer` that can be made for the operator.

    Removals first: a certificate with the same subject must be gone before its successor is taken ("Append CA certificate", Expressway
    administrator guide).
    """
    for action in plan.actions:
        if isinstance(action, RemoveCertificate) and action.by == "rest" and peer in action.peers:
            yield RemoveFromPeer(peer, plan.certificates[action.certificate])
    for action in plan.actions:
        if isinstance(action, TrustCertificate) and peer in action.peers:
            yield TrustOnPeer(peer, plan.certificates[action.certificate])


def list_manual_removals(plan: Plan, peer: Address) -> Iterator[RemoveFromPeer]:
    """Yield the removals on `peer` that only a person can make."""
    for action in plan.actions:
        if isinstance(action, RemoveCertificate) and action.by == "person" and peer in action.peers:
            yield RemoveFromPeer(peer, plan.certificates[action.certificate])


def find_endpoints(plan: Plan, certificate: Certificate) -> frozenset[str]:
    """Return the endpoints for which `plan` adds or removes `certificate`, or another one with its common name."""
    return frozenset(
        name
        for action in plan.actions
        if isinstance(action, TrustCertificate | RemoveCertificate)
        and _exclude_each_other(plan.certificates[action.certificate], certificate)
        for name in action.because
    )


def _exclude_each_other(first: Certificate, second: Certificate) -> bool:
    """Return whether a list can hold only one of them: they are the same, or have one common name (an empty one is none)."""
    return first == second or (first.common_name != "" and first.common_name == second.common_name)


def find_cipher_lists(plan: Plan) -> Mapping[str, CipherList]:
    """Return the cipher lists that `plan` sets."""
    return {action.name: action.after for action in plan.actions if isinstance(action, SetCiphers)}


def list_cipher_changes(plan: Plan, primary: Address | None) -> tuple[SetCipherList, ...]:
    """Return the cipher lists to set on the primary."""
    peer = primary or UNKNOWN_PRIMARY
    return tuple(
        SetCipherList(peer, action.name, action.before, action.after)
        for action in plan.actions
        if isinstance(action, SetCiphers)
    )


def list_refreshes(
    plan: Plan, primary: Address | None, axl: Login | None
) -> tuple[tuple[RefreshDiscovery, RefreshOnPrimary], ...]:
    """Return the refreshes of discovery, each with the change that makes it where it can be made for the operator."""
    peer = primary or UNKNOWN_PRIMARY
    actions = [action for action in plan.actions if isinstance(action, RefreshDiscovery)]
    return tuple((action, RefreshOnPrimary(peer, action.publisher, action.product, axl)) for action in actions)


def _list_writes(plan: Plan, primary: Address | None) -> tuple[Change, ...]:
    """Return the changes that `plan` makes for the operator, in its order; without restarts, which only a test decides."""
    return (
        *(change for peer in plan.base for change in list_changes(plan, peer)),
        *list_cipher_changes(plan, primary),
        *(
            UploadToNode(action.node, action.store, plan.certificates[action.certificate])
            for action in plan.actions
            if isinstance(action, TrustOnNode)
        ),
        *(change for action, change in list_refreshes(plan, primary, None) if action.by != "person"),
    )


def not_in_effect(plan: Plan, primary: Address | None, in_effect: Iterable[Change]) -> tuple[Change, ...]:
    """Return the changes of `plan` that are not among those `in_effect`."""
    identities = [_identity_of(change) for change in in_effect]
    return tuple(change for change in _list_writes(plan, primary) if _identity_of(change) not in identities)


def _identity_of(change: Change) -> tuple[str, Address, Mapping[str, str]]:
    return change.kind, change.peer, change.facts()


def list_peers_to_restart(plan: Plan, *, everywhere: bool) -> tuple[Address, ...]:
    """Return the peers that a restart concerns: those that `plan` names; with `everywhere`, all that it changes too."""
    planned = [peer for action in plan.actions if isinstance(action, RestartPeer) for peer in action.peers]
    everyone = plan.base if everywhere else ()
    changed_peers = [
        peer for peer in everyone if find_additions(plan, peer) or find_removals(plan, peer) or find_cipher_lists(plan)
    ]
    return tuple(dict.fromkeys([*planned, *changed_peers]))
