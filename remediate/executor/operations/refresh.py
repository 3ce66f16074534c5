"""Refresh of the servers that a cluster discovered from one publisher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self, cast

from remediate.executor.operations.change import Change, ChangeStatus, FindCertificate, Observed
from remediate.executor.ports import PeerPort, PublisherPort
from remediate.model.canonical import sha256_of
from remediate.model.expressway import REFRESH_BUTTON, REFRESH_PRICE, SERVERS_PAGES
from remediate.model.identity import Address, Product
from remediate.model.secret import Login


def _refresh_page(product: Product) -> str:
    """Return the page with the button, on the primary."""
    return f"{SERVERS_PAGES[product]} > {REFRESH_BUTTON}"


@dataclass(frozen=True, slots=True)
class RefreshOnPrimary(Change):
    """Refresh the discovery of `publisher` through the primary.

    What was discovered cannot be read back (no public document describes how), so the peer shows only that the publisher is still
    listed; the verification of the endpoints (step 12) decides.
    """

    kind: ClassVar[str] = "refresh-discovery"
    is_verifiable: ClassVar[bool] = False
    publisher: Address
    product: Product
    axl: Login | None = None

    @property
    def summary(self) -> str:
        return f"refresh the discovery of {self.publisher} ({self.product}) through {self.peer}"

    @property
    def manual_instruction(self) -> str:
        return f"On the primary {self.peer}, open {_refresh_page(self.product)} for {self.publisher}. {REFRESH_PRICE}"

    def precondition(self, peer: PeerPort) -> Observed:
        """Return that the change is to make, with the publishers as they were last read: the write itself reads them again."""
        return Observed(ChangeStatus.TO_DO, _digest(peer.last_publishers()))

    def write(self, peer: PeerPort) -> None:
        axl = None if self.axl is None else (self.axl.username, self.axl.password.read())
        peer.refresh_discovery(self.publisher, self.product, axl)

    def read_back(self, peer: PeerPort) -> Observed:
        publishers = peer.publishers(self.product)
        listed = self.publisher in {publisher.address for publisher in publishers}
        return Observed(ChangeStatus.DONE if listed else ChangeStatus.FOREIGN, _digest(publishers))

    def facts(self) -> Mapping[str, str]:
        return {"publisher": self.publisher, "product": self.product}

    @classmethod
    def from_facts(cls, peer: Address, facts: Mapping[str, str], find: FindCertificate) -> Self:
        del find
        return cls(peer, Address(facts["publisher"]), cast("Product", facts["product"]))


def _digest(publishers: Sequence[PublisherPort]) -> str:
    listed = sorted((publisher.product, publisher.address) for publisher in publishers)
    return sha256_of("\n".join(f"{product} {address}" for product, address in listed))
