"""What a Unified CM or IM&P node says: UDS without a login, AXL and certificate management with one.

An account is only ever sent to a node that verifies under a CA that the operator vouches for or that a peer trusts already, and only
what comes over such a channel vouches for anything. Without it, UDS alone is asked, of whoever answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from remediate.connectors.http import Account, Answer, HttpClient
from remediate.connectors.tls.handshake import NO_CONNECTION, Offer, Seen, handshake
from remediate.connectors.tls.pinning import TlsCheck, issued_under, pinned
from remediate.connectors.tls.target import Target
from remediate.connectors.unified_cm import axl
from remediate.connectors.unified_cm.axl import NamedNodes
from remediate.connectors.unified_cm.xml_document import plain_text, read_records
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
from remediate.model.identity import FAMILIES, KeyFamily
from remediate.model.limits import Limits
from remediate.model.text import mask_and_escape

WEB_PORT = 8443
_UDS_SERVERS = "/cucm-uds/servers"
_SNAPSHOT = "/platformcom/api/v1/certmgr/config/snapshot/server"


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

    def uds_servers(self) -> NamedNodes:
        """Return the names of the cluster's Unified CM nodes. Raises ObservationError, NotOffered, PinMismatch."""
        with self._client() as client:
            answer = client.get(_UDS_SERVERS)
        if answer.status == 404:
            raise NotOffered(f"{self._where} has no {_UDS_SERVERS}.")
        self._accept(answer, "UDS")
        what = f"UDS on {self._where}"
        listed = read_records(answer.body, what, "server", limit=self._limits.max_nodes_without_login)
        # Every Unified CM lists at least itself, so a document without a server is no list.
        if listed.root != "servers" or not listed.records:
            raise ObservationError(f"{what} answers with something that is no list of servers: {plain_text(answer.text, 200)}")
        return NamedNodes(tuple((server.get("", ""), "cucm") for server in listed.records), listed.count)

    def process_nodes(self, account: Account) -> NamedNodes:
        """Return *System > Server* over AXL. Asked once more where a version of AXL is refused and another one named.

        Raises:
            LoginRefused: at once.
            ObservationError: it says something else than the list; its own words are in the message.
        """
        answer = self._ask_axl(account, axl.FIRST_VERSION)
        remark = None
        if version := axl.other_version(answer, axl.FIRST_VERSION):
            again = f"was asked again in version {version[0]}.{version[1]}"
            remark = f"AXL on {self._where} {again}, after it had said: {axl.fault_text(answer)}"
            answer = self._ask_axl(account, version)
        self._accept(answer, "AXL", account)
        return replace(axl.nodes_in(answer, f"AXL on {self._where}", self._limits.max_named_nodes), remark=remark)

    def _ask_axl(self, account: Account, version: axl.Version) -> Answer:
        body, headers = axl.request(version)
        with self._client(account) as client:
            try:
                answer = client.send("POST", "/axl/", data=body, headers=headers)
            except OutcomeUnknown as error:
                raise ObservationError(f"AXL on {self._where} did not answer.") from error
        return answer

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
                f"The certificates that {self._where} lists cannot be read: {mask_and_escape(str(error), 120)}"
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
            words = axl.fault_text(answer) or "it gives no reason"
            raise ObservationError(f"{service} on {self._where} answers with HTTP {answer.status}: {words}")


def open_node(target: Target, authorities: Iterable[Certificate], limits: Limits) -> UcNode:
    """Return a node's web port, verified where it can be.

    Raises:
        ObservationError: nothing there can be spoken to over TLS 1.2.
    """
    authorities = tuple(authorities)
    found: UcNode | None = None
    why = "it shows no certificate"
    for family in FAMILIES:
        answer = handshake(target.host, target.port, target.address, _offer(family), limits, guarded=target.guarded)
        if not isinstance(answer, Seen):
            why = answer.detail
            if answer.why in NO_CONNECTION:
                break
            continue
        if _verifies(target, issued_under(authorities, family), limits):
            return UcNode(target, issued_under(authorities, family), limits, verified=True)
        found = found or UcNode(target, pinned(answer.chain[0].fingerprint, family), limits, verified=False)
    if found is None:
        raise ObservationError(f"{target.address}:{target.port} cannot be reached over TLS 1.2: {why}.")
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
