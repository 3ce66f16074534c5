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
        guarded: somebody else named `host`: it is not connected to where it leads to an address that only the inventory may name.
    """

    address: Address
    port: int
    product: Product
    connect_to: str | None = None
    insisted: bool = False
    learned_from: tuple[str, ...] = ()
    guarded: bool = False

    @property
    def host(self) -> str:
        """Where the connection goes."""
        return self.connect_to or self.address

    @property
    def named_without_login(self) -> bool:
        """Whether nobody but a source that asks for no login names it: anybody in the path may have written that."""
        return bool(self.learned_from) and all(source == "uds" for source in self.learned_from)


@dataclass(frozen=True, slots=True)
class Observation:
    """What one target presented.

    Attributes:
        error: as in `Endpoint`.
        refused: nothing listens there.
        host_absent: its host could not even be found or reached, which holds for its other ports too.
    """

    presented: Mapping[KeyFamily, tuple[Certificate, ...]] = field(default_factory=dict)
    preferred: Preference = Preference()
    tls13: bool | None = None
    error: str | None = None
    refused: bool = False
    host_absent: bool = False
