"""Demands: what each peer's endpoints need to verify, under one choice of cipher list, each different need once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from remediate.model.certificate import Certificate
from remediate.model.identity import REVERSE_PROXY_CIPHERS, Address, CipherList, KeyFamily
from remediate.model.snapshot import Endpoint, Peer, Snapshot
from remediate.trust.ciphers import presented_families
from remediate.trust.endpoint_verifier import presented_chains
from remediate.trust.hostnames import name_matches
from remediate.trust.underlying_fault import can_pass
from remediate.trust.verify import Chain


@dataclass(frozen=True)
class Demand:
    """Chains that must all be accepted for an endpoint to verify: one, or two where it is not certain which is presented.

    Attributes:
        must_hold: an endpoint behind it verifies today, so it must verify afterwards.
    """

    chains: tuple[Chain, ...]
    must_hold: bool


Demands = Mapping[Address, Mapping[Demand, int]]
"""Per peer, each demand and how many endpoints it stands for."""


@dataclass(frozen=True)
class Today:
    """What must not get worse, as (peer, endpoint name) pairs.

    Attributes:
        verified: pairs that verify, whatever certificate the endpoint presents.
        working: pairs whose expected certificate verifies; those above, and some that it is not certain of.
    """

    verified: frozenset[tuple[Address, str]]
    working: frozenset[tuple[Address, str]]


class DemandReader:
    """Reads the demands of a snapshot under different cipher lists. What no list could accept demands nothing."""

    def __init__(self, snapshot: Snapshot, today: Today) -> None:
        self._today = today
        self._endpoints = [
            (endpoint, endpoint.name, _usable(endpoint, presented_chains(snapshot, endpoint), snapshot.taken_at))
            for endpoint in snapshot.endpoints
        ]

    def read(self, peers: Iterable[Peer], ciphers: CipherList | None) -> Demands:
        """Return the demands at `peers` with their reverse proxy list set to `ciphers`; None: each peer keeps its own."""
        return {peer.address: self._of_peer(peer, ciphers) for peer in peers}

    def _of_peer(self, peer: Peer, ciphers: CipherList | None) -> Mapping[Demand, int]:
        in_force = ciphers or peer.ciphers.get(REVERSE_PROXY_CIPHERS)
        found: Counter[Demand] = Counter()
        for endpoint, name, usable in self._endpoints:
            shown = _shown(endpoint, usable, in_force)
            chains = _all_of(shown)
            pair = (peer.address, name)
            held = pair in self._today.verified
            # With no chain left to accept, a pair that verifies today would be lost: that is a demand nothing can meet.
            if chains or held:
                found[Demand(chains, held)] += 1
            if not held and pair in self._today.working:
                # It stands for no verified pair, so it counts for nothing; but what works is not broken.
                found[Demand(_all_of(shown[:1]), must_hold=True)] += 0
        return found


Usable = Mapping[KeyFamily, Chain | None]


def _usable(endpoint: Endpoint, chains: Mapping[KeyFamily, Chain], at: datetime) -> Usable:
    """What `endpoint` presents of each family; None where its name, its dates or its purpose cannot pass."""

    def passes(leaf: Certificate) -> bool:
        return name_matches(leaf, endpoint.address) and can_pass(leaf, at)

    return {family: chain if passes(chain[0]) else None for family, chain in chains.items()}


def _shown(endpoint: Endpoint, usable: Usable, ciphers: CipherList | None) -> tuple[Chain | None, ...]:
    """What `endpoint` may present, the expected one first."""
    if endpoint.error is not None:
        return ()
    return tuple(usable[family] for family in presented_families(endpoint, ciphers))


def _all_of(shown: tuple[Chain | None, ...]) -> tuple[Chain, ...]:
    """All of `shown`; nothing where one of them cannot pass."""
    passing = tuple(chain for chain in shown if chain is not None)
    return passing if len(passing) == len(shown) else ()
