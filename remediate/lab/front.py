"""Expressway-E: it signs clients in, passes their requests on to a peer, and is silent to an address with too many refusals.

A client signs in with ``/`` and base64 of the domain, ``/get_edge_config``, and gets the cookie ``X-Auth``. It then names its target
in the path: ``/`` and base64 of ``domain/https/address/port``. The judge of the peer answers, and its status is what comes back.
"""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from remediate.lab.accounts import Accounts, basic_login
from remediate.lab.errors import LabError
from remediate.lab.faults import Faults
from remediate.lab.requestlog import RequestLog
from remediate.lab.scenario import EdgeSpec
from remediate.lab.servers import REASON_HEADER
from remediate.lab.state import SimulatedPeer
from remediate.lab.verdict import JudgeAnswer

FRONT_PORT = 8443
DOMAIN = "steven.lab"
"""The domain that the peers serve."""

COOKIE = "X-Auth"
SIGN_IN = "get_edge_config"
PEER_HEADER = "X-Lab-Peer"
"""A header with which the lab's own witness chooses the peer behind an edge that several share."""

PASSED = "let through"
"""The body of an answer that the judge let through."""

_NEXT_HOP_FAILED = "Next Hop Connection Failed"
# What answers name as their server: the Expressway-E, the sign-in and the traffic server of a peer (the last one inferred).
_EDGE, _SIGN_IN_OF_PEER, _TRAFFIC_SERVER = "CE_E", "CE_C ECS", "CE_C"
_CONFIGURATION = (
    "<?xml version='1.0' encoding='UTF-8'?><getEdgeConfigResponse version='1.0'><serviceConfig/></getEdgeConfigResponse>\n"
)

AskJudge = Callable[[SimulatedPeer, str, int], JudgeAnswer]
"""Asks the judge of a peer for an endpoint. Raises LabError when the lab has no such endpoint."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in, whatever its outcome. `at` is in seconds of the edge's own clock."""

    username: str
    status: int
    at: float


@dataclass(frozen=True, slots=True)
class _Session:
    """A session, and until when it is good, by the edge's own clock."""

    until: float
    is_of_witness: bool


