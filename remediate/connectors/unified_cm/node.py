"""One Unified CM or IM and Presence node: UDS without a login, AXL and certificate management with one.

An account is only sent to a node that verifies under a CA that the operator names or that a peer trusts already, and only what such a
channel gives vouches for anything. Without one, only UDS is asked, of whichever server answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from remediate.connectors.http import Account, Answer, HttpClient
from remediate.connectors.tls.event_loop import run_alone
from remediate.connectors.tls.handshake import FAMILY_ALONE, NO_CONNECTION, Offer, ReceivedChain
from remediate.connectors.tls.pinning import TlsCheck, make_issuer_check, make_pin_check
from remediate.connectors.tls.target import Target, try_offer
from remediate.connectors.unexpected_answer import name_redirect
from remediate.connectors.unified_cm import axl
from remediate.connectors.unified_cm.axl import NamedNodes
from remediate.connectors.unified_cm.xml_document import NO_WORDS, quote_text, read_records
from remediate.model.certificate import Certificate
from remediate.model.errors import (
    AccessError,
    CertificateError,
    LoginRefused,
    NotOffered,
    ObservationError,
    OutcomeUnknown,
    PinMismatch,
    WriteRefused,
)
from remediate.model.identity import FAMILIES, host_and_port
from remediate.model.limits import Limits
from remediate.model.text import quote
from remediate.model.toward_nodes import NodeReader

_UDS_SERVERS = "/cucm-uds/servers"
_CERTIFICATES = "/platformcom/api/v1/certmgr/config/snapshot/server"
_TRUSTED = "/platformcom/api/v1/certmgr/config/trust/certificates"


@dataclass(frozen=True, slots=True)
class NodeCertificates:
    """The certificates that certificate management lists of one node.

    Attributes:
        all: Own and trusted certificates, each once.
        own: Each of its own under the name of its service (``tomcat``, ``CallManager``), whatever the key family.
        identities: The same under the name that certificate management has for it (``tomcat-ECDSA``).
        trust: What each service trusts, by its name, in the order shown.
        by: How they were read.
    """

    all: tuple[Certificate, ...]
    own: tuple[tuple[str, Certificate], ...]
    identities: Mapping[str, Certificate] = field(default_factory=dict)
    trust: Mapping[str, tuple[Certificate, ...]] = field(default_factory=dict)
    by: NodeReader = "certmgr"


class UnifiedCmNode:
    """The web port of one node.

    Args:
        target: Address and port.
        check: How the node is recognised.
        limits: On time and size.
        verified: It verifies under a CA that counts: only then may an account be used here.
    """

    def __init__(self, target: Target, check: TlsCheck, limits: Limits, *, verified: bool) -> None:
        self._target, self._check, self._limits, self.verified = target, check, limits, verified
        self._where = host_and_port(target.address, target.port)

    def read_uds_servers(self) -> NamedNodes:
        """Return the names of the cluster's Unified CM nodes.

        Raises:
            ObservationError, NotOffered, PinMismatch: The names cannot be read.
        """
        with self._client() as client:
            answer = client.get(_UDS_SERVERS)
        if answer.status == 404:
            raise NotOffered(f"{self._where} has no {_UDS_SERVERS}.")
        self._require_success(answer, "UDS")
        source = f"UDS on {self._where}"
        servers = read_records(answer.body, source, "server", limit=self._limits.max_nodes_without_login)
        # Every Unified CM lists at least itself, so a document without a server is no list.
        if servers.root != "servers" or not servers.records:
            raise ObservationError(
                f"{source} answers with something that is not a list of servers: {quote_text(answer.text, 200) or NO_WORDS}"
            )
        return NamedNodes(tuple((server.get("", ""), "cucm") for server in servers.records), servers.count)

    def read_process_nodes(self, account: Account) -> NamedNodes:
        """Return *System > Server* over AXL.

        The request is repeated once where a version of AXL is refused and another one named.

        Raises:
            LoginRefused: At once.
            ObservationError: The answer is not the list; its own words are in the message.
        """
        answer = self._ask_axl(account, axl.FIRST_VERSION)
        remark = None
        if version := axl.find_offered_version(answer, axl.FIRST_VERSION):
            remark = (
                f"AXL on {self._where} was queried again in version {version[0]}.{version[1]}, after this fault: "
                f"{axl.quote_fault(answer)}"
            )
            answer = self._ask_axl(account, version)
        self._require_success(answer, "AXL", account)
        return replace(axl.parse_nodes(answer, f"AXL on {self._where}", self._limits.max_named_nodes), remark=remark)

    def _ask_axl(self, account: Account, version: axl.Version) -> Answer:
        body, headers = axl.build_request(version)
        with self._client(account) as client:
            try:
                answer = client.send("POST", "/axl/", data=body, headers=headers)
            except OutcomeUnknown as error:
                raise ObservationError(f"AXL on {self._where} did not answer.") from error
        return answer

    def read_certificates(self, account: Account) -> NodeCertificates:
        """Return the certificates that certificate management lists.

        Raises:
            LoginRefused: At once.
            ObservationError, NotOffered, PinMismatch: They cannot be read.
        """
        with self._client(account) as client:
            answer = client.get(_CERTIFICATES)
        if answer.status == 404:
            raise NotOffered(f"{self._where} has no certificate management interface (Unified CM 14 and later have).")
        self._require_success(answer, "certificate management", account)
        try:
            return _parse_certificates(json.loads(answer.text))
        except (ValueError, RecursionError, AttributeError, TypeError, CertificateError) as error:
            raise ObservationError(
                f"The certificates that {self._where} lists cannot be read: {quote(str(error), 120)}"
            ) from error

    def upload_trusted(self, account: Account, service: str, certificate: Certificate) -> None:
        """Upload one certificate to what a service trusts, once.

        Raises:
            LoginRefused: At once.
            WriteRefused, NotOffered, ObservationError, PinMismatch: Nothing was changed.
            OutcomeUnknown: The answer was lost.
        """
        body = {"service": [service], "certificates": [certificate.pem], "description": "remediate"}
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        with self._client(account) as client:
            answer = client.send("POST", _TRUSTED, data=json.dumps(body).encode(), headers=headers)
        if answer.status == 404:
            raise NotOffered(f"{self._where} has no upload of trusted certificates over REST.")
        if answer.status in (401, 403):
            self._require_success(answer, "certificate management", account)
        if not answer.ok:
            words = quote_text(answer.text, 200) or "it gives no reason"
            raise WriteRefused(f"Certificate management on {self._where} refuses the upload (HTTP {answer.status}): {words}")

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

    def _require_success(self, answer: Answer, service: str, account: Account | None = None) -> None:
        if answer.status in (401, 403) and account:
            verb = "refuses the login of" if answer.status == 401 else "accepts the login but denies access to"
            raise LoginRefused(
                f"{service} on {self._where} {verb} {account.username} (HTTP {answer.status}).",
                next_step=(
                    "Correct this account under `unified_communications` in the inventory or leave it out; it was not "
                    "tried anywhere else."
                ),
            )
        if answer.is_redirect:
            redirect = name_redirect(answer.status, answer.location, self._target.address, self._target.port)
            raise ObservationError(
                f"{service} on {self._where} answers with {redirect}, which is not followed: a login page or another server."
            )
        if not answer.ok:
            raise ObservationError(f"{service} on {self._where} answers with HTTP {answer.status}: {axl.quote_fault(answer)}")


def open_node(target: Target, authorities: Iterable[Certificate], limits: Limits) -> UnifiedCmNode:
    """Return a node's web port, verified where possible.

    Raises:
        ObservationError: No server there speaks TLS 1.2.
    """
    authorities = tuple(authorities)
    unverified: UnifiedCmNode | None = None
    why = "it shows no certificate"
    for family in FAMILIES:
        answer = run_alone(try_offer(target, Offer(FAMILY_ALONE[family]), limits), limits)
        if not isinstance(answer, ReceivedChain):
            why = answer.detail
            if answer.reason in NO_CONNECTION:
                break
            continue
        if _verifies(target, make_issuer_check(authorities, family), limits):
            return UnifiedCmNode(target, make_issuer_check(authorities, family), limits, verified=True)
        unverified = unverified or UnifiedCmNode(
            target, make_pin_check(answer.certificates[0].fingerprint, family), limits, verified=False
        )
    if unverified is None:
        raise ObservationError(f"{host_and_port(target.address, target.port)} cannot be reached over TLS 1.2: {why}.")
    return unverified


def _verifies(target: Target, check: TlsCheck, limits: Limits) -> bool:
    """Return whether the node verifies, by a request without an account; the answer itself does not matter."""
    with HttpClient(target.address, target.host, target.port, check, limits, server_name=target.address) as client:
        try:
            client.get(_UDS_SERVERS)
        except (PinMismatch, ObservationError):
            return False
    return True


def _parse_certificates(document: Any) -> NodeCertificates:
    """Parse the document of certificate management's ``/config/snapshot/server``."""
    identities = [
        (str(identity.get("service") or ""), certificate)
        for identity in document.get("identities") or []
        for certificate in Certificate.all_from_pem(identity.get("certificate") or "")
    ]
    trust: dict[str, tuple[Certificate, ...]] = {}
    for entry in document.get("trusts") or []:
        service = str(entry.get("service") or "").removesuffix("-trust")
        certificates = [
            certificate
            for data in entry.get("certificate_data") or []
            for certificate in Certificate.all_from_pem(data.get("certificate") or "")
        ]
        trust[service] = (*trust.get(service, ()), *certificates)
    own = tuple((service.removesuffix("-ECDSA"), certificate) for service, certificate in identities)
    listed = (certificate for trusted in trust.values() for certificate in trusted)
    every = tuple(dict.fromkeys((*(certificate for _, certificate in own), *listed)))
    return NodeCertificates(every, own, dict(identities), trust)
