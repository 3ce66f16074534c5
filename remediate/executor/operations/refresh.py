"""Let the cluster discover the servers of one publisher again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from remediate.executor.operations.change import ChangeStatus, Observed
from remediate.executor.ports import PeerPort
from remediate.model.canonical import sha256_of
from remediate.model.expressway import REFRESH_BUTTON, SERVERS_PAGES
from remediate.model.identity import Address, Product
from remediate.model.secret import Login


def refresh_page(product: Product) -> str:
    """The page with the button, on the primary."""
    return f"{SERVERS_PAGES[product]} > {REFRESH_BUTTON}"


@dataclass(frozen=True, slots=True)
class RefreshOnPrimary:
    """Refresh the discovery of `publisher` through the primary.

    What was discovered cannot be read back (no public document says how), so the box tells only that the publisher is still listed;
    the verification of the endpoints (step 12) is the judge of what matters.
    """

    kind: ClassVar[str] = "refresh-discovery"
    is_verifiable: ClassVar[bool] = False
    peer: Address
    publisher: Address
    product: Product
    axl: Login | None = None

    @property
    def summary(self) -> str:
        return f"refresh the discovery of {self.publisher} ({self.product}) through {self.peer}"

    @property
    def manual_instruction(self) -> str:
        return f"On the primary {self.peer}, open {refresh_page(self.product)} for {self.publisher}."

    def precondition(self, box: PeerPort) -> Observed:
        return Observed(ChangeStatus.TO_DO, _digest(box))

    def write(self, box: PeerPort) -> None:
        axl = None if self.axl is None else (self.axl.username, self.axl.password.read())
        box.refresh_discovery(self.publisher, self.product, axl)

    def read_back(self, box: PeerPort) -> Observed:
        listed = self.publisher in {publisher.address for publisher in box.publishers()}
        return Observed(ChangeStatus.DONE if listed else ChangeStatus.FOREIGN, _digest(box))

    def inverse(self) -> None:
        return None

    def facts(self) -> Mapping[str, str]:
        return {"publisher": self.publisher, "product": self.product}


def _digest(box: PeerPort) -> str:
    return sha256_of("\n".join(sorted(publisher.address for publisher in box.publishers())))
