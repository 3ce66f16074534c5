"""What a Unified CM or IM&P node says: UDS without a login, AXL and certificate management with one.

An account is only ever sent to a node that verifies under a CA that the operator vouches for or that a peer trusts already, and only
what comes over such a channel vouches for anything. Without it, UDS alone is asked, of whoever answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from remediate.connectors.http import Account, Answer, HttpClient
from remediate.connectors.target import Target
from remediate.connectors.text import address_in, visible
from remediate.connectors.tls import Offer, Seen, handshake
from remediate.connectors.tls_check import TlsCheck, issued_under, pinned
from remediate.model.certificate import Certificate
from remediate.model.errors import (
    AccessError,
    CertificateError,
    LoginRefused,
    NotOffered,
    ObservationError,
    OutcomeUnknown,
    PinMismatch,
)
from remediate.model.identity import FAMILIES, Address, KeyFamily, Product
from remediate.model.limits import Limits

WEB_PORT = 8443
_UDS_SERVERS = "/cucm-uds/servers"
_SNAPSHOT = "/platformcom/api/v1/certmgr/config/snapshot/server"
_SCHEMA = "12.5"
"""An AXL schema that Unified CM 12.5, 14 and 15 all answer to; newer boxes keep older schemas."""
_LIST_NODES = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    f'xmlns:ns="http://www.cisco.com/AXL/API/{_SCHEMA}"><soapenv:Body><ns:listProcessNode>'
    "<searchCriteria><name>%</name></searchCriteria>"
    "<returnedTags><name/><processNodeRole/></returnedTags></ns:listProcessNode></soapenv:Body></soapenv:Envelope>"
)
_AXL_HEADERS = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f"CUCM:DB ver={_SCHEMA} listProcessNode"}
_ENTERPRISE = "EnterpriseWideData"


@dataclass(frozen=True, slots=True)
class ProcessNode:
    """An entry of *System > Server*: a connection address that clients are told to use."""

    address: Address
    product: Product


@dataclass(frozen=True, slots=True)
class NodeCertificates:
    """What certificate management shows of one node.

    Attributes:
        all: own certificates and trusted ones, each once.
        own: each of its own under the name of its service (``tomcat``, ``CallManager``), whatever the key family.
    """

    all: tuple[Certificate, ...]
    own: tuple[tuple[str, Certificate], ...]


class UcNode:
    """The web port of one node.

    Args:
        check: how the node is recognised.
        verified: it verifies under a CA that counts: only then may an account be used here.
    """

    def __init__(self, target: Target, check: TlsCheck, limits: Limits, *, verified: bool) -> None:
        self._target, self._check, self._limits, self.verified = target, check, limits, verified
        self._where = f"{target.address}:{target.port}"

    def uds_servers(self) -> tuple[Address, ...]:
        """Return the names of the cluster's Unified CM nodes. Raises ObservationError, NotOffered, PinMismatch."""
        with self._client() as client:
            answer = client.get(_UDS_SERVERS)
        if answer.status == 404:
            raise NotOffered(f"{self._where} has no {_UDS_SERVERS}.")
        self._accept(answer, "UDS")
        names = (one.text or "" for one in self._elements(answer, "UDS") if _local(one) == "server")
        return tuple(dict.fromkeys(address for name in names if (address := address_in(name))))

    def process_nodes(self, account: Account) -> tuple[ProcessNode, ...]:
        """Return *System > Server* over AXL (``listProcessNode``, which reads). Raises LoginRefused at once."""
        with self._client(account) as client:
            try:
                answer = client.send("POST", "/axl/", data=_LIST_NODES.encode(), headers=_AXL_HEADERS)
            except OutcomeUnknown as error:
                raise ObservationError(f"AXL on {self._where} did not answer.") from error
        self._accept(answer, "AXL", account)
        rows = [one for one in self._elements(answer, "AXL") if _local(one) == "processNode"]
        fields = [{_local(field): (field.text or "").strip() for field in row} for row in rows]
        return tuple(
            ProcessNode(address, "imp" if "presence" in row.get("processNodeRole", "").casefold() else "cucm")
            for row in fields
            if row.get("name") != _ENTERPRISE and (address := address_in(row.get("name", "")))
        )

    def certificates(self, account: Account) -> NodeCertificates:
        """Return what certificate management shows. Raises LoginRefused at once."""
        with self._client(account) as client:
            answer = client.get(_SNAPSHOT)
        if answer.status == 404:
            raise NotOffered(f"{self._where} has no certificate management interface (Unified CM 14 and later have).")
        self._accept(answer, "certificate management", account)
        try:
            return _in_snapshot(json.loads(answer.text))
        except (ValueError, RecursionError, AttributeError, TypeError, CertificateError) as error:
            raise ObservationError(
                f"The certificates that {self._where} lists cannot be read: {visible(str(error), 120)}"
            ) from error

    def _client(self, account: Account | None = None) -> HttpClient:
        if account and not self.verified:
            raise AccessError(f"No account is sent to {self._where}: its certificate does not verify.")
        return HttpClient(
            self._where,
            self._target.host,
            self._target.port,
            self._check,
            self._limits,
            account=account,
            server_name=self._target.address,
        )

    def _accept(self, answer: Answer, service: str, account: Account | None = None) -> None:
        if answer.status in (401, 403) and account:
            said = "refuses the login of" if answer.status == 401 else "lets in, but gives no rights to,"
            raise LoginRefused(
                f"{service} on {self._where} {said} {account.username} (HTTP {answer.status}).",
                next_step=(
                    "Correct this account under `unified_communications` in the inventory or leave it out; it was tried nowhere else."
                ),
            )
        if not answer.ok:
            raise ObservationError(f"{service} on {self._where} answers with HTTP {answer.status}: {visible(answer.text, 120)}")

    def _elements(self, answer: Answer, service: str) -> Iterator[ET.Element]:
        # No document of ours has a DTD; an attack on the parser (entities that grow) needs one.
        if "<!DOCTYPE" in answer.text.upper() or "<!ENTITY" in answer.text.upper():
            raise ObservationError(f"{service} on {self._where} answers with a document type, which is not read.")
        try:
            return ET.fromstring(answer.text.encode()).iter()  # noqa: S314  size is limited, DTDs are refused above
        except ET.ParseError as error:
            raise ObservationError(f"{service} on {self._where} answers with something that is not XML.") from error


