"""The pairs that show whether a list is in effect: refused before, and fixed by the change of the list itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from remediate.model.certificate import Certificate
from remediate.model.identity import FAMILIES, Address, EndpointId, Fingerprint, PairId
from remediate.model.run import Backup
from remediate.model.snapshot import Snapshot
from remediate.model.verdict import Verdicts

Judge = Callable[[Snapshot], Verdicts]


def find_pairs_fixed_by_list(
    before: Mapping[Address, Backup], after: Snapshot, judge: Judge
) -> dict[Address, tuple[EndpointId, ...]]:
    """Return, for each peer of `before`, the endpoints that it refused and that its new list accepts.

    Only those count that the earlier list refuses whichever certificate the node presents, by the earlier ciphers and by the new ones:
    any other may be answered whether the list is loaded or not. A peer whose earlier list holds a certificate that `after` does not
    know has none.
    """
    comparable = [address for address, backup in before.items() if set(backup.trusted_ca) <= after.certificates.keys()]
    by_name = {address.casefold(): address for address in comparable}
    after = replace(after, peers=tuple(peer for peer in after.peers if peer.address.casefold() in by_name))
    backups = {peer.address: before[by_name[peer.address.casefold()]] for peer in after.peers}
    fixed = _list_accepted(judge(after))
    for with_ciphers in (True, False):
        fixed &= _list_refused(_restore(after, backups, with_ciphers=with_ciphers), judge)
    endpoints: dict[Address, tuple[EndpointId, ...]] = dict.fromkeys(before, ())
    for pair in sorted(fixed):
        address = by_name[pair.peer.casefold()]
        endpoints[address] = (*endpoints[address], pair.endpoint)
    return endpoints


def with_certificates(snapshot: Snapshot, certificates: Mapping[Fingerprint, Certificate]) -> Snapshot:
    """Return `snapshot` with `certificates` among those that it holds."""
    return replace(snapshot, certificates={**certificates, **snapshot.certificates})


def _restore(snapshot: Snapshot, backups: Mapping[Address, Backup], *, with_ciphers: bool) -> Snapshot:
    """Return `snapshot` with the lists of `backups`, which hold every peer; with their cipher lists too if `with_ciphers`."""
    pairs = [(peer, backups[peer.address]) for peer in snapshot.peers]
    peers = (
        replace(peer, trusted_ca=backup.trusted_ca, ciphers=backup.ciphers if with_ciphers else peer.ciphers)
        for peer, backup in pairs
    )
    return replace(snapshot, peers=tuple(peers))


def _list_accepted(verdicts: Verdicts) -> set[PairId]:
    return {pair for pair, verdict in verdicts.items() if verdict.ok}


def _list_refused(snapshot: Snapshot, judge: Judge) -> set[PairId]:
    """Return the pairs that are refused whichever certificate the node presents."""
    observed = {pair for pair, verdict in judge(snapshot).items() if verdict.observed}
    for family in FAMILIES:
        alone = tuple(
            replace(endpoint, presented={family: endpoint.presented[family]})
            for endpoint in snapshot.endpoints
            if endpoint.presented.get(family)
        )
        observed -= _list_accepted(judge(replace(snapshot, endpoints=alone)))
    return observed
