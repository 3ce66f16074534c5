"""The forecast: what every endpoint will get from every peer, verified against the lists that the plan will leave."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from remediate.model.certificate import Certificate, Chain
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import Address, CipherList, EndpointId, PairId
from remediate.model.plan import EndpointForecast
from remediate.model.snapshot import Endpoint, Snapshot
from remediate.model.verdict import Verdict
from remediate.planner.solver.solver import Choice
from remediate.trust.verifier import ClusterVerifier, EndpointVerifier, OpenSslAnswers


class Forecaster:
    """Verifies the cluster as a choice will leave it.

    Attributes:
        endpoints: By their ids.
        after: Per observed peer, its trusted CA list then.
        added: Per observed peer, what the choice adds to its list.
        removed: Per observed peer, what the choice removes from its list.
        policy: The cipher policy that leads to the choice.
    """

    def __init__(self, snapshot: Snapshot, choice: Choice, answers: OpenSslAnswers) -> None:
        self.endpoints: dict[EndpointId, Endpoint] = {endpoint.id: endpoint for endpoint in snapshot.endpoints}
        self.after: dict[Address, Chain] = {}
        self.added, self.removed, self.policy = choice.added, choice.removed, choice.policy
        self._verifiers: dict[Address, EndpointVerifier] = {}
        self._representatives: dict[EndpointVerifier, Address] = {}
        self._ciphers: dict[Address, CipherList | None] = {}
        self._cluster = ClusterVerifier(snapshot, answers)
        for peer in snapshot.peers:
            if peer.error is None:
                ciphers = self._ciphers[peer.address] = choice.ciphers or peer.ciphers.get(REVERSE_PROXY_CIPHERS)
                self.after[peer.address] = choice.after[peer.address]
                self._verifiers[peer.address] = self._cluster.verifier_with(self.after[peer.address], ciphers)
                self._representatives.setdefault(self._verifiers[peer.address], peer.address)

    def representative_of(self, peer: Address) -> Address:
        """Return the first peer with the list and the ciphers of the observed `peer`: every endpoint gets the same from both."""
        return self._representatives[self._verifiers[peer]]

    def distinct_peers(self, observed: Iterable[Address]) -> tuple[Address, ...]:
        """Return one representative for each set of `observed` peers with equal lists and ciphers."""
        return tuple(dict.fromkeys(map(self.representative_of, observed)))

    def forecast(self, pair: PairId, today: Verdict) -> EndpointForecast:
        """Return the forecast of `pair`: its verdict of `today`, and its verdict after the choice."""
        verifier = self._verifiers.get(pair.peer)
        endpoint = self.endpoints[pair.endpoint]
        after = verifier.verify(endpoint) if verifier else today
        return EndpointForecast(endpoint.address, endpoint.port, pair.peer, today, after, endpoint.product)

    def verify(self, peer: Address, endpoint: Endpoint) -> Verdict:
        """Return what `endpoint` will get from an observed `peer`."""
        return self._verifiers[peer].verify(endpoint)

    def verify_with(self, trusted: Chain, peer: Address, endpoint: Endpoint) -> Verdict:
        """Return what `endpoint` would get from an observed `peer` were its list then `trusted`."""
        return self._cluster.verifier_with(trusted, self._ciphers[peer]).verify(endpoint)

    def presented(self, peer: Address, endpoint: Endpoint) -> Chain:
        """Return the presented chain that the verdict of `peer` will be about; empty when none was seen."""
        key = self.verify(peer, endpoint).key
        return self._verifiers[peer].presented(endpoint, key) if key else ()

    def relevant(self, peer: Address, presented: Chain) -> Chain:
        """Return the certificates of the future list of `peer` that can change the verdict on `presented`."""
        return self._verifiers[peer].chain.relevant(presented)

    def certificates_in_use(self, peer: Address, endpoint: Endpoint) -> frozenset[Certificate]:
        """Return every certificate of the chains that OpenSSL will put together for `endpoint` at `peer`."""
        return self._verifiers[peer].certificates_in_use(endpoint)

    def chains(self, peer: Address, endpoint: Endpoint) -> tuple[Chain, ...]:
        """Return the chains that `endpoint` may present to `peer`; all of them must verify."""
        if endpoint.error is not None:
            return ()
        verifier = self._verifiers[peer]
        return tuple(verifier.presented(endpoint, family) for family in verifier.families(endpoint))


def apply_choice(snapshot: Snapshot, choice: Choice) -> Snapshot:
    """Return `snapshot` as `choice` will leave it."""
    ciphers = {} if choice.ciphers is None else {REVERSE_PROXY_CIPHERS: choice.ciphers}
    lists = {peer: {certificate.fingerprint: certificate for certificate in trusted} for peer, trusted in choice.after.items()}
    peers = tuple(
        replace(peer, trusted_ca=tuple(lists[peer.address]), ciphers={**peer.ciphers, **ciphers})
        if peer.error is None
        else peer
        for peer in snapshot.peers
    )
    certificates = {**snapshot.certificates, **{key: value for trusted in lists.values() for key, value in trusted.items()}}
    return replace(snapshot, peers=peers, certificates=certificates)
