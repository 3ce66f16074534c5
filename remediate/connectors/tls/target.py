"""Targets of the probe, and what it observed there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from remediate.model.certificate import Certificate
from remediate.model.identity import Address, KeyFamily, Product
from remediate.model.snapshot import Preference
from remediate.model.verdict import Cause


@dataclass(frozen=True, slots=True)
class Target:
    """One port to probe.

    Attributes:
        connect_to: Host to connect to; None: `address` itself.
        declared_in_use: The inventory or the cluster relies on this port, so a refusal is a fault and not *not in use*.
        learned_from: See `Endpoint`.
        service: What relies on the trusted CA list there, where that is not the traffic server (a guarded endpoint of the snapshot).
        guarded: A source other than the inventory named `host`: no connection is made to an address that only the inventory may name.
    """

    address: Address
    port: int
    product: Product
    connect_to: str | None = None
    declared_in_use: bool = False
    learned_from: tuple[str, ...] = ()
    guarded: bool = False
    service: str | None = None

    @property
    def host(self) -> str:
        """The host to connect to."""
        return self.connect_to or self.address

    @property
    def named_without_login(self) -> bool:
        """Whether only sources without a login name it: anyone on the path could have written that."""
        return bool(self.learned_from) and all(source == "uds" for source in self.learned_from)


@dataclass(frozen=True, slots=True)
class Observation:
    """What one target presented.

    Attributes:
        error: As in `Endpoint`.
        refused: The connection was refused.
        host_absent: The host could not be found or reached, which holds for its other ports too.
    """

    presented: Mapping[KeyFamily, tuple[Certificate, ...]] = field(default_factory=dict)
    preferred: Preference = Preference()
    tls13: bool | None = None
    error: str | None = None
    failure: Cause | None = None
    refused: bool = False
    host_absent: bool = False
