"""Restart of one peer: the request, and what the peer was like before it, by which it is known to be back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self

from remediate.executor.operations.change import Change, ChangeStatus, FindCertificate, Observed
from remediate.executor.ports import PeerPort
from remediate.model.canonical import parse_rfc3339, rfc3339
from remediate.model.errors import OutcomeUnknown
from remediate.model.health import Health
from remediate.model.identity import Address


@dataclass(frozen=True, slots=True)
class BeforeRestart:
    """What a peer was like before its restart.

    Attributes:
        started_at: Its start; None: not observed.
        zones: The zones that were active; None: not observed.
        tunnels: The tunnels that were active; None: not observed.
        total: What its counters held since its start; they begin at zero with each restart. None: not observed.
    """

    started_at: datetime | None = None
    zones: frozenset[str] | None = None
    tunnels: frozenset[str] | None = None
    total: int | None = None

    @classmethod
    def of(cls, health: Health) -> BeforeRestart:
        """Return its state in `health`."""
        return cls(health.started_at, _active(health.zones), _active(health.tunnels), health.total_since_start)

    @classmethod
    def from_facts(cls, facts: Mapping[str, str]) -> BeforeRestart:
        """Return what the journal holds of it; nothing where an earlier version wrote it."""
        start, total = facts.get("started_at"), facts.get("total")
        return cls(
            parse_rfc3339(start) if start else None,
            _load(facts.get("zones")),
            _load(facts.get("tunnels")),
            int(total) if total else None,
        )

    def facts(self) -> dict[str, str]:
        """Return what the journal keeps of it."""
        start = {"started_at": rfc3339(self.started_at)} if self.started_at else {}
        start |= {"total": str(self.total)} if self.total is not None else {}
        names = {"zones": self.zones, "tunnels": self.tunnels}
        return start | {key: json.dumps(sorted(value)) for key, value in names.items() if value is not None}


@dataclass(frozen=True, slots=True)
class RestartOnPeer(Change):
    """Restart one peer. No reading of its lists shows it; its start does (`comeback`)."""

    kind: ClassVar[str] = "restart-peer"
    is_verifiable: ClassVar[bool] = False
    before: BeforeRestart = BeforeRestart()

    @property
    def summary(self) -> str:
        return f"restart {self.peer}"

    @property
    def manual_instruction(self) -> str:
        return f"On {self.peer}, run `xCommand Restart`, one peer at a time."

    def precondition(self, peer: PeerPort) -> Observed:
        """Return that it is still to do: a restart is asked for, whatever the peer is like."""
        del peer
        return Observed(ChangeStatus.TO_DO, "")

    def write(self, peer: PeerPort) -> None:
        """Tell the peer to restart. The answer may be lost on the way down: what counts is that it comes back."""
        with suppress(OutcomeUnknown):
            peer.restart()

    def facts(self) -> Mapping[str, str]:
        return self.before.facts()

    @classmethod
    def from_facts(cls, peer: Address, facts: Mapping[str, str], find: FindCertificate) -> Self:
        del find
        return cls(peer, BeforeRestart.from_facts(facts))


def _active(states: Mapping[str, bool] | None) -> frozenset[str] | None:
    return None if states is None else frozenset(name for name, is_active in states.items() if is_active)


def _load(text: str | None) -> frozenset[str] | None:
    if text is None:
        return None
    names: Iterable[str] = json.loads(text)
    return frozenset(names)
