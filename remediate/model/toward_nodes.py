"""Verdict of a node on a peer's own certificate, which the peer presents as a TLS client (contract, `toward_nodes`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal

from remediate.model.identity import Address, Fingerprint, Product

NodeReader = Literal["certmgr", "shell"]


class ClientCause(StrEnum):
    """Why a node refuses a peer's certificate."""

    UNTRUSTED = "client-untrusted"
    EKU_MISSING = "client-eku-missing"
    EXPIRED = "client-expired"
    INVALID = "client-invalid"
    NOT_OBSERVED = "not-observed"


STORES: Final[Mapping[Product, tuple[str, ...]]] = {"cucm": ("tomcat", "CallManager"), "imp": ("cup-xmpp",), "unity": ()}
"""The trust stores of a node that must hold what signed a peer's certificate (CSCvz45074, from X14.0.2)."""

SERVICES_OF_CERTIFICATE: Final[Mapping[str, tuple[str, ...]]] = {
    "tomcat": ("Cisco Tomcat",),
    "CallManager": ("Cisco CallManager", "Cisco TFTP", "Cisco HAProxy"),
    "cup-xmpp": ("Cisco XCP Router",),
}
"""The services that present a certificate, and go on with the earlier one until they restart (Unified CM security guide 15)."""


@dataclass(frozen=True, slots=True)
class ServiceRestart:
    """What makes an uploaded trust certificate count, and its price.

    Attributes:
        services: The services that read the store when they start, as ``utils service restart`` names them.
        where: The nodes on which they restart.
        price: What users notice of it.
    """

    services: tuple[str, ...]
    where: str
    price: str

    @property
    def instruction(self) -> str:
        """What a person does, with the price."""
        *head, last = self.services
        names = f"{', '.join(head)} and {last}" if head else last
        return f"restart {names} on {self.where} (`utils service restart {self.services[0]}`; {self.price})"


STORE_RESTARTS: Final[Mapping[str, ServiceRestart]] = {
    "tomcat": ServiceRestart(
        ("Cisco Tomcat", "Cisco HAProxy"),
        "every node of that cluster",
        "web pages and AXL are unavailable for some minutes",
    ),
    "CallManager": ServiceRestart(
        ("Cisco CallManager", "Cisco TFTP", "Cisco HAProxy"),
        "every node of that cluster",
        "its phones register with another node, and then back",
    ),
    "cup-xmpp": ServiceRestart(
        ("Cisco XCP Router",),
        "every IM and Presence node",
        "all chat and presence sessions are dropped",
    ),
}
"""Cisco, MRA deployment guide X15.2, and TAC articles 217743 and 217748."""


@dataclass(frozen=True, slots=True)
class Node:
    """One Unified CM or IM and Presence node, as its certificate management shows it.

    Attributes:
        own: Its own certificates, by the name of their service: ``tomcat``, ``CallManager-ECDSA``.
        trust: What each service trusts, in the order shown.
        by: How it was read; None where it was not.
        error: Why it was not read, for a person.
    """

    address: Address
    product: Product
    own: Mapping[str, Fingerprint] = field(default_factory=dict)
    trust: Mapping[str, tuple[Fingerprint, ...]] = field(default_factory=dict)
    by: NodeReader | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class TowardNode:
    """The verdict of one store of one node on one peer's certificate.

    Attributes:
        error: OpenSSL's text for `code`, or why it was not observed; None where it is accepted.
        code: OpenSSL's ``X509_V_ERR_*`` number; 0 where it is accepted or was not observed.
        depth: Position in the chain, 0 being the peer's certificate; None where it is accepted or was not observed.
        advice: What is missing, for a person.
        options: What to do, the cheapest first.
        missing: The certificates that the store lacks to accept it, the root first; empty where they are not known or do not help.
    """

    peer: Address
    node: Address
    store: str
    ok: bool
    cause: ClientCause | None = None
    error: str | None = None
    code: int = 0
    depth: int | None = None
    advice: str = ""
    options: tuple[str, ...] = ()
    missing: tuple[Fingerprint, ...] = ()

    @property
    def observed(self) -> bool:
        """Whether the node's store and the peer's certificate were both seen."""
        return self.cause is not ClientCause.NOT_OBSERVED
