"""What every endpoint gets from every peer, as a snapshot shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from remediate.model.identity import REVERSE_PROXY_CIPHERS, Address, CipherList, KeyFamily
from remediate.model.plan import Outcome
from remediate.model.snapshot import Endpoint, Snapshot
from remediate.model.verdict import Cause, Verdict
from remediate.trust.ciphers import presented_families
from remediate.trust.openssl import V_OK
from remediate.trust.verify import Answers, Chain, Explained, ListJudge


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one endpoint gets from one peer.

    Attributes:
        works: whether the certificate expected first verifies, name included. Where another one may be presented instead, an
            endpoint can work today that does not count as verified: nothing that a person sees working may be broken.
    """

    address: Address
    port: int
    peer: Address
    outcome: Outcome
    works: bool


def judge(snapshot: Snapshot, answers: Answers | None = None) -> tuple[Judgement, ...]:
    """Return what each endpoint of `snapshot` gets from each peer, peers in order, endpoints in order.

    As if verification were on: the workaround flag is not looked at. What could not be observed is refused as such. `answers` may
    be shared with others that judge at the same moment.
    """
    return tuple(_judgements(ClusterJudge(snapshot, answers), snapshot))


def _judgements(cluster: ClusterJudge, snapshot: Snapshot) -> Iterator[Judgement]:
    for peer in snapshot.peers:
        view = cluster.view(
            tuple(snapshot.certificates[one] for one in peer.trusted_ca), peer.ciphers.get(REVERSE_PROXY_CIPHERS)
        )
        for endpoint in snapshot.endpoints:
            if peer.error is None:
                outcome = view.outcome(endpoint)
                works = outcome.verdict.ok or view.works(endpoint)
            else:
                outcome, works = Outcome(_unobserved(peer.error), None), False
            yield Judgement(endpoint.address, endpoint.port, peer.address, outcome, works)


def presented_chains(snapshot: Snapshot, endpoint: Endpoint) -> dict[KeyFamily, Chain]:
    """Return the certificates that `endpoint` presents, per key family that it presents any of."""
    presented = ((family, chain) for family, chain in endpoint.presented.items() if chain)
    return {family: tuple(snapshot.certificates[one] for one in chain) for family, chain in presented}


class ClusterJudge:
    """The views of a cluster's peers on its endpoints; peers with equal lists share one view."""

    def __init__(self, snapshot: Snapshot, answers: Answers | None = None) -> None:
        """`answers` may be shared with others that judge at the same moment."""
        self._at = snapshot.taken_at
        self._answers = answers or Answers(snapshot.taken_at)
        self._chains = {endpoint.name: presented_chains(snapshot, endpoint) for endpoint in snapshot.endpoints}
        self._views: dict[tuple[Chain, CipherList | None], PeerJudge] = {}

    def view(self, trusted: Chain, ciphers: CipherList | None) -> PeerJudge:
        """Return the view of a peer with this trusted CA list and this reverse proxy cipher list."""
        key = (trusted, ciphers)
        if key not in self._views:
            self._views[key] = PeerJudge(ListJudge(trusted, self._at, self._answers), ciphers, self._chains)
        return self._views[key]


class PeerJudge:
    """One peer's view: its trusted CA list and its cipher list at one moment. Judges each endpoint once."""

    def __init__(self, judge: ListJudge, ciphers: CipherList | None, chains: Mapping[str, Mapping[KeyFamily, Chain]]) -> None:
        self._judge = judge
        self._ciphers = ciphers
        self._chains = chains
        self._outcomes: dict[str, Outcome] = {}

    def explain(self, endpoint: Endpoint, family: KeyFamily) -> Explained:
        """Return the verdict on what `endpoint` presents of `family`, and how it came about."""
        return self._judge.explain(self._chains[endpoint.name][family], endpoint.address)

    def relevant(self, presented: Chain) -> Chain:
        """Return those of the peer's trusted CA list that can have a say in the verdict on `presented`."""
        return self._judge.relevant(presented)

    def presented(self, endpoint: Endpoint, family: KeyFamily) -> Chain:
        """Return what `endpoint` presents of `family`."""
        return self._chains[endpoint.name][family]

    def families(self, endpoint: Endpoint) -> tuple[KeyFamily, ...]:
        """Return the key families that `endpoint` may present to this peer; see `presented_families`."""
        return presented_families(endpoint, self._ciphers)

    def outcome(self, endpoint: Endpoint) -> Outcome:
        """Return what `endpoint` gets. Where it is not certain which certificate it presents, the worse of the two counts."""
        name = endpoint.name
        outcome = self._outcomes.get(name)
        if outcome is None:
            outcome = self._outcomes[name] = self._outcome(endpoint, self._chains[name])
        return outcome

    def works(self, endpoint: Endpoint) -> bool:
        """Whether the certificate that `endpoint` is expected to present verifies, whatever else it may present."""
        if endpoint.error is not None or self.outcome(endpoint).verdict.ok:
            return endpoint.error is None
        families = self.families(endpoint)
        return len(families) > 1 and self.explain(endpoint, families[0]).verdict.ok

    def _outcome(self, endpoint: Endpoint, chains: Mapping[KeyFamily, Chain]) -> Outcome:
        if endpoint.error is not None:
            return Outcome(_unobserved(endpoint.error), None)
        families = self.families(endpoint)
        if not families:
            return Outcome(Verdict(ok=False, cause=Cause.HANDSHAKE_FAILED, error="no shared cipher", code=V_OK), None)
        verdicts = [(family, self._judge.explain(chains[family], endpoint.address).verdict) for family in families]
        family, verdict = next((one for one in verdicts if not one[1].ok), verdicts[0])
        return Outcome(verdict, family)


def _unobserved(error: str) -> Verdict:
    failed = error.startswith(Cause.HANDSHAKE_FAILED)
    return Verdict(ok=False, cause=Cause.HANDSHAKE_FAILED if failed else Cause.UNREACHABLE, error=error, code=V_OK)
