"""Control interface of a running lab for other processes: status, judge, request log, stop."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from remediate.lab.lab import Lab
from remediate.lab.nodes import write_private
from remediate.lab.process import STATE_FILE, TOKEN_HEADER
from remediate.lab.servers import Listener
from remediate.lab.verdict import JudgeAnswer

PORT = 8099


class Control:
    """Control server on a lab's first address; its token is in ``lab.json``, which only the owner can read."""

    def __init__(self, lab: Lab, stop: Callable[[], None]) -> None:
        self._lab = lab
        self._stop = stop
        self._token = secrets.token_urlsafe(24)
        self._app = Starlette(
            routes=[
                Route("/status", self._status),
                Route("/requests", self._requests),
                Route("/ask", self._ask, methods=["POST"]),
                Route("/ask-all", self._ask_all, methods=["POST"]),
                Route("/stop", self._end, methods=["POST"]),
            ]
        )

    def start(self) -> None:
        """Listen, and write the address to ``lab.json``."""
        address = self._lab.subnet.address(1)
        self._lab.background.run(Listener(self._check_token, address, (PORT,), None).start())
        state = {"pid": os.getpid(), "address": address, "port": PORT, "token": self._token}
        unfinished = self._lab.directory / (STATE_FILE + ".new")
        write_private(unfinished, json.dumps(state) + "\n")
        unfinished.rename(self._lab.directory / STATE_FILE)

    async def _check_token(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = dict(scope.get("headers", [])).get(TOKEN_HEADER.lower().encode(), b"")
        allowed = secrets.compare_digest(token, self._token.encode())
        await (self._app if allowed else JSONResponse({"message": "wrong token"}, 401))(scope, receive, send)

    async def _status(self, request: Request) -> Response:
        del request
        lab = self._lab
        return JSONResponse(
            {
                "scenario": lab.scenario.name,
                "summary": lab.scenario.summary,
                "inventory": str(lab.inventory),
                "approvals": str(lab.approvals),
                "peers": [peer.address for peer in lab.peers],
                "judge": lab.judge,
            }
        )

    async def _requests(self, request: Request) -> Response:
        del request
        return JSONResponse([asdict(request) for request in self._lab.requests])

    async def _ask(self, request: Request) -> Response:
        body = await request.json()
        answer = await run_in_threadpool(self._lab.ask, body["peer"], body["address"], body["port"])
        return JSONResponse(asdict(answer))

    async def _ask_all(self, request: Request) -> Response:
        del request
        answers = await run_in_threadpool(self._lab.ask_as_client)
        return JSONResponse([_row(key, answer) for key, answer in answers.items()])

    async def _end(self, request: Request) -> Response:
        del request
        self._stop()
        return JSONResponse({"message": "stopping"})


def _row(key: tuple[str, str, int], answer: JudgeAnswer) -> dict[str, object]:
    peer, address, port = key
    return {"peer": peer, "address": address, "port": port, "answer": asdict(answer)}


def remove_state(directory: Path) -> None:
    """Remove ``lab.json`` of a lab that has stopped."""
    (directory / STATE_FILE).unlink(missing_ok=True)
