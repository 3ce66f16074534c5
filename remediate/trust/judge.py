"""What every endpoint gets from every peer, as a snapshot shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from remediate.model.identity import REVERSE_PROXY_CIPHERS, Address, CipherList, KeyFamily
from remediate.model.plan import Outcome
from remediate.model.snapshot import Endpoint, Peer, Snapshot
from remediate.model.verdict import Cause, Verdict
from remediate.trust.ciphers import presented_families
from remediate.trust.openssl import V_OK
from remediate.trust.verify import Chain, Explained, ListJudge


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one endpoint gets from one peer."""

    address: Address
    port: int
    peer: Address
    outcome: Outcome


def judge(snapshot: Snapshot) -> tuple[Judgement, ...]:
    """Return what each endpoint of `snapshot` gets from each peer, peers in order, endpoints in order.

    As if verification were on: the workaround flag is not looked at. What could not be observed is refused as such.
    """
    return tuple(_judgements(snapshot))


def _judgements(snapshot: Snapshot) -> Iterator[Judgement]:
    chains = presented_chains(snapshot)
    for peer in snapshot.peers:
        trusted = tuple(snapshot.certificates[one] for one in peer.trusted_ca)
        view = PeerJudge(trusted, peer.ciphers.get(REVERSE_PROXY_CIPHERS), snapshot.taken_at)
        for endpoint in snapshot.endpoints:
            outcome = unobserved_peer(peer) or view.outcome(endpoint, chains[endpoint.name])
            yield Judgement(endpoint.address, endpoint.port, peer.address, outcome)


def presented_chains(snapshot: Snapshot) -> dict[str, dict[KeyFamily, Chain]]:
    """Return, per endpoint name and key family, the certificates presented."""
    return {
        endpoint.name: {
            family: tuple(snapshot.certificates[one] for one in chain) for family, chain in endpoint.presented.items()
        }
        for endpoint in snapshot.endpoints
    }


def unobserved_peer(peer: Peer) -> Outcome | None:
    """Return the outcome of every endpoint at a peer that could not be looked at; None when it was."""
    return None if peer.error is None else Outcome(_unobserved(peer.error), None)


class PeerJudge:
    """One peer's view: its trusted CA list and its cipher list at one moment."""

    def __init__(self, trusted: Chain, ciphers: CipherList | None, at: datetime) -> None:
        self._judge = ListJudge(trusted, at)
        self._ciphers = ciphers

    def explain(self, presented: Chain, address: str) -> Explained:
        """Return the verdict on one presented chain, and how it came about."""
        return self._judge.explain(presented, address)

    def families(self, endpoint: Endpoint) -> tuple[KeyFamily, ...]:
        """Return the key families that `endpoint` may present to this peer; see `presented_families`."""
        return presented_families(endpoint, self._ciphers)

    def outcome(self, endpoint: Endpoint, chains: Mapping[KeyFamily, Chain]) -> Outcome:
        """Return what `endpoint` gets. Where it is not certain which certificate it presents, the worse of the two counts."""
        if endpoint.error is not None:
            return Outcome(_unobserved(endpoint.error), None)
        families = self.families(endpoint)
        if not families:
            return Outcome(Verdict(ok=False, cause=Cause.HANDSHAKE_FAILED, error="no shared cipher", code=V_OK), None)
        verdicts = [(family, self.explain(chains[family], endpoint.address).verdict) for family in families]
        family, verdict = next((one for one in verdicts if not one[1].ok), verdicts[0])
        return Outcome(verdict, family)


def _unobserved(error: str) -> Verdict:
    failed = error.startswith(Cause.HANDSHAKE_FAILED)
    return Verdict(ok=False, cause=Cause.HANDSHAKE_FAILED if failed else Cause.UNREACHABLE, error=error, code=V_OK)
