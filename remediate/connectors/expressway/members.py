"""Members of a cluster as one peer lists them: the other peers and the publishers. For an inventory with only this peer so far."""

from __future__ import annotations

from dataclasses import dataclass

from remediate.connectors.addresses import check_discovered_name, classify_address, list_inventory_hosts
from remediate.connectors.expressway.cluster import match_hosts
from remediate.connectors.expressway.peer import ExpresswayPeer
from remediate.connectors.expressway.records import PublisherRecord
from remediate.model.access import ClusterAccess
from remediate.model.identity import Address
from remediate.model.limits import Limits


@dataclass(frozen=True, slots=True)
class ClusterMembers:
    """The cluster of one peer.

    Attributes:
        name: What the peers call it; empty on a standalone peer.
        peers: The other peers, each under one name.
    """

    name: str
    peers: tuple[Address, ...]
    publishers: tuple[PublisherRecord, ...]


def read_members(cluster: ClusterAccess, limits: Limits) -> ClusterMembers:
    """Log in to the first peer of `cluster` and return the other members of its cluster.

    Raises:
        LoginRefused, PinMismatch, ObservationError, InventoryError: It cannot be asked.
    """
    access, login = cluster.peers[0], cluster.login
    kinds = {kind for kind in [classify_address(access.address)] if kind}
    with ExpresswayPeer(access, login.username, login.password.read(), limits, writable=False) as peer:
        peer.log_in()
        alternates, publishers = peer.alternates(), peer.publishers()
        member_names = dict.fromkeys((*alternates.peers, *peer.cluster_peers()))
    hosts = list_inventory_hosts(cluster)
    checked = [check_discovered_name(name, hosts, kinds)[0] for name in list(member_names)[: 2 * limits.max_peers]]
    spelled = match_hosts([access.address], [address for address in checked if address is not None])
    peers = tuple(dict.fromkeys(address for address in spelled.values() if address != access.address))
    return ClusterMembers(alternates.cluster_name, peers[: limits.max_peers - 1], publishers)
