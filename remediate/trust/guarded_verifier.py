"""The guarded verifier: which chains of other services' endpoints the trusted CA lists accept (contract, *Guarded endpoints*).

Only the chain counts: SIP and XCP compare names by rules of their own, which no change of the list affects.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from remediate.model.certificate import Chain
from remediate.model.expressway import GUARDED_PORTS
from remediate.model.identity import Address, CipherList
from remediate.model.snapshot import Endpoint, Peer, Snapshot
from remediate.model.verdict import Verdict
from remediate.trust.ciphers import presented_families
from remediate.trust.verifier import ChainVerifier, OpenSslAnswers, presented_chains


@dataclass(frozen=True, slots=True)
class GuardedChain:
    """One chain that a guarded endpoint may present to a peer, leaf first, and the verdict of the list of that peer."""

    peer: Address
    endpoint: Endpoint
    chain: Chain
    verdict: Verdict


def verify_guarded(snapshot: Snapshot, answers: OpenSslAnswers | None = None) -> tuple[GuardedChain, ...]:
    """Return every chain that each guarded endpoint may present to each observed peer, peers in order, endpoints in order.

    Where it is not known which certificate a service's own cipher list leads to, an endpoint has a chain of each key family.
    """
    answers = answers or OpenSslAnswers(snapshot.taken_at)
    results: list[GuardedChain] = []
    for peer in snapshot.peers:
        if peer.error is None and snapshot.guarded_endpoints:
            trusted = snapshot.resolve(peer.trusted_ca)
            verifier = ChainVerifier(trusted, snapshot.taken_at, answers)
            for endpoint in snapshot.guarded_endpoints:
                chains = _list_chains(snapshot, peer, endpoint)
                results += [GuardedChain(peer.address, endpoint, chain, verifier.verify(chain, None)) for chain in chains]
    return tuple(results)


def find_broken(before: Sequence[GuardedChain], after: Iterable[GuardedChain]) -> tuple[GuardedChain, ...]:
    """Return what is refused in `after` although the same peer accepts the same chain in `before`."""
    accepted = {(guarded.peer, guarded.endpoint.id, guarded.chain) for guarded in before if guarded.verdict.ok}
    return tuple(
        guarded
        for guarded in after
        if not guarded.verdict.ok and (guarded.peer, guarded.endpoint.id, guarded.chain) in accepted
    )


def list_unseen_consumers(snapshot: Snapshot) -> tuple[str, ...]:
    """Return what relies on the trusted CA lists and could not be looked at, so that what it needs in them is not known.

    They are endpoints of this and of other services; what discovery could not learn; and, where not every port was tried (an archive
    shows what was used in its time, a survey one certificate), the rest.
    """
    endpoints = (*snapshot.endpoints, *snapshot.guarded_endpoints)
    unseen = [name_with_service(endpoint) for endpoint in endpoints if endpoint.error is not None]
    if any(endpoint.seen_by == "archive" for endpoint in endpoints):
        unseen.append("what a diagnostic archive does not show")
    if any(endpoint.seen_by == "survey" for endpoint in endpoints):
        unseen.append("the other certificates of the nodes, which a survey does not ask for")
    unseen += [f"what {gap.source} would have named" for gap in snapshot.undiscovered if gap.incomplete]
    return tuple(dict.fromkeys(unseen))


def name_with_service(endpoint: Endpoint) -> str:
    """Return the name of an endpoint, with that of its service where it is one of other services."""
    return f"{endpoint.name} ({endpoint.service})" if endpoint.service else endpoint.name


def _list_chains(snapshot: Snapshot, peer: Peer, endpoint: Endpoint) -> Iterator[Chain]:
    if endpoint.error is None:
        chains = presented_chains(snapshot, endpoint)
        for family in presented_families(endpoint, _ciphers_of(peer, endpoint)):
            yield chains[family]


def _ciphers_of(peer: Peer, endpoint: Endpoint) -> CipherList | None:
    _, name = GUARDED_PORTS[endpoint.product].get(endpoint.port, ("", None))
    return peer.ciphers.get(name) if name else None
