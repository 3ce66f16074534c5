"""The actions in the document of a plan."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import Field

from remediate.formats.document import (
    By,
    ProductName,
    Sha256,
    Text,
    Wire,
    addresses_of,
)
from remediate.model.identity import Address, CipherList, Fingerprint
from remediate.model.plan import (
    Action,
    RefreshDiscovery,
    RemoveCertificate,
    RestartPeer,
    SetCiphers,
    TrustCertificate,
    TrustOnNode,
)


class TrustCertificateWire(Wire):
    id: str
    kind: Literal["trust-certificate"]
    certificate: Sha256
    peers: list[Text]
    role: Literal["root", "intermediate", "self-signed"]
    approval: Literal["vouched", "granted", "required"]
    because: list[str]


class SetCiphersWire(Wire):
    id: str
    kind: Literal["set-ciphers"]
    name: Text
    before: Annotated[str, Field(alias="from")]
    after: Annotated[str, Field(alias="to")]


class RefreshDiscoveryWire(Wire):
    id: str
    kind: Literal["refresh-discovery"]
    publisher: Text
    product: ProductName
    by: By
    warning: Text | None = None


class RestartPeerWire(Wire):
    id: str
    kind: Literal["restart-peer"]
    peers: list[Text]
    when: Literal["if-needed"]


class RemoveCertificateWire(Wire):
    id: str
    kind: Literal["remove-certificate"]
    certificate: Sha256
    peers: list[Text]
    by: Literal["rest", "person"]
    because: list[str]


class TrustOnNodeWire(Wire):
    id: str
    kind: Literal["trust-on-node"]
    node: Text
    store: Text
    certificate: Sha256
    because: list[Text]
    approval: Literal["vouched", "granted", "required"] = "required"


ActionWire = Annotated[
    TrustCertificateWire | SetCiphersWire | RefreshDiscoveryWire | RestartPeerWire | RemoveCertificateWire | TrustOnNodeWire,
    Field(discriminator="kind"),
]


def read_action(wire: ActionWire) -> Action:
    """Return the action that the document holds."""
    match wire:
        case TrustCertificateWire():
            certificate, peers = Fingerprint(wire.certificate), addresses_of(wire.peers)
            return TrustCertificate(wire.id, certificate, peers, wire.role, wire.approval, tuple(wire.because))
        case SetCiphersWire():
            return SetCiphers(wire.id, wire.name, CipherList(wire.before), CipherList(wire.after))
        case RefreshDiscoveryWire():
            return RefreshDiscovery(wire.id, Address(wire.publisher), wire.product, wire.by, wire.warning)
        case RestartPeerWire():
            return RestartPeer(wire.id, addresses_of(wire.peers), wire.when)
        case RemoveCertificateWire():
            certificate, peers = Fingerprint(wire.certificate), addresses_of(wire.peers)
            return RemoveCertificate(wire.id, certificate, peers, wire.by, tuple(wire.because))
        case TrustOnNodeWire():
            node, certificate = Address(wire.node), Fingerprint(wire.certificate)
            return TrustOnNode(wire.id, node, wire.store, certificate, addresses_of(wire.because), wire.approval)


def write_action(action: Action) -> dict[str, Any]:
    """Return the document of `action`."""
    document = asdict(action)
    if isinstance(action, SetCiphers):
        document |= {"from": document.pop("before"), "to": document.pop("after")}
    if isinstance(action, RefreshDiscovery) and not action.warning:
        del document["warning"]
    return document
