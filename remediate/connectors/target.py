"""One port to look at, and what was seen there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from remediate.model.certificate import Certificate
from remediate.model.identity import Address, KeyFamily, Product
from remediate.model.snapshot import Preference


@dataclass(frozen=True, slots=True)
class Target:
    """One port to look at.

    Attributes:
        connect_to: where to really connect; None: `address` itself.
        insisted: somebody said that this port is in use, so a refusal is a fault and no *not in use*.
        learned_from: see `Endpoint`.
    """

    address: Address
    port: int
    product: Product
    connect_to: str | None = None
    insisted: bool = False
    learned_from: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """Where the connection goes."""
        return self.connect_to or self.address


@dataclass(frozen=True, slots=True)
class Observation:
    """What one target presented. `refused`: nothing listens there. `error`: as in `Endpoint`."""

    presented: Mapping[KeyFamily, tuple[Certificate, ...]] = field(default_factory=dict)
    preferred: Preference = Preference()
    tls13: bool | None = None
    error: str | None = None
    refused: bool = False
