"""Front of each peer, in the place of an Expressway-E: it receives clients' requests, and the peer's judge answers.

A client names its target in the path, as in MRA: ``/`` and base64 of ``domain/https/address/port``. Its status is what comes back.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from remediate.lab.errors import LabError
from remediate.lab.requestlog import RequestLog
from remediate.lab.state import SimulatedPeer
from remediate.lab.verdict import JudgeAnswer

FRONT_PORT = 8443

AskJudge = Callable[[SimulatedPeer, str, int], JudgeAnswer]
"""Asks the judge of a peer for an endpoint. Raises LabError when the lab has no such endpoint."""


@dataclass(frozen=True, slots=True)
class Front:
    """Front of one peer."""

    peer: SimulatedPeer
    ask: AskJudge
    log: RequestLog

    def app(self) -> Starlette:
        """Return the front as an application."""
        return Starlette(routes=[Route("/{target:str}/{path:path}", self._relay)])

    async def _relay(self, request: Request) -> Response:
        target = _decode(request.path_params["target"])
        self.log.add(self.peer.address, "mra", request.method, target or request.url.path, write=False)
        _, _, where = target.partition("/https/")
        address, _, port = where.rpartition("/")
        if not port.isdecimal():
            return PlainTextResponse("No such target\n", 404)
        if refusal := self.peer.condition.refusal:
            return PlainTextResponse(f"{refusal}\n", 503 if self.peer.condition.maintenance else 502)
        try:
            answer = await run_in_threadpool(self.ask, self.peer, address, int(port))
        except LabError as error:
            return PlainTextResponse(f"{error}\n", 404)
        return PlainTextResponse(f"{answer.log_line or 'let through'}\n", answer.status)


def _decode(target: str) -> str:
    """Return ``domain/https/address/port``; empty if `target` is not base64."""
    try:
        return base64.b64decode(target + "=" * (-len(target) % 4), validate=True).decode()
    except ValueError:
        return ""
