"""What a peer says of its cluster and of its publishers, as values."""

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
    """What a peer knows of its cluster.

    Attributes:
        primary: position in `peers`, from 1, of the one that the configuration comes from; None when the box does not say.
        peers: in the cluster's order; empty on a box that stands alone.
    """

    cluster_name: str
    primary: int | None
    peers: tuple[Address, ...]

    @property
    def primary_address(self) -> Address | None:
        """The primary; None on a box that stands alone, or when the box does not say."""
        return self.peers[self.primary - 1] if self.primary and self.primary <= len(self.peers) else None


@dataclass(frozen=True, slots=True)
class PublisherRecord:
    """A publisher as the box holds it. The password never comes back."""

    address: Address
    product: Product
    axl_username: str
    tls_verify: str


def alternates_in(leaves: Mapping[str, str]) -> Alternates:
    """Return what the leaves of ``xConfiguration Alternates`` say: up to six peers, numbered, perhaps with gaps."""
    found = {path.casefold(): value for path, value in leaves.items()}
    by_number = {int(number): found.get(f"alternates peer {number} address", "") for number in _NUMBERS}
    used = [number for number, address in by_number.items() if address]
    said = next((found[path] for leaf in _PRIMARY_LEAVES if (path := f"alternates {leaf}".casefold()) in found), "")
    primary = int(said) if said in _NUMBERS else 0
    return Alternates(
        cluster_name=mask_and_escape(found.get("alternates cluster name", ""), 80),
        primary=used.index(primary) + 1 if primary in used else None,
        peers=tuple(Address(by_number[number]) for number in used),
    )
