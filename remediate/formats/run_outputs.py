"""Shapes of the JSON that the commands of runs print: what is applied, restarted, rolled back and switched."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, RootModel

from remediate.formats.outputs import ClientOutput, ClusterOutput, EffectOutput, EndpointOutput, Output, VerdictOutput
from remediate.model.effect import EffectSource, EffectState


class RunResultOutput(Output):
    """How a run ended: `apply`, `rollback`, `confirm`, and each cluster of `restart`."""

    cluster: str
    run: str | None
    plan: str | None
    state: str
    exit_code: int
    has_changed: bool = Field(alias="changed")
    message: str
    open_steps: list[str]
    notes: list[str] | None = None
    in_effect: dict[str, EffectOutput]
    endpoints: list[EndpointOutput] | None = None
    dry_run: bool | None = None
    confirm_by: str | None = None


class RestartedClusterOutput(ClusterOutput):
    """One cluster of `restart`."""

    run: str | None = None
    plan: str | None = None
    state: str | None = None
    has_changed: bool | None = Field(None, alias="changed")
    message: str | None = None
    open_steps: list[str] | None = None
    in_effect: dict[str, EffectOutput] | None = None


class GuardOutput(Output):
    """One guard of a restart."""

    guard: str
    state: str
    description: str = Field(alias="said")
    assumed: bool


class RestartPeerOutput(Output):
    """One peer of `restart --dry-run`, in the order in which peers would restart."""

    peer: str
    in_effect: EffectState
    by: EffectSource | None
    description: str = Field(alias="said")
    calls: int | None
    registrations: int | None
    guards: list[GuardOutput]


class RehearsedClusterOutput(ClusterOutput):
    """One cluster of `restart --dry-run`."""

    peers: list[RestartPeerOutput] | None = None
    window_closed: bool | None = None


class RestartOutput(Output):
    """`restart --json`."""

    exit_code: int
    dry_run: Literal[False]
    notes: list[str]
    clusters: list[RestartedClusterOutput]


class RestartDryRunOutput(Output):
    """`restart --dry-run --json`."""

    exit_code: int
    dry_run: Literal[True]
    clusters: list[RehearsedClusterOutput]


class RunOutput(Output):
    """One run of `runs --json`."""

    id: str
    kind: Literal["apply", "rollback", "restart", "workaround"]
    cluster: str
    plan: str | None
    state: str
    exit_code: int | None
    started_at: str
    ended_at: str | None
    ticket: str | None
    peers: list[str]
    in_effect: dict[str, EffectOutput] | None


class RunsOutput(RootModel[list[RunOutput]]):
    """`runs --json`, newest first."""


class ApprovalOutput(Output):
    """One approval of a run: who vouched for which certificate, when, and how."""

    fingerprint: str
    operator: str = Field(alias="who")
    at: str
    how: str


class MeasuredOutput(VerdictOutput):
    """What a run measured of one pair: `before`, and after it."""

    address: str
    port: int
    peer: str
    client: ClientOutput
    before: VerdictOutput | None


class StepOutput(Output):
    """One step of a run, with what undoes it."""

    seq: int
    number: int
    kind: str
    peer: str
    facts: dict[str, str]
    inverse_kind: str | None
    inverse: dict[str, str] | None
    before: str
    after: str
    state: str
    proven: bool
    message: str
    started_at: str
    ended_at: str | None
    undone_at: str | None


class BackupOutput(Output):
    """The lists of one peer."""

    trusted_ca: list[str]
    ciphers: dict[str, str] | None = None


class RunRecordOutput(RunOutput):
    """`runs show RUN --json`: one run as evidence."""

    operator: str = Field(alias="who")
    host: str
    pid: int
    message: str
    remark: str | None
    confirm_by: str | None
    approvals: list[ApprovalOutput]
    before: dict[str, BackupOutput]
    after: dict[str, BackupOutput]
    steps: list[StepOutput]
    measured: list[MeasuredOutput] | None


class SwitchOutput(Output):
    """The workaround on one peer: `verification` null is not known, or not offered."""

    peer: str
    verification: bool | None
    has_changed: bool = Field(alias="changed")
    exit_code: int
    problem: str | None
    last: dict[str, Any] | None


class SwitchedClusterOutput(ClusterOutput):
    """One cluster of `workaround`."""

    peers: list[SwitchOutput] | None = None


class WorkaroundOutput(Output):
    """`workaround status|on|off --json`."""

    exit_code: int
    dry_run: bool
    clusters: list[SwitchedClusterOutput]
