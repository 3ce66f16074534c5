"""A plan: what to change, why, and what will then be true. Plain values; nothing here does anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from remediate.model.canonical import rfc3339
from remediate.model.certificate import Certificate
from remediate.model.identity import Address, AtEndpoint, AtPair, CipherList, Fingerprint, PlanId, Product
from remediate.model.json_document import JsonDocument
from remediate.model.snapshot import DiscoveryGap, RefreshBy, RemovalBy
from remediate.model.text import escape
from remediate.model.toward_nodes import ClientCause, TowardNode
from remediate.model.verdict import Cause, Verdict

CipherPolicy = Literal["keep", "prefer-rsa", "prefer-ecdsa", "auto"]
Role = Literal["root", "intermediate", "self-signed"]
Approval = Literal["vouched", "granted", "required"]
_MAX_NAME: Final = 2_000


@dataclass(frozen=True, slots=True)
class Policy:
    """What a plan may do.

    Attributes:
        ciphers: Leave the cipher list alone, force a preference, or choose (``auto``).
        allow_removal: A stale certificate that shadows a good one may be planned for removal where nothing else helps.
        trust_self_signed: A server's own self-signed certificate may be trusted.
        approved: Fingerprints that a person approved.
        horizon: How far ahead verdicts are judged; None: only now.
        refresh: A plan that changes something ends with a refresh of discovery.
        cucm_trust: What nodes lack to trust the peers' own certificates may be planned for upload to them.

    Raises:
        ValueError: `ciphers` is none of its names.
    """

    ciphers: CipherPolicy = "auto"
    allow_removal: bool = False
    trust_self_signed: bool = True
    approved: frozenset[Fingerprint] = frozenset()
    horizon: timedelta | None = None
    refresh: bool = True
    cucm_trust: bool = False

    def __post_init__(self) -> None:
        if self.ciphers not in get_args(CipherPolicy):
            raise ValueError(f"ciphers is {self.ciphers!r}, but must be one of {', '.join(get_args(CipherPolicy))}")


@dataclass(frozen=True, slots=True)
class TrustCertificate:
    """Append one certificate to the trusted CA list of each of `peers`."""

    id: str
    certificate: Fingerprint
    peers: tuple[Address, ...]
    role: Role
    approval: Approval
    because: tuple[str, ...]
    kind: Literal["trust-certificate"] = "trust-certificate"


@dataclass(frozen=True, slots=True)
class SetCiphers:
    """Set one cipher list on the primary, from where it replicates."""

    id: str
    name: str
    before: CipherList
    after: CipherList
    kind: Literal["set-ciphers"] = "set-ciphers"


@dataclass(frozen=True, slots=True)
class RefreshDiscovery:
    """Let the cluster discover the servers of `publisher` again.

    Attributes:
        warning: What a person has to know or to do before it; None: nothing.
    """

    id: str
    publisher: Address
    product: Product
    by: RefreshBy
    warning: str | None = None
    kind: Literal["refresh-discovery"] = "refresh-discovery"


@dataclass(frozen=True, slots=True)
class RestartPeer:
    """Restart peers, one at a time, only where a test shows that the new trust is not in effect."""

    id: str
    peers: tuple[Address, ...]
    when: Literal["if-needed"] = "if-needed"
    kind: Literal["restart-peer"] = "restart-peer"


@dataclass(frozen=True, slots=True)
class RemoveCertificate:
    """Take a stale certificate out of the trusted CA list of each of `peers`."""

    id: str
    certificate: Fingerprint
    peers: tuple[Address, ...]
    by: RemovalBy
    because: tuple[str, ...]
    kind: Literal["remove-certificate"] = "remove-certificate"


@dataclass(frozen=True, slots=True)
class TrustOnNode:
    """Upload one certificate to one trust store of one node, so that it accepts the peers' own certificates.

    Attributes:
        store: The service that trusts it: ``tomcat``, ``CallManager`` or ``cup-xmpp``.
        because: The peers whose certificate the store then accepts.
    """

    id: str
    node: Address
    store: str
    certificate: Fingerprint
    because: tuple[Address, ...]
    approval: Approval = "required"
    kind: Literal["trust-on-node"] = "trust-on-node"


Action = TrustCertificate | SetCiphers | RefreshDiscovery | RestartPeer | RemoveCertificate | TrustOnNode


@dataclass(frozen=True, slots=True)
class EndpointForecast(AtPair):
    """What one endpoint gets from one peer, before the plan and after it."""

    address: Address
    port: int
    peer: Address
    before: Verdict
    after: Verdict
    product: Product | None = None


@dataclass(frozen=True, slots=True)
class Unresolved(AtEndpoint):
    """What trust and ciphers cannot fix, or may not under this policy."""

    address: Address
    port: int
    cause: Cause
    advice: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Base:
    """What a peer looked like when the plan was made: digest of its trusted CA list, and the cipher lists it depends on.

    Attributes:
        version: What it ran; the plan does not depend on it. None: not known.
        offers_workaround: Its flag ``VerifyOriginServer`` was seen, on or off. False: not offered, or not known.
        removal: How a certificate can be taken out of its trusted CA list; None: not known, as in a plan of an earlier version.
        system_name: What its administrators call it; None: not known.
    """

    trusted_ca: str
    ciphers: Mapping[str, CipherList]
    version: str | None = None
    offers_workaround: bool = False
    removal: RemovalBy | None = None
    system_name: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class FutureVerdict(AtPair):
    """A verdict that changes by the calendar alone: what one endpoint gets from one peer from `at` on.

    Attributes:
        cause: Why it is refused then; None where it verifies.
        because: The certificates that begin or end then, and that the verdict rests on.
    """

    at: datetime
    address: Address
    port: int
    peer: Address
    ok: bool
    cause: Cause | None
    because: tuple[Fingerprint, ...]


@dataclass(frozen=True, slots=True)
class FutureTowardNode:
    """An answer of a node that changes by the calendar alone: what `store` of `node` says of a peer's own certificate from `at` on.

    Attributes:
        cause: Why it is refused then; None where it is accepted.
        because: The certificates that begin or end then, and that the answer may rest on.
    """

    at: datetime
    peer: Address
    node: Address
    store: str
    ok: bool
    cause: ClientCause | None
    because: tuple[Fingerprint, ...]


FutureChange = FutureVerdict | FutureTowardNode


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """Facts of one certificate, for a reader that parses no PEM.

    Attributes:
        not_before: RFC 3339 UTC; None where the certificate has no such time, like `not_after`.
        vouched_by: Who vouches for it, as seen when the plan was made: ``peer:ADDRESS`` (it is in that peer's list),
            ``ca-or-certificate-management``, ``approval``; empty: nothing does.
    """

    subject: str
    common_name: str
    issuer: str
    not_before: str | None
    not_after: str | None
    dns_names: tuple[str, ...]
    vouched_by: tuple[str, ...] = ()

    @classmethod
    def of(cls, certificate: Certificate, vouched_by: tuple[str, ...] = ()) -> CertificateFacts:
        """Return the facts of `certificate`."""
        return cls(
            escape(certificate.subject, _MAX_NAME),
            escape(certificate.common_name, _MAX_NAME),
            escape(certificate.issuer, _MAX_NAME),
            rfc3339(certificate.not_before) if certificate.not_before else None,
            rfc3339(certificate.not_after) if certificate.not_after else None,
            tuple(escape(name, _MAX_NAME) for name in certificate.san_dns),
            vouched_by,
        )


@dataclass(frozen=True, slots=True)
class ChainGroup:
    """Endpoints whose certificates chain alike after the plan: the same certificates above the servers' own.

    Attributes:
        depth: Of the first of `certificates`: 1, or 0 where the servers' own are self-signed.
        certificates: From there up, as far as they are known. At depth 0 only where peers trust the server's own.
        missing: The issuer that was not seen anywhere; None: the chain ends in a root.
        endpoints: ``address:port`` of each.
        ends: When the first of the servers' own certificates ends, RFC 3339 UTC; None: none has a date.
        ends_at: The endpoint that presents it.
    """

    depth: int
    certificates: tuple[Fingerprint, ...]
    missing: str | None
    endpoints: tuple[str, ...]
    ends: str | None = None
    ends_at: str | None = None


@dataclass(frozen=True, slots=True)
class Alternative:
    """A plan that was not chosen: what it would do, and why it lost. `switch` is the option that would choose it."""

    summary: str
    why_not: str
    switch: str | None = None


Aspect = Literal["verified", "removed", "unvouched", "ciphers", "added", "roots", "intermediates", "fingerprints"]
"""What plans are compared by, in this order."""


@dataclass(frozen=True, slots=True)
class Shortfall:
    """How far a plan may be from the best: where the choice is too closely connected to be settled.

    Attributes:
        aspect: The first aspect in which a better plan may exist; in those before it, none is better.
        plan: What the plan comes to.
        bound: What no plan is better than; proven.
    """

    aspect: Aspect
    plan: int
    bound: int


@dataclass(frozen=True, slots=True)
class Plan(JsonDocument):
    """The smallest safe change for one cluster, and its proof.

    Attributes:
        complete: Every peer and endpoint was observed, and discovery learned which there are.
        base: Per peer, what the plan was made from.
        endpoints: One forecast per (peer, endpoint), sorted.
        unresolved: Endpoints that stay refused, with what would help.
        certificates: Every certificate that is named in it.
        alarms: Where vantage points disagree: one sentence each, which every view puts first.
        notes: What a person should know: soon to expire, TLS 1.3, not in use, passes only at the appliance's security level.
        not_in_use: Default ports that refused, as ``address:port``: not judged.
        undiscovered: What discovery could not learn, and what it would not follow.
        toward_nodes: The verdict of each node on each peer's own certificate; empty where no node is known.
        future: How verdicts and nodes' answers change after the plan, in order of time; None: that was not asked for.
        facts: The facts of `certificates`; empty in a plan of an earlier version.
        chains: The chains of the endpoints that were observed; empty in a plan of an earlier version.
        shortfall: How far it may be from the best plan; None: no plan is better.
    """

    id: PlanId
    cluster: str
    made_at: datetime
    complete: bool
    base: Mapping[Address, Base]
    actions: tuple[Action, ...]
    endpoints: tuple[EndpointForecast, ...]
    unresolved: tuple[Unresolved, ...]
    certificates: Mapping[Fingerprint, Certificate]
    alarms: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    not_in_use: tuple[str, ...] = ()
    undiscovered: tuple[DiscoveryGap, ...] = ()
    future: tuple[FutureChange, ...] | None = None
    toward_nodes: tuple[TowardNode, ...] = ()
    facts: Mapping[Fingerprint, CertificateFacts] = field(default_factory=dict)
    chains: tuple[ChainGroup, ...] = ()
    shortfall: Shortfall | None = None

    @property
    def system_names(self) -> Mapping[Address, str]:
        """The names of the peers that have one, by address."""
        return {peer: base.system_name for peer, base in self.base.items() if base.system_name}

    @property
    def refusing_nodes(self) -> tuple[TowardNode, ...]:
        """What nodes are seen to refuse of the peers' own certificates."""
        return tuple(toward for toward in self.toward_nodes if not toward.ok and toward.observed)

    @property
    def refusing_nodes_after(self) -> tuple[TowardNode, ...]:
        """What nodes still refuse of the peers' own certificates once this plan is applied."""
        accepted = {
            (action.node, action.store, peer)
            for action in self.actions
            if isinstance(action, TrustOnNode)
            for peer in action.because
        }
        return tuple(toward for toward in self.refusing_nodes if (toward.node, toward.store, toward.peer) not in accepted)

    @property
    def offers_workaround(self) -> bool:
        """Whether every peer was seen to offer the workaround."""
        return bool(self.base) and all(base.offers_workaround for base in self.base.values())

    @property
    def changes(self) -> tuple[Action, ...]:
        """The actions that change what a peer or a node trusts or offers; a refresh or a restart alone is no change."""
        return tuple(a for a in self.actions if isinstance(a, TrustCertificate | SetCiphers | RemoveCertificate | TrustOnNode))
