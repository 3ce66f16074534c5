"""Records that a peer holds of its cluster and of its publishers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from remediate.model.identity import Address, Product
from remediate.model.text import mask_and_escape

_PRIMARY_LEAVES = ("ConfigurationPrimary", "ConfigurationMaster")
"""The leaf was renamed; older versions have the second."""
_NUMBERS = ("1", "2", "3", "4", "5", "6")
"""The numbers that peers have; a cluster has up to six."""


@dataclass(frozen=True, slots=True)
class Alternates:
    """A peer's view of its cluster.

    Attributes:
        primary: Position in `peers`, from 1, of the peer that the configuration comes from; None when it is not stated.
        peers: In the cluster's order; empty on a standalone peer.
    """

    cluster_name: str
    primary: int | None
    peers: tuple[Address, ...]

    @property
    def primary_address(self) -> Address | None:
        """The primary; None on a standalone peer, or when it is not stated."""
        return self.peers[self.primary - 1] if self.primary and self.primary <= len(self.peers) else None


@dataclass(frozen=True, slots=True)
class PublisherRecord:
    """A publisher as a peer holds it. The password is never returned."""

    address: Address
    product: Product
    axl_username: str
    tls_verify: str


def parse_alternates(leaves: Mapping[str, str]) -> Alternates:
    """Parse the leaves of ``xConfiguration Alternates``: up to six peers, numbered, perhaps with gaps."""
    values = {path.casefold(): value for path, value in leaves.items()}
    by_number = {int(number): values.get(f"alternates peer {number} address", "") for number in _NUMBERS}
    used = [number for number, address in by_number.items() if address]
    primary_number = next((values[path] for leaf in _PRIMARY_LEAVES if (path := f"alternates {leaf}".casefold()) in values), "")
    primary = int(primary_number) if primary_number in _NUMBERS else 0
    return Alternates(
        cluster_name=mask_and_escape(values.get("alternates cluster name", ""), 80),
        primary=used.index(primary) + 1 if primary in used else None,
        peers=tuple(Address(by_number[number]) for number in used),
    )
