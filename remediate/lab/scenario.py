"""Values that describe a lab. The scenarios themselves are in `remediate.lab.scenarios`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from remediate.lab.platform_shell import Layout
from remediate.model.identity import KeyFamily, Product

DEFAULT_CIPHERS = "EECDH:EDH:HIGH:-AES256+SHA:!MEDIUM:!LOW:!3DES:!MD5:!PSK:!eNULL:!aNULL"
"""Expressway's default list (X15.0 reference): no prefix, so ECDSA is preferred."""

RSA_PREFIX = "ECDHE-RSA-AES256-GCM-SHA384:"
"""Prefix that an upgrade from X14.0 or later leaves in front of the list, so that RSA is preferred."""

PeerUsage = Literal["any", "server-only"]
"""``server-only``: the extended key usage has Server Authentication alone, as public CAs issue them now."""


class PageStyle(StrEnum):
    """How the description of the interface is written."""

    BLOCK = "block style"
    FLOW = "flow style, as a program writes it"
    ANCHORS = "with an anchor, an alias and an include"
    BROKEN = "broken in one resource"


class Removal(StrEnum):
    """How a DELETE on the trusted CA list must name the certificate."""

    NONE = "not offered"
    FINGERPRINT = "SHA-256, plain"
    SHA256_COLONS = "SHA-256, upper case, with colons"
    SHA1 = "SHA-1"
    PEM_FIELD = "PEM in a field"
    PEM_BODY = "PEM as the body"
    SUBJECT_AND_SERIAL = "subject and serial number"
    UNKNOWN = "a form that nobody knows"


@dataclass(frozen=True, slots=True)
class AuthoritySpec:
    """A certificate authority.

    Attributes:
        id: How other parts of the scenario name it.
        common_name: Its CN; two authorities may share one.
        issuer: The id of the authority that signed it; None: a root.
        key_of: The id of the authority whose key it shares: a renewed or an expired copy.
        expired: Whether its validity ended a year ago.
    """

    id: str
    common_name: str
    issuer: str | None = None
    key_of: str | None = None
    expired: bool = False


@dataclass(frozen=True, slots=True)
class CertificateSpec:
    """A server certificate.

    Attributes:
        names: The dNSNames of its subject alternative name.
        issuer: The id of the authority that signed it; None: self-signed.
        sends: The ids of the authorities that the server sends after it.
    """

    family: KeyFamily
    common_name: str
    names: tuple[str, ...]
    issuer: str | None = None
    sends: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """The ports that show the certificates of one service: ``tomcat``, ``CallManager``."""

    name: str
    ports: tuple[int, ...]
    certificates: tuple[CertificateSpec, ...]


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """A Unified CM, IM&P or Unity node.

    Attributes:
        address: The connection address that clients use.
        running: Whether it listens.
        tls13: Whether it speaks TLS 1.3 as well.
        own_order: Whether it imposes its own cipher order instead of following the client's.
        has_certificate_management: Whether it has certificate management over REST (Unified CM 14 and later).
        layout: How its platform shell prints a certificate.
    """

    address: str
    product: Product
    services: tuple[ServiceSpec, ...]
    role: Literal["publisher", "subscriber"] = "subscriber"
    running: bool = True
    tls13: bool = False
    own_order: bool = False
    has_certificate_management: bool = True
    layout: Layout = "fields-and-pem"


@dataclass(frozen=True, slots=True)
class EdgeSpec:
    """The Expressway-E that clients come through. The counts are Cisco's defaults, where a guide names them.

    Attributes:
        shared: There is one for the whole cluster, which goes on to any of its peers; else each peer has its own.
        sign_ins: How many times an account may sign in within `window_s`; more is answered with 429.
        session_s: How long a cookie is good for.
        strikes: After how many refused requests within `window_s` it is silent to their address.
        ban_s: For how long.
    """

    shared: bool = False
    sign_ins: int = 3
    window_s: float = 300.0
    session_s: float = 28_800.0
    strikes: int = 5
    ban_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """Scenario: what each node presents, what each peer trusts and offers.

    Attributes:
        trusted: Per peer, the ids in its trusted CA list, in order: an authority's, or ``address/service/family``.
        operator_ca: The ids of the authorities in the file that the inventory's ``ca:`` names.
        removal: How REST can remove a certificate from the trusted CA list.
        page_style: How the peers write the description of their REST interface.
        offers_verify_flag: ``EdgeConfigServer VerifyOriginServer`` is there (gone from the X15.0 reference).
        traffic_server_tls13: The peers' traffic server may use TLS 1.3.
        platform_credentials: The inventory holds the account for certificate management.
        peer_usage: What the peers' own certificates are good for.
        nodes_trust_peers: The nodes' trust stores hold the CA that signed the peers' certificates.
        bystanders: How many further CAs each list begins with, which nothing needs.
        crls: How many CRLs each list holds.
        rest_account: REST takes another account than the shell.
        edge: The Expressway-E, or what each of them is like.
        replicates_within_s: How long, in lab time, the primary's configuration takes to another peer at most; drawn for each peer and
            change.
        reloads_by_itself: The peers' traffic servers use each change of their list at once. No document promises that: without it they
            judge by the list that they had when they last restarted.
    """

    name: str
    summary: str
    authorities: tuple[AuthoritySpec, ...]
    nodes: tuple[NodeSpec, ...]
    trusted: tuple[tuple[str, ...], ...]
    operator_ca: tuple[str, ...] = ()
    ciphers: str = DEFAULT_CIPHERS
    version: str = "X14.2.1"
    removal: Removal = Removal.NONE
    page_style: PageStyle = PageStyle.BLOCK
    offers_verify_flag: bool = True
    traffic_server_tls13: bool = False
    platform_credentials: bool = False
    nodes_trust_peers: bool = True
    peer_usage: PeerUsage = "any"
    reloads_by_itself: bool = False
    rest_account: bool = False
    bystanders: int = 0
    crls: int = 0
    edge: EdgeSpec = EdgeSpec()
    replicates_within_s: float = 120.0
