"""The endpoint verifier: what every endpoint gets from every peer, as a snapshot shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from remediate.model.certificate import Certificate
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import CipherList, KeyFamily, PairId
from remediate.model.snapshot import Endpoint, Peer, Snapshot
from remediate.model.verdict import Cause, Verdict, Verdicts
from remediate.trust.chain_verifier import Chain, ChainVerifier, OpenSslAnswers
from remediate.trust.ciphers import presented_families


def verify_snapshot(snapshot: Snapshot, answers: OpenSslAnswers | None = None) -> Verdicts:
    """Return what each endpoint of `snapshot` gets from each peer, peers in order, endpoints in order.

    The workaround flag does not matter: the verdicts are those with verification on. `answers` may be shared with other verifiers of
    the same moment.
    """
    cluster = ClusterVerifier(snapshot, answers)
    verdicts: dict[PairId, Verdict] = {}
    for peer in snapshot.peers:
        verifier = cluster.verifier_at(peer)
        for endpoint in snapshot.endpoints:
            verdict = verifier.verify(endpoint) if peer.error is None else _not_observed(peer.error)
            verdicts[PairId(peer.address, endpoint.id)] = verdict
    return verdicts


def presented_chains(snapshot: Snapshot, endpoint: Endpoint) -> dict[KeyFamily, Chain]:
    """Return the chains that `endpoint` presents, per key family that it presents any of."""
    presented = ((family, chain) for family, chain in endpoint.presented.items() if chain)
    return {family: snapshot.resolve(chain) for family, chain in presented}


class ClusterVerifier:
    """The verifiers of a cluster's peers; peers with equal lists and ciphers share one."""

    def __init__(self, snapshot: Snapshot, answers: OpenSslAnswers | None = None) -> None:
        """Prepare the verifiers of `snapshot`; `answers` may be shared with other verifiers of the same moment."""
        self._snapshot = snapshot
        self._answers = answers or OpenSslAnswers(snapshot.taken_at)
        self._chains = {endpoint.name: presented_chains(snapshot, endpoint) for endpoint in snapshot.endpoints}
        self._verifiers: dict[tuple[Chain, CipherList | None], EndpointVerifier] = {}

    def verifier_at(self, peer: Peer) -> EndpointVerifier:
        """Return the verifier of `peer` with its lists of the snapshot."""
        return self.verifier_with(self._snapshot.resolve(peer.trusted_ca), peer.ciphers.get(REVERSE_PROXY_CIPHERS))

    def verifier_with(self, trusted: Chain, ciphers: CipherList | None) -> EndpointVerifier:
        """Return the verifier of a peer with this trusted CA list and this reverse proxy cipher list."""
        key = (trusted, ciphers)
        if key not in self._verifiers:
            chain = ChainVerifier(trusted, self._snapshot.taken_at, self._answers)
            self._verifiers[key] = EndpointVerifier(chain, ciphers, self._chains)
        return self._verifiers[key]


class EndpointVerifier:
    """Verifies endpoints at one peer: its trusted CA list and its cipher list at one moment. Each endpoint is verified once.

    Attributes:
        chain: The verifier of chains against the peer's list.
    """

    def __init__(
        self, chain: ChainVerifier, ciphers: CipherList | None, chains: Mapping[str, Mapping[KeyFamily, Chain]]
    ) -> None:
        """Verify what the endpoints present: `chains` by endpoint name and key family."""
        self.chain = chain
        self._ciphers = ciphers
        self._chains = chains
        self._verdicts: dict[str, Verdict] = {}

    def verify_family(self, endpoint: Endpoint, family: KeyFamily) -> Verdict:
        """Return the verdict on what `endpoint` presents of `family`."""
        return self.chain.verify(self._chains[endpoint.name][family], endpoint.address)

    def presented(self, endpoint: Endpoint, family: KeyFamily) -> Chain:
        """Return what `endpoint` presents of `family`."""
        return self._chains[endpoint.name][family]

    def families(self, endpoint: Endpoint) -> tuple[KeyFamily, ...]:
        """Return the key families that `endpoint` may present to this peer; see `presented_families`."""
        return presented_families(endpoint, self._ciphers)

    def certificates_in_use(self, endpoint: Endpoint) -> frozenset[Certificate]:
        """Return every certificate of the chains that OpenSSL puts together for `endpoint`; none where it was not observed."""
        if endpoint.error is not None:
            return frozenset()
        chains = [self.verify_family(endpoint, family).built_chain for family in self.families(endpoint)]
        return frozenset(certificate for chain in chains for certificate in chain)

    def verify(self, endpoint: Endpoint) -> Verdict:
        """Return what `endpoint` gets. Where it is not certain which certificate it presents, the worse of the two counts."""
        name = endpoint.name
        verdict = self._verdicts.get(name)
        if verdict is None:
            verdict = self._verdicts[name] = self._verify(endpoint, self._chains[name])
        return verdict

    def _verify(self, endpoint: Endpoint, chains: Mapping[KeyFamily, Chain]) -> Verdict:
        if endpoint.error is not None:
            return _not_observed(endpoint.error, endpoint.failure)
        families = self.families(endpoint)
        verdicts = [(family, self.chain.verify(chains[family], endpoint.address)) for family in families]
        if not verdicts:
            return Verdict(ok=False, cause=Cause.HANDSHAKE_FAILED, error="no shared cipher")
        expected = verdicts[0]
        family, verdict = next((judged for judged in verdicts if not judged[1].ok), expected)
        return replace(verdict, key=family, works_anyway=not verdict.ok and expected[1].ok)


def _not_observed(error: str, cause: Cause | None = None) -> Verdict:
    return Verdict(ok=False, cause=cause or Cause.UNREACHABLE, error=error, observed=False)