@dataclass(eq=False, slots=True)
class Front:
    """What an Expressway-E does with requests. Tests may read and change its attributes.

    Attributes:
        address: Where it listens.
        peers: The peers that it goes on to, one after the other where there are several.
        ban: Makes it silent for so many seconds.
        sign_ins: Every sign-in since it started.
        strikes: When it refused a request, by its own clock.
        sessions: The sessions by their cookies.
    """

    address: str
    peers: tuple[SimulatedPeer, ...]
    spec: EdgeSpec
    accounts: Accounts
    faults: Faults
    ask: AskJudge
    log: RequestLog
    ban: Callable[[float], None] = lambda _seconds: None
    sign_ins: list[SignIn] = field(default_factory=list)
    strikes: list[float] = field(default_factory=list)
    sessions: dict[str, _Session] = field(default_factory=dict)
    _ahead_s: float = 0.0
    _turn: int = 0

    def app(self) -> Starlette:
        """Return the edge as an application."""
        return Starlette(routes=[Route("/{target:str}/{path:path}", self._serve)])

    def pass_time(self, seconds: float) -> None:
        """Let time pass for its counts and its sessions."""
        self._ahead_s += seconds

    def forget(self) -> None:
        """Forget every sign-in, strike and session, but for those of the lab's own witness."""
        self.sign_ins.clear()
        self.strikes.clear()
        self.sessions = {cookie: session for cookie, session in self.sessions.items() if session.is_of_witness}

    async def _serve(self, request: Request) -> Response:
        target = _decode(request.path_params["target"])
        is_sign_in = request.path_params["path"].partition("/")[0] == SIGN_IN
        is_of_witness = self._is_of_witness(request)
        peer = self._peer_named(request.headers.get(PEER_HEADER, "")) if is_of_witness else self._next_peer()
        refusal = self._refuse(request, is_sign_in=is_sign_in, domain=target)
        is_strike = refusal is not None and refusal.status_code == 401
        if not is_of_witness:
            path = f"{target}/{SIGN_IN}" if is_sign_in else target or request.url.path
            reached = peer.address if peer else self.peers[0].address if len(self.peers) == 1 else self.address
            self.log.add(reached, "mra", request.method, path, write=False, authorised=not is_strike)
            if is_strike:
                self._count_strike()
        if refusal:
            return refusal
        if is_sign_in:
            return self._start_session(is_of_witness=is_of_witness)
        _, _, where = target.partition("/https/")
        address, _, port = where.rpartition("/")
        if not port.isdecimal():
            return _answer("No such target", 404, _EDGE)
        return await self._pass_on(peer, address, int(port)) if peer else _no_way()

    def _is_of_witness(self, request: Request) -> bool:
        """Return whether the lab's own client asks: its sign-ins and requests count for nothing."""
        session = self.sessions.get(request.cookies.get(COOKIE, ""))
        return session.is_of_witness if session else _login_of(request) == self._witness_login

    @property
    def _witness_login(self) -> tuple[str, str]:
        return self.accounts.witness_username, self.accounts.witness_password

    def _peer_named(self, address: str) -> SimulatedPeer | None:
        """Return the peer that the witness asks for, where clients get to it."""
        candidates = (peer for peer in self.peers if peer.address == address)
        return next((peer for peer in candidates if peer.running and peer.condition.reaches_clients), None)

    def _next_peer(self) -> SimulatedPeer | None:
        """Return the peer whose turn it is, of those that clients get to; without any, one in maintenance mode; else None."""
        self._turn += 1
        ordered = [self.peers[(self._turn + number) % len(self.peers)] for number in range(len(self.peers))]
        reachable = [peer for peer in ordered if peer.running and peer.condition.reaches_clients]
        serving = [peer for peer in reachable if not peer.condition.maintenance]
        return next(iter(serving or reachable), None)

    def _refuse(self, request: Request, *, is_sign_in: bool, domain: str) -> Response | None:
        """Return the answer to a request that is not let in; None: it is."""
        if not is_sign_in:
            session = self.sessions.get(request.cookies.get(COOKIE, ""))
            return None if session and session.until > self._now() else _answer("No session", 401, _EDGE)
        login = _login_of(request)
        if login == self._witness_login:
            return None
        if not any(peer.running and peer.condition.reaches_clients for peer in self.peers):
            return _no_way()
        if all(peer.condition.maintenance for peer in self.peers):
            return _answer("Maintenance mode", 503, _EDGE)
        status = self._judge_sign_in(login, domain)
        self.sign_ins.append(SignIn(login[0] if login else "", status, self._now()))
        server = _EDGE if status == 403 else _SIGN_IN_OF_PEER
        return None if status == 200 else _answer("Not signed in", status, server)

    def _judge_sign_in(self, login: tuple[str, str] | None, domain: str) -> int:
        """Return the status that a sign-in gets."""
        since = self._now() - self.spec.window_s
        username = login[0] if login else ""
        recent = [sign_in for sign_in in self.sign_ins if sign_in.username == username and sign_in.at > since]
        if sum(sign_in.status != 429 for sign_in in recent) >= self.spec.sign_ins:
            return 429
        if domain != DOMAIN:
            return 403
        return 200 if login == (self.accounts.mra_username, self.accounts.mra_password) else 401

    def _start_session(self, *, is_of_witness: bool) -> Response:
        cookie = str(uuid.uuid4())
        self.sessions[cookie] = _Session(self._now() + self.spec.session_s, is_of_witness)
        answer = Response(_CONFIGURATION, media_type="text/xml", headers={"Server": _SIGN_IN_OF_PEER})
        answer.set_cookie(COOKIE, cookie, path="/", domain=f".{DOMAIN}", secure=True, httponly=True)
        return answer

    def _count_strike(self) -> None:
        now = self._now()
        self.strikes.append(now)
        if sum(strike > now - self.spec.window_s for strike in self.strikes) >= self.spec.strikes:
            self.strikes.clear()
            self.ban(self.spec.ban_s)

    async def _pass_on(self, peer: SimulatedPeer, address: str, port: int) -> Response:
        if peer.condition.maintenance:
            return _answer("Maintenance mode", 503, _EDGE)
        if self.faults.refuses_certificate(peer.address, address):
            return _answer("Refused by the node", 502, _TRAFFIC_SERVER, reason="")
        try:
            answer = await run_in_threadpool(self.ask, peer, address, port)
        except LabError as error:
            # Not on the allow list, which discovery fills.
            return _answer(str(error), 403, _EDGE)
        if answer.status == 200:
            return _answer(answer.log_line or PASSED, 200)
        # As the traffic server answers when a handshake fails: without a reason phrase.
        return _answer(answer.log_line or "", answer.status, _TRAFFIC_SERVER, reason="")

    def _now(self) -> float:
        return time.monotonic() + self._ahead_s


def _no_way() -> Response:
    return _answer(_NEXT_HOP_FAILED, 502, _EDGE, reason=_NEXT_HOP_FAILED)


def _answer(text: str, status: int, server: str = "", reason: str | None = None) -> Response:
    """Return an answer with its `Server`, and with another reason phrase than usual where one is given."""
    headers = {"Server": server} if server else {}
    if reason is not None:
        headers[REASON_HEADER] = reason
    return PlainTextResponse(f"{text}\n", status, headers=headers)


def _login_of(request: Request) -> tuple[str, str] | None:
    return basic_login(request.headers.get("authorization", "").encode())


def encode_target(text: str) -> str:
    """Return a domain or a target as a client puts it into the path."""
    return base64.b64encode(text.encode()).decode().rstrip("=")


def _decode(target: str) -> str:
    """Return the domain, or ``domain/https/address/port``; empty if `target` is not base64."""
    try:
        return base64.b64decode(target + "=" * (-len(target) % 4), validate=True).decode()
    except ValueError:
        return ""
