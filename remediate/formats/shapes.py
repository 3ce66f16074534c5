"""The shapes of the three documents. The published schemas in docs/schema/ are made from these classes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from remediate.model.canonical import parse_rfc3339
from remediate.model.verdict import Cause

SNAPSHOT_FORMAT = "remediate.snapshot/1"
PLAN_FORMAT = "remediate.plan/1"
APPROVALS_FORMAT = "remediate.approvals/1"

_FIRST_YEAR, _LAST_YEAR = 1970, 9998


def _moment(value: object) -> datetime:
    """An RFC 3339 text as the moment it says: nothing else is a time, and the ends of the calendar cannot be shifted to UTC."""
    if not isinstance(value, str):
        raise ValueError("a time is RFC 3339 text")
    moment = parse_rfc3339(value)
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError(f"the year {moment.year} cannot be meant")
    return moment


Moment = Annotated[datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
Sha256 = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Port = Annotated[int, Field(strict=True, ge=1, le=65535)]
Text = Annotated[str, StringConstraints(min_length=1)]
Family = Literal["rsa", "ecdsa"]
ProductName = Literal["cucm", "imp", "unity"]
By = Literal["rest", "shell", "person"]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class PeerWire(_Wire):
    address: Text
    version: str | None = None
    primary: bool
    trusted_ca: list[Sha256]
    ciphers: dict[str, str]
    verify_origin_server: bool | None = None
    error: str | None = None
    removal: Literal["rest", "person"] = "person"
    rest_port: Port = 443


class PreferenceWire(_Wire):
    client_order: Annotated[bool | None, Field(alias="client-order")] = None
    family: Family | None = None
    measured: dict[str, Family] = {}


class EndpointWire(_Wire):
    address: Text
    port: Port
    product: ProductName
    presented: dict[Family, list[Sha256]]
    preferred: PreferenceWire = PreferenceWire()
    tls13: bool | None = None
    error: str | None = None
    learned_from: list[str] = []


class PublisherWire(_Wire):
    address: Text
    product: ProductName
    refresh: By = "person"


class AlarmWire(_Wire):
    certificate: Sha256
    message: Text


class DiscoveryGapWire(_Wire):
    source: str
    service: str
    kind: str
    incomplete: bool
    message: Text
    names: list[str] = []
    count: Annotated[int, Field(strict=True, ge=0)] = 0


class SnapshotWire(_Wire):
    format: str
    cluster: Text
    taken_at: Moment
    peers: list[PeerWire]
    endpoints: list[EndpointWire]
    available_ca: list[Sha256] = []
    vouched_for: list[Sha256] = []
    certificates: dict[Sha256, str]
    publishers: list[PublisherWire] = []
    not_in_use: list[str] = []
    not_asked: list[str] = []
    undiscovered: list[DiscoveryGapWire] | None = None
    alarms: list[AlarmWire] = []


class TrustCertificateWire(_Wire):
    id: str
    kind: Literal["trust-certificate"]
    certificate: Sha256
    peers: list[Text]
    role: Literal["root", "intermediate", "self-signed"]
    approval: Literal["vouched", "granted", "required"]
    because: list[str]


class SetCiphersWire(_Wire):
    id: str
    kind: Literal["set-ciphers"]
    name: Text
    before: Annotated[str, Field(alias="from")]
    after: Annotated[str, Field(alias="to")]


class RefreshDiscoveryWire(_Wire):
    id: str
    kind: Literal["refresh-discovery"]
    publisher: Text
    product: ProductName
    by: By


class RestartPeerWire(_Wire):
    id: str
    kind: Literal["restart-peer"]
    peers: list[Text]
    when: Literal["if-needed"]


class RemoveCertificateWire(_Wire):
    id: str
    kind: Literal["remove-certificate"]
    certificate: Sha256
    peers: list[Text]
    by: Literal["rest", "person"]
    because: list[str]


ActionWire = Annotated[
    TrustCertificateWire | SetCiphersWire | RefreshDiscoveryWire | RestartPeerWire | RemoveCertificateWire,
    Field(discriminator="kind"),
]


class OutcomeWire(_Wire):
    ok: bool
    cause: Cause | None
    error: str | None
    code: int
    depth: int | None
    key: Family | None


class ForecastWire(_Wire):
    address: Text
    port: Port
    peer: Text
    before: OutcomeWire
    after: OutcomeWire


class UnresolvedWire(_Wire):
    address: Text
    port: Port
    cause: Cause
    advice: str
    options: list[str]


class BaseWire(_Wire):
    trusted_ca: Sha256
    ciphers: dict[str, str]
    version: str | None = None


class AlternativeWire(_Wire):
    summary: str
    why_not: str
    switch: str | None = None


class PlanWire(_Wire):
    format: str
    id: Sha256
    cluster: Text
    made_at: Moment
    complete: bool
    base: dict[str, BaseWire]
    actions: list[ActionWire]
    endpoints: list[ForecastWire]
    unresolved: list[UnresolvedWire]
    certificates: dict[Sha256, str]
    notes: list[str] = []
    not_in_use: list[str] = []
    undiscovered: list[DiscoveryGapWire] = []
    alternatives: list[AlternativeWire] = []


class ApprovedCertificateWire(_Wire):
    certificate: Sha256
    at: Moment
    by: Text
    how: Text


class ApprovalsWire(_Wire):
    format: str
    plan: Sha256
    approved: list[ApprovedCertificateWire]
