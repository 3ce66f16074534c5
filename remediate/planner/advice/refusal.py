"""A refusal: an endpoint that one peer still refuses after a plan, and the advice on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from remediate.model.certificate import Certificate, Chain
from remediate.model.identity import Address
from remediate.model.snapshot import Endpoint
from remediate.model.verdict import Cause, Verdict
from remediate.planner.advice.phrases import describe_certificates
from remediate.planner.advice.prices import certificate_service, describe_reissue_price
from remediate.planner.forecast import Forecaster
from remediate.planner.solver.options import PeerList
from remediate.planner.solver.trust_oracle import TrustOracle
from remediate.trust.guarded_verifier import GuardedChain


class OtherEndpoints:
    """The endpoints that verify at one peer after a plan: which of them use a certificate, and which an addition would break.

    Endpoints of other services that verify by its list count among them.

    Both are computed only when they are needed.
    """

    def __init__(
        self, forecaster: Forecaster, peer: Address, oracle: TrustOracle, guarded: Iterable[GuardedChain] = ()
    ) -> None:
        self._forecaster = forecaster
        self._guarded = tuple(chain for chain in guarded if chain.peer == peer and chain.verdict.ok)
        self._peer = peer
        self._oracle = oracle

    def users(self, certificate: Certificate) -> tuple[Endpoint, ...]:
        """Return the endpoints whose chain holds `certificate`."""
        return self._users.get(certificate, ())

    def broken_by(self, added: Chain) -> tuple[Endpoint, ...]:
        """Return the endpoints that would be refused with `added` at the end of the peer's list."""
        trusted = (*self._forecaster.after[self._peer], *added)
        broken = [
            endpoint
            for chain, endpoints in self._by_chain.items()
            if not self._oracle.relevant(chain).isdisjoint(added) and not self._oracle.accepts(trusted, chain)
            for endpoint in endpoints
        ]
        return tuple(broken)

    @cached_property
    def addresses(self) -> frozenset[Address]:
        """The addresses of all endpoints, of the refused ones too."""
        return frozenset(endpoint.address for endpoint in self._forecaster.endpoints.values())

    @cached_property
    def listed(self) -> PeerList:
        """The peer's list after the plan."""
        return PeerList.of(self._forecaster.after[self._peer])

    @cached_property
    def _verified(self) -> tuple[Endpoint, ...]:
        endpoints = self._forecaster.endpoints.values()
        return tuple(endpoint for endpoint in endpoints if self._forecaster.verify(self._peer, endpoint).ok)

    @cached_property
    def _users(self) -> dict[Certificate, tuple[Endpoint, ...]]:
        users: dict[Certificate, tuple[Endpoint, ...]] = {}
        for endpoint in self._verified:
            for certificate in self._forecaster.certificates_in_use(self._peer, endpoint):
                users[certificate] = (*users.get(certificate, ()), endpoint)
        for guarded in self._guarded:
            for certificate in guarded.verdict.built_chain:
                users[certificate] = (*users.get(certificate, ()), guarded.endpoint)
        return users

    @cached_property
    def _by_chain(self) -> dict[Chain, tuple[Endpoint, ...]]:
        by_chain: dict[Chain, tuple[Endpoint, ...]] = {}
        for endpoint in self._verified:
            for chain in self._forecaster.chains(self._peer, endpoint):
                by_chain[chain] = (*by_chain.get(chain, ()), endpoint)
        for guarded in self._guarded:
            by_chain[guarded.chain] = (*by_chain.get(guarded.chain, ()), guarded.endpoint)
        return by_chain


@dataclass(frozen=True, slots=True)
class Refusal:
    """An endpoint that one peer still refuses after the plan.

    Attributes:
        presented: The chain in question; empty where none was seen.
        trusted: The peer's list after the plan.
        added: The certificates that the plan adds to the list.
        other_endpoints: The other endpoints at that peer; None where there is no cluster.
        removable: What a plan with --allow-removal would remove from the list, where that makes the endpoint verify.
    """

    endpoint: Endpoint
    presented: Chain
    verdict: Verdict
    trusted: Chain
    added: Chain = ()
    other_endpoints: OtherEndpoints | None = None
    removable: Chain = ()

    @property
    def listed(self) -> PeerList:
        """The peer's list after the plan, to look certificates up."""
        return self.other_endpoints.listed if self.other_endpoints else PeerList.of(self.trusted)

    def other_users(self, certificates: Iterable[Certificate]) -> tuple[Endpoint, ...]:
        """Return the other endpoints whose chains hold any of `certificates`, by name."""
        if self.other_endpoints is None:
            return ()
        users = {user.name: user for certificate in certificates for user in self.other_endpoints.users(certificate)}
        return tuple(users[name] for name in sorted(users) if name != self.endpoint.name)


@dataclass(frozen=True, slots=True)
class Advice:
    """The cause as the contract names it, one or two sentences, and the options that an operator has."""

    cause: Cause
    text: str
    options: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """The text, then the options."""
        return (self.text, *self.options)


def suggest_signing(refusal: Refusal) -> str:
    """Return the option that always exists: a certificate of a CA that the peers trust."""
    endpoint = refusal.endpoint
    service = certificate_service(endpoint.product, endpoint.port)
    price = describe_reissue_price(endpoint.product, endpoint.port)
    return f"Have the {service} certificate of {endpoint.address} signed by a CA that the peers trust. {price}"


def suggest_removal(refusal: Refusal) -> tuple[str, ...]:
    """Return the switch that removes stale certificates, where a plan with it accepts the endpoint."""
    if not refusal.removable:
        return ()
    return (f"Plan again with --allow-removal: it removes {describe_certificates(refusal.removable)} first.",)
