"""The chains that peers build, each once with the endpoints that share it: what a report draws."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from remediate.model.canonical import rfc3339
from remediate.model.certificate import Certificate, Chain
from remediate.model.identity import Address, Fingerprint
from remediate.model.plan import ChainGroup
from remediate.model.snapshot import Endpoint
from remediate.planner.forecast import Forecaster


def group_chains(observed: Iterable[Address], forecaster: Forecaster) -> tuple[ChainGroup, ...]:
    """Return the chains that the peers build after the plan, in the order of their first endpoint.

    An endpoint belongs to the chain at the first peer that accepts it then, or at the first peer where none does.

    Args:
        observed: The peers that were observed.
        forecaster: The cluster as the plan will leave it.
    """
    peers = forecaster.distinct_peers(observed)
    groups: dict[tuple[int, tuple[Certificate, ...], str | None], list[tuple[Endpoint, Certificate]]] = {}
    for _, endpoint in sorted(forecaster.endpoints.items()):
        chain = _choose_chain(peers, endpoint, forecaster)
        if not chain:
            continue
        leaf, *above = chain
        depth = 0 if leaf.self_issued else 1
        top = chain[-1]
        missing = None if top.self_issued or not top.readable else top.issuer
        shared = (leaf,) if depth == 0 and any(leaf in forecaster.after[peer] for peer in peers) else tuple(above)
        groups.setdefault((depth, shared, missing), []).append((endpoint, leaf))
    return tuple(_make_group(*key, members) for key, members in groups.items())


def list_chain_certificates(chains: Iterable[ChainGroup]) -> frozenset[Fingerprint]:
    """Return the certificates that `chains` name."""
    return frozenset(fingerprint for chain in chains for fingerprint in chain.certificates)


def _choose_chain(peers: Sequence[Address], endpoint: Endpoint, forecaster: Forecaster) -> Chain:
    if endpoint.error is not None or not peers:
        return ()
    accepting = (peer for peer in peers if forecaster.verify(peer, endpoint).ok)
    peer = next(accepting, peers[0])
    return forecaster.verify(peer, endpoint).built_chain or forecaster.presented(peer, endpoint)[:1]


def _make_group(
    depth: int, shared: tuple[Certificate, ...], missing: str | None, members: Sequence[tuple[Endpoint, Certificate]]
) -> ChainGroup:
    ends = [(rfc3339(leaf.not_after), endpoint.name) for endpoint, leaf in members if leaf.not_after]
    first = min(ends, default=(None, None))
    return ChainGroup(
        depth,
        tuple(certificate.fingerprint for certificate in shared),
        missing,
        tuple(endpoint.name for endpoint, _ in members),
        first[0],
        first[1],
    )
