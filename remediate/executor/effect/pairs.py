"""The pairs that show whether a list is in effect: refused before, and fixed by the change of the list itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from remediate.model.certificate import Certificate
from remediate.model.identity import FAMILIES, Address, EndpointId, Fingerprint, PairId, is_same_address
from remediate.model.run import Backup
from remediate.model.snapshot import Peer, Snapshot
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
    earlier = {address: backup for address, backup in before.items() if set(backup.trusted_ca) <= after.certificates.keys()}
    after = replace(after, peers=tuple(peer for peer in after.peers if _names(earlier, peer.address)))
    fixed = _accepted(judge(after))
    for ciphers in (True, False):
        fixed &= _refused(_with(after, earlier, ciphers=ciphers), judge)
    by_name = {address.casefold(): address for address in earlier}
    endpoints: dict[Address, tuple[EndpointId, ...]] = dict.fromkeys(before, ())
    for pair in sorted(fixed):
        address = by_name.get(pair.peer.casefold())
        if address is not None:
            endpoints[address] = (*endpoints[address], pair.endpoint)
    return endpoints


def with_certificates(snapshot: Snapshot, certificates: Mapping[Fingerprint, Certificate]) -> Snapshot:
    """Return `snapshot`, which knows `certificates` too."""
    return replace(snapshot, certificates={**certificates, **snapshot.certificates})


def _with(snapshot: Snapshot, backups: Mapping[Address, Backup], *, ciphers: bool) -> Snapshot:
    by_name = {address.casefold(): backup for address, backup in backups.items()}

    def restore(peer: Peer) -> Peer:
        backup = by_name.get(peer.address.casefold())
        if backup is None:
            return peer
        return replace(peer, trusted_ca=backup.trusted_ca, ciphers=backup.ciphers if ciphers else peer.ciphers)

    return replace(snapshot, peers=tuple(restore(peer) for peer in snapshot.peers))


def _accepted(verdicts: Verdicts) -> set[PairId]:
    return {pair for pair, verdict in verdicts.items() if verdict.ok}


def _refused(snapshot: Snapshot, judge: Judge) -> set[PairId]:
    """Return the pairs that are refused whichever certificate the node presents."""
    observed = {pair for pair, verdict in judge(snapshot).items() if verdict.observed}
    for family in FAMILIES:
        alone = tuple(
            replace(endpoint, presented={family: endpoint.presented[family]})
            for endpoint in snapshot.endpoints
            if endpoint.presented.get(family)
        )
        observed -= _accepted(judge(replace(snapshot, endpoints=alone)))
    return observed


def _names(backups: Mapping[Address, Backup], peer: Address) -> bool:
    return any(is_same_address(address, peer) for address in backups)
