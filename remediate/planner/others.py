"""The endpoints that verify at one peer after a plan: who rests on a certificate, and who an addition would break."""

from __future__ import annotations

from functools import cached_property

from remediate.model.certificate import Certificate
from remediate.model.identity import Address
from remediate.model.snapshot import Endpoint
from remediate.planner.forecast import Forecaster
from remediate.planner.solver.trust_oracle import TrustOracle
from remediate.trust.chain_verifier import Chain


class OthersAt:
    """`refusal.Others` for the endpoints of one forecast at one peer. Nothing is looked up before it is asked."""

    def __init__(self, forecaster: Forecaster, peer: Address, oracle: TrustOracle) -> None:
        self._forecaster = forecaster
        self._peer = peer
        self._oracle = oracle

    def users(self, certificate: Certificate) -> tuple[Endpoint, ...]:
        """Return those whose chain is made of `certificate` among others."""
        return self._users.get(certificate, ())

    def broken_by(self, added: Chain) -> tuple[Endpoint, ...]:
        """Return those that would be refused with `added` at the end of the peer's list."""
        trusted = (*self._forecaster.after[self._peer], *added)
        broken = [
            endpoint
            for chain, endpoints in self._by_chain.items()
            if not self._oracle.relevant(chain).isdisjoint(added) and not self._oracle.accepts(trusted, chain)
            for endpoint in endpoints
        ]
        return tuple(broken)

    @cached_property
    def _verified(self) -> tuple[Endpoint, ...]:
        endpoints = self._forecaster.endpoints.values()
        return tuple(endpoint for endpoint in endpoints if self._forecaster.outcome(self._peer, endpoint).verdict.ok)

    @cached_property
    def _users(self) -> dict[Certificate, tuple[Endpoint, ...]]:
        found: dict[Certificate, tuple[Endpoint, ...]] = {}
        for endpoint in self._verified:
            for one in self._forecaster.used(self._peer, endpoint):
                found[one] = (*found.get(one, ()), endpoint)
        return found

    @cached_property
    def _by_chain(self) -> dict[Chain, tuple[Endpoint, ...]]:
        found: dict[Chain, tuple[Endpoint, ...]] = {}
        for endpoint in self._verified:
            for chain in self._forecaster.chains(self._peer, endpoint):
                found[chain] = (*found.get(chain, ()), endpoint)
        return found