def open_node(target: Target, authorities: Iterable[Certificate], limits: Limits) -> UcNode:
    """Return a node's web port, verified where it can be.

    Raises:
        ObservationError: nothing there can be spoken to over TLS 1.2.
    """
    authorities = tuple(authorities)
    found: UcNode | None = None
    for family in FAMILIES:
        answer = handshake(target.host, target.port, target.address, _offer(family), limits)
        if not isinstance(answer, Seen):
            continue
        if _verifies(target, issued_under(authorities, family), limits):
            return UcNode(target, issued_under(authorities, family), limits, verified=True)
        found = found or UcNode(target, pinned(answer.chain[0].fingerprint, family), limits, verified=False)
    if found is None:
        raise ObservationError(f"{target.address}:{target.port} cannot be reached over TLS 1.2.")
    return found


def _offer(family: KeyFamily) -> Offer:
    return Offer("aRSA:!eNULL" if family == "rsa" else "aECDSA:!eNULL")


def _verifies(target: Target, check: TlsCheck, limits: Limits) -> bool:
    """Whether the node verifies, asked without an account and without caring for what it answers."""
    with HttpClient(target.address, target.host, target.port, check, limits, server_name=target.address) as client:
        try:
            client.get(_UDS_SERVERS)
        except (PinMismatch, ObservationError):
            return False
    return True


def _local(element: ET.Element) -> str:
    """The name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _in_snapshot(document: Any) -> NodeCertificates:
    """The shape of certificate management's ``/config/snapshot/server``."""
    own = tuple(
        (str(identity.get("service") or "").removesuffix("-ECDSA"), one)
        for identity in document.get("identities") or []
        for one in Certificate.all_from_pem(identity.get("certificate") or "")
    )
    trusted = (
        one
        for trust in document.get("trusts") or []
        for entry in trust.get("certificate_data") or []
        for one in Certificate.all_from_pem(entry.get("certificate") or "")
    )
    return NodeCertificates(tuple(dict.fromkeys((*(one for _, one in own), *trusted))), own)
