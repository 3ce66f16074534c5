"""What every endpoint will get from every peer: the verdict function again, on the lists as the plan will leave them."""

from __future__ import annotations

from remediate.model.certificate import Certificate
from remediate.model.identity import REVERSE_PROXY_CIPHERS, Address
from remediate.model.plan import EndpointForecast, Outcome
from remediate.model.snapshot import Endpoint, Snapshot
from remediate.planner.choice import Choice
from remediate.trust.judge import Judgement, PeerJudge, presented_chains
from remediate.trust.verify import Chain, Explained


class Forecaster:
    """Judges the cluster as it will be after `choice`; None: as it is."""

    def __init__(self, snapshot: Snapshot, choice: Choice | None) -> None:
        self._chains = presented_chains(snapshot)
        self.endpoints = {(one.address, one.port): one for one in snapshot.endpoints}
        self._at = snapshot.taken_at
        self.after: dict[Address, Chain] = {}
        self._views: dict[Address, PeerJudge] = {}
        shared: dict[object, PeerJudge] = {}
        for peer in snapshot.peers:
            if peer.error is None:
                listed = tuple(snapshot.certificates[one] for one in peer.trusted_ca)
                trusted = choice.after[peer.address] if choice else listed
                ciphers = (choice.ciphers if choice else None) or peer.ciphers.get(REVERSE_PROXY_CIPHERS)
                self.after[peer.address] = trusted
                self._views[peer.address] = shared.setdefault((trusted, ciphers), PeerJudge(trusted, ciphers, self._at))

    def forecast(self, today: Judgement) -> EndpointForecast:
        """Return `today`'s judgement with what it will be."""
        view = self._views.get(today.peer)
        endpoint = self.endpoints[today.address, today.port]
        after = self._outcome(view, endpoint) if view else today.outcome
        return EndpointForecast(today.address, today.port, today.peer, today.outcome, after)

    def outcome(self, peer: Address, endpoint: Endpoint) -> Outcome:
        """Return what `endpoint` will get from an observed `peer`."""
        return self._outcome(self._views[peer], endpoint)

    def explain(self, peer: Address, endpoint: Endpoint) -> Explained | None:
        """Return how the outcome at an observed `peer` will come about; None where no certificate was seen."""
        view, chains = self._views[peer], self._chains[endpoint.name]
        key = self._outcome(view, endpoint).key
        return view.explain(chains[key], endpoint.address) if key else None

    def presented(self, peer: Address, endpoint: Endpoint) -> Chain:
        """Return the presented chain that the outcome at `peer` will be about; empty when none was seen."""
        key = self._outcome(self._views[peer], endpoint).key
        return self._chains[endpoint.name][key] if key else ()

    def used(self, peer: Address, endpoint: Endpoint) -> frozenset[Certificate]:
        """Return every certificate of the chains that OpenSSL will put together for `endpoint` at `peer`."""
        view, chains = self._views[peer], self._chains[endpoint.name]
        explained = [view.explain(chains[family], endpoint.address) for family in view.families(endpoint)]
        return frozenset(member for one in explained for member in one.chain)

    def _outcome(self, view: PeerJudge, endpoint: Endpoint) -> Outcome:
        return view.outcome(endpoint, self._chains[endpoint.name])
