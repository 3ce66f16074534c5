"""Shapes of the JSON that commands print under ``--json`` and ``--events``, for the published schemas.

The commands make these documents from their results; a test holds the output of every command against the shapes.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from remediate.model.effect import ClientState, EffectSource, EffectState


class Output(BaseModel):
    """One document, or a part of one."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ErrorOutput(Output):
    """What ended a command, or the look at one cluster."""

    message: str
    next_step: str
    exit_code: int


class FailureOutput(Output):
    """The whole document where a command ended with an error."""

    error: ErrorOutput


class EffectOutput(Output):
    """Whether a peer works with what was written to it, and by what that is known."""

    state: EffectState
    by: EffectSource | None
    description: str = Field(alias="said")


class ClientOutput(Output):
    """What a client gets through a peer."""

    state: ClientState
    description: str = Field(alias="said")


class VerdictOutput(Output):
    """A verdict by certificates. `code` and `error` are OpenSSL's."""

    ok: bool
    cause: str | None
    error: str | None
    code: int
    depth: int | None
    key: str | None


class EndpointOutput(VerdictOutput):
    """What one peer says of one endpoint, and what a client gets."""

    address: str
    port: int
    peer: str
    client: ClientOutput


class UnresolvedOutput(Output):
    """An endpoint that stays refused, and what would help."""

    address: str
    port: int
    cause: str
    advice: str
    options: list[str]


class TowardNodeOutput(Output):
    """What a node says of the certificate of a peer."""

    peer: str
    node: str
    store: str
    ok: bool
    cause: str | None
    error: str | None
    code: int
    depth: int | None
    advice: str
    options: list[str]
    missing: list[str] = []


class GapOutput(Output):
    """What discovery could not learn, or would not follow."""

    source: str
    service: str
    kind: str
    incomplete: bool
    message: str
    names: list[str]
    count: int


class FutureOutput(Output):
    """A moment at which a verdict changes by the calendar; without a port, what the `store` of a node says of a peer."""

    at: str
    address: str
    port: int | None
    peer: str
    ok: bool
    cause: str | None
    because: list[str]
    store: str | None = None


class ClusterOutput(Output):
    """What a command says of one cluster. Where `error` is set, the other keys are left out."""

    cluster: str
    exit_code: int
    error: ErrorOutput | None


class VerifiedClusterOutput(ClusterOutput):
    """One cluster of `verify`. Where `error` is set, the other keys are left out."""

    complete: bool | None = None
    endpoints: list[EndpointOutput] | None = None
    in_effect: dict[str, EffectOutput] | None = None
    unresolved: list[UnresolvedOutput] | None = None
    alarms: list[str] | None = None
    not_in_use: list[str] | None = None
    undiscovered: list[GapOutput] | None = None
    toward_nodes: list[TowardNodeOutput] | None = None
    future: list[FutureOutput] | None = None


class VerifyOutput(Output):
    """`verify --json`."""

    exit_code: int
    clusters: list[VerifiedClusterOutput]


class FindingOutput(Output):
    """One finding of `doctor`: `code` is 0 where all is well or it is a warning only."""

    subject: str
    description: str = Field(alias="said")
    code: int
    next_step: str


class CheckedClusterOutput(ClusterOutput):
    """One cluster of `doctor`."""

    findings: list[FindingOutput] | None = None
    health: dict[str, dict[str, Any]] | None = None


class DoctorOutput(Output):
    """`doctor --json`."""

    exit_code: int
    clusters: list[CheckedClusterOutput]
    state_directory: FindingOutput
    journal: FindingOutput
    openssl: FindingOutput


class WebPinOutput(Output):
    """The web certificate that a peer presents."""

    fingerprint: str
    subject: str
    issuer: str
    state: str


class HostKeyPinOutput(Output):
    """The SSH host keys that a peer presents."""

    host_key: str
    host_keys: list[str]
    state: str


class PeerPinsOutput(Output):
    """The pins of one peer."""

    address: str
    error: str | None = None
    tls: WebPinOutput | None = None
    ssh: HostKeyPinOutput | None = None


class PinnedClusterOutput(ClusterOutput):
    """One cluster of `doctor --pins`."""

    pins: list[PeerPinsOutput] | None = None


class PinsOutput(Output):
    """`doctor --pins --json`."""

    exit_code: int
    clusters: list[PinnedClusterOutput]


class PresentedOutput(Output):
    """Where a certificate is presented."""

    address: str
    port: int
    depth: int
    family: str


class ReliantOutput(Output):
    """An endpoint that one peer verifies by a certificate."""

    address: str
    port: int
    peer: str


class CertificateOutput(Output):
    """One certificate that matters. `days_left` counts from `taken_at`."""

    fingerprint: str
    subject: str
    common_name: str | None
    issuer: str
    not_before: str | None
    not_after: str | None
    days_left: int | None
    dns_names: list[str]
    lists: list[str]
    presented: list[PresentedOutput]
    on_nodes: list[dict[str, str]]
    server_certificate_of: list[str]
    relied_on_by: list[ReliantOutput]
    vouched_by: list[str]


class DriftOutput(Output):
    """A certificate that some lists hold and others do not."""

    certificate: str
    held_by: list[str]
    missing_on: list[str]


class SharedNameOutput(Output):
    """Certificates of one list that share a common name, in its order."""

    peer: str
    common_name: str
    certificates: list[str]


class ListedClusterOutput(ClusterOutput):
    """One cluster of `certificates`."""

    taken_at: str | None = None
    complete: bool | None = None
    unread: list[str] | None = None
    certificates: list[CertificateOutput] | None = None
    drift: list[DriftOutput] | None = None
    shared_common_names: list[SharedNameOutput] | None = None
    not_relied_on: list[str] | None = None


class CertificatesOutput(Output):
    """`certificates --json`."""

    exit_code: int
    clusters: list[ListedClusterOutput]


class DiagnosisOutput(Output):
    """`diagnose --json`."""

    format: Literal["remediate.diagnosis/1"]
    outcome: Literal["failures", "no-failures", "nothing-to-look-at", "could-not-be-read"]
    complete: bool
    findings: list[dict[str, Any]]
    other_failures: list[dict[str, Any]]
    openssl: list[dict[str, Any]]
    certificates: dict[str, str]
    looked_at: dict[str, int]
    read: dict[str, int]
    unread: list[dict[str, str]]


class EventOutput(BaseModel):
    """One line of ``--events``. Each type has keys of its own beside these."""

    model_config = ConfigDict(extra="allow", strict=True)

    type: str
    message: str
    cluster: str
    seq: int = Field(ge=0)
    timestamp: str
    format: Literal["remediate.events/1"] | None = None
