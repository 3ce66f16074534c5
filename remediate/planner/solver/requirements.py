"""Requirements: what each peer's endpoints need in order to verify, under one cipher list, each different need once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from remediate.model.certificate import Certificate, Chain
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import Address, CipherList, KeyFamily
from remediate.model.snapshot import Endpoint, Peer, Snapshot
from remediate.trust.ciphers import presented_families
from remediate.trust.hostnames import name_matches
from remediate.trust.underlying_fault import leaf_can_pass
from remediate.trust.verifier import presented_chains


@dataclass(frozen=True)
class Requirement:
    """Chains that must all be accepted for an endpoint to verify: one, or two where it is not certain which is presented.

    Attributes:
        must_hold: An endpoint that has this requirement verifies today, so it must verify afterwards.
    """

    chains: tuple[Chain, ...]
    must_hold: bool


@dataclass(frozen=True)
class PeerRequirement(Requirement):
    """A requirement at one peer, or at several with equal lists.

    Attributes:
        pairs: How many pairs of peer and endpoint verify where it is met.
    """

    peer: Address
    pairs: int


Requirements = Mapping[Address, Mapping[Requirement, int]]
"""Per peer, each requirement and the number of endpoints that it represents."""


@dataclass(frozen=True)
class VerifiedToday:
    """What must not get worse, as (peer, endpoint name) pairs.

    Attributes:
        verified: Pairs that verify, whatever certificate the endpoint presents.
        working: Pairs whose expected certificate verifies; those above, and some of which it is not certain.
        guarded: Per peer, the chains of guarded endpoints that its list accepts.
    """

    verified: frozenset[tuple[Address, str]]
    working: frozenset[tuple[Address, str]]
    guarded: Mapping[Address, tuple[Chain, ...]] = field(default_factory=dict)


class RequirementReader:
    """Reads the requirements of a snapshot under different cipher lists. What no list could accept requires nothing."""

    def __init__(self, snapshot: Snapshot, today: VerifiedToday) -> None:
        self._today = today
        self._endpoints = [
            (endpoint, endpoint.name, _select_passing(endpoint, presented_chains(snapshot, endpoint), snapshot.taken_at))
            for endpoint in snapshot.endpoints
        ]

    def read(self, peers: Iterable[Peer], ciphers: CipherList | None) -> Requirements:
        """Return the requirements at `peers` with their reverse proxy list set to `ciphers`; None: each peer keeps its own."""
        return {peer.address: self._read_peer(peer, ciphers) for peer in peers}

    def list_guarded(self, peer: Address) -> tuple[Chain, ...]:
        """Return the chains of guarded endpoints that `peer` must go on to accept."""
        return self._today.guarded.get(peer, ())

    def _read_peer(self, peer: Peer, ciphers: CipherList | None) -> Mapping[Requirement, int]:
        in_force = ciphers or peer.ciphers.get(REVERSE_PROXY_CIPHERS)
        requirements: Counter[Requirement] = Counter()
        for endpoint, name, passing in self._endpoints:
            presented = _list_expected(endpoint, passing, in_force)
            chains = _require_all(presented)
            pair = (peer.address, name)
            must_hold = pair in self._today.verified
            # With no chain left to accept, a pair that verifies today would be lost: a requirement that nothing can meet.
            if chains or must_hold:
                requirements[Requirement(chains, must_hold)] += 1
            if not must_hold and pair in self._today.working:
                # It is no verified pair, so its weight is zero; but what works must not break.
                requirements[Requirement(_require_all(presented[:1]), must_hold=True)] += 0
        for chain in self.list_guarded(peer.address):
            requirements[Requirement((chain,), must_hold=True)] += 0
        return requirements


PassingChains = Mapping[KeyFamily, Chain | None]


def _select_passing(endpoint: Endpoint, chains: Mapping[KeyFamily, Chain], at: datetime) -> PassingChains:
    """Return what `endpoint` presents of each family; None for a chain whose name, dates or purpose cannot pass."""

    def passes(leaf: Certificate) -> bool:
        return name_matches(leaf, endpoint.address) and leaf_can_pass(leaf, at)

    return {family: chain if passes(chain[0]) else None for family, chain in chains.items()}


def _list_expected(endpoint: Endpoint, passing: PassingChains, ciphers: CipherList | None) -> tuple[Chain | None, ...]:
    """Return what `endpoint` may present, the expected chain first."""
    if endpoint.error is not None:
        return ()
    return tuple(passing[family] for family in presented_families(endpoint, ciphers))


def _require_all(presented: tuple[Chain | None, ...]) -> tuple[Chain, ...]:
    """Return all of `presented`; nothing where one of them cannot pass."""
    passing = tuple(chain for chain in presented if chain is not None)
    return passing if len(passing) == len(presented) else ()
