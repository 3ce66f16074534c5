"""Log of one peer's traffic server in the form of its diagnostic log: the server's own WARNING lines among the events of each request.

The WARNING lines are what the judge, a real traffic server where it is installed, wrote. The events around them (*Receive Request* and
the like) come from Cisco's build; their form is that of TAC article 218018.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from remediate.lab.verdict import JudgeAnswer, Target

if TYPE_CHECKING:
    from remediate.lab.state import SimulatedPeer

_PROCESS = "traffic_server[2030]"
_KEPT_REQUESTS = 5_000


@dataclass(eq=False)
class TrafficLog:
    """Log of one peer."""

    peer: SimulatedPeer
    _requests: list[tuple[datetime, str]] = field(default_factory=list)
    _next: int = 100

    def add(self, target: Target, answer: JudgeAnswer, begun: datetime) -> None:
        """Add the lines of one request."""
        self._next += 1
        ended = datetime.now(UTC)
        destination = f'Dst-ip="{target.connect_to}" Dst-port="{target.port}"'
        lines = [
            self._event(
                begun,
                "Receive Request",
                'Src-ip="127.0.0.1" Src-port="35764" Last-via-addr=""',
                f"GET http://vcs_control.steven.lab:8443/{target.mra_path}/ HTTP/1.1",
            ),
            self._event(begun, "Sending Request", destination, "GET / HTTP/1.1"),
        ]
        if answer.log_line:
            lines.append(f"{self._prefix(ended)} [ET_NET 0] {answer.log_line}")
        if answer.status == 200:
            source = f'Src-ip="{target.connect_to}" Src-port="{target.port}"'
            lines.append(self._event(ended, "Receive Response", source, "HTTP/1.1 200 "))
        status = "200 " if answer.status == 200 else f"{answer.status} connect failed "
        lines.append(self._event(ended, "Sending Response", 'Dst-ip="127.0.0.1" Dst-port="35764"', f"HTTP/1.1 {status}"))
        self._requests.append((begun, "".join(f"{line}\n" for line in lines)))
        del self._requests[:-_KEPT_REQUESTS]

    def text(self, start: datetime, end: datetime) -> str:
        """Return what was logged between two moments, after the line that begins the log."""
        host = self.peer.name.partition(".")[0]
        first = f'{_local(start)} {host} UTCTime="{_utc(start)}" Event="Diagnostic Logging" Detail="start" Level="1"\n'
        return first + "".join(text for moment, text in self._requests if start <= moment <= end + timedelta(milliseconds=1))

    def _event(self, at: datetime, event: str, address: str, message: str) -> str:
        return (
            f'{self._prefix(at)} UTCTime="{_utc(at)}" Module="network.http.trafficserver" Level="INFO": Detail="{event}" '
            f'Txn-id="{self._next}" TrackingID="6af9a674-9ebc-41ea-868e-{self._next:012d}" {address} Msg="{message}"'
        )

    def _prefix(self, at: datetime) -> str:
        return f"{_local(at)} {self.peer.name.partition('.')[0]} {_PROCESS}:"


def _local(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+00:00"


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03d}"
