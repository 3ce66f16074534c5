"""Requests as a client of Mobile and Remote Access sends them: signed in once, then through one peer to one endpoint after another.

A client signs in with ``get_edge_config``, gets a session cookie, and names its target in the path
(docs/decisions/0028-a-client-signs-in.md). A request without the cookie is refused, and automated protection counts it. So nothing is
sent without an account, a sign-in is sent once and within the budget of all runs, and a refusal ends asking. Cookies are kept in
memory alone. Every result is a value, errors included.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from remediate.connectors.expressway.mra_forms import classify, guess_domain, read_session, request_path, sign_in_path
from remediate.connectors.expressway.sign_in_budget import SignInBudget
from remediate.connectors.http import Account, Answer, HttpClient, NoConnection
from remediate.connectors.tls.pinning import make_tls_check
from remediate.model.access import MraAccess
from remediate.model.client import CLOSES_ACCOUNT, ENDS_ASKING, AnswerKind, ClientAnswer
from remediate.model.errors import InventoryError, RemediateError
from remediate.model.identity import Address, Product, host_and_port
from remediate.model.limits import Limits
from remediate.model.secret import Login, Secret

_NO_CREDENTIALS = "the inventory has no `credentials` in its `mra`, and a request without a sign-in counts towards a ban"
_NO_DOMAIN = "the domain that clients sign in with is not known: set `mra.domain` in the inventory"


@dataclass(slots=True)
class _Session:
    """The session of one account over one way.

    Attributes:
        cookie: As it is sent back; None: not signed in.
        last_failure: What the last sign-in got in the place of a session.
        failed_at: When that was, by the monotonic clock.
        end: The answer after which nothing more is asked.
        answered: Whether anything was ever answered over this way.
    """

    cookie: Secret | None = None
    last_failure: ClientAnswer | None = None
    failed_at: float = 0.0
    end: ClientAnswer | None = None
    answered: bool = False


@dataclass(slots=True)
class MraClient:
    """The client of one run. Its call is `executor.ports.AskThrough`. Several threads may use it; it sends one request at a time.

    Attributes:
        budget: The sign-ins of all runs.
        clock: The monotonic clock.
    """

    budget: SignInBudget
    clock: Callable[[], float] = time.monotonic
    _sessions: dict[tuple[str, str], _Session] = field(default_factory=dict)
    _closed_accounts: dict[str, ClientAnswer] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, access: MraAccess, address: Address, port: int, product: Product | None, limits: Limits) -> ClientAnswer:
        """Send one request through one peer to one endpoint. Never raises RemediateError.

        One GET over a new connection, repeated within the limits only where there was no answer; no redirect is followed.
        """
        domain = access.domain or guess_domain(address)
        if access.login is None or domain is None:
            return _not_asked(_NO_CREDENTIALS if access.login is None else _NO_DOMAIN)
        with self._lock:
            session = self._session_of(access, access.login)
            failure = self._ensure_session(session, access, access.login, domain, limits)
            if failure or session.cookie is None:
                return failure or _not_asked("there is no session")
            path = request_path(domain, address, port, product)
            try:
                with _open(access, limits) as client:
                    answer = classify(client.get(path, {"Cookie": session.cookie.reveal()}), path)
            except RemediateError as error:
                answer = _explain_silence(error, session, access)
            return self._note(session, access.login, answer, limits)

    def sign_in(self, access: MraAccess, limits: Limits) -> ClientAnswer:
        """Sign in over a way, unless this run has a session there, and return what it got. Never raises RemediateError."""
        if access.login is None or access.domain is None:
            return _not_asked(_NO_CREDENTIALS if access.login is None else _NO_DOMAIN)
        with self._lock:
            session = self._session_of(access, access.login)
            failure = self._ensure_session(session, access, access.login, access.domain, limits)
            return failure or ClientAnswer(AnswerKind.REACHED, "signed in")

    def close(self) -> None:
        """Forget every session."""
        self._sessions.clear()

    def _session_of(self, access: MraAccess, login: Login) -> _Session:
        return self._sessions.setdefault((login.username, host_and_port(access.host.casefold(), access.port)), _Session())

    def _ensure_session(
        self, session: _Session, access: MraAccess, login: Login, domain: str, limits: Limits
    ) -> ClientAnswer | None:
        """Sign in where there is no session; return None with one, and without why there is none."""
        if session.end:
            return _not_asked(f"no more requests to {access.url} in this run, after {session.end.detail}")
        if refusal := self._closed_accounts.get(login.username):
            return _not_asked(f"no more sign-ins as {login.username} in this run, after {refusal.detail}")
        if session.cookie:
            return None
        if session.last_failure and self.clock() - session.failed_at < limits.sign_in_again_s:
            return session.last_failure
        try:
            answer = self._sign_in(session, access, login, domain, limits)
        except RemediateError as error:
            answer = _explain_silence(error, session, access)
        return self._note(session, login, answer, limits) if answer else None

    def _sign_in(self, session: _Session, access: MraAccess, login: Login, domain: str, limits: Limits) -> ClientAnswer | None:
        """Send one sign-in, where the budget has room for it, and keep its cookie; return what it got in the place of one."""
        account = Account(login.username, login.password.read())
        with _open(access, limits, account) as client:
            # The connection comes first: a way that is down costs no sign-in.
            client.connect()
            if no_room := self.budget.spend(login.username, host_and_port(access.host, access.port), limits):
                return ClientAnswer(AnswerKind.NOT_ASKED, no_room.reason, again_in_s=no_room.again_in_s)
            session.failed_at = self.clock()
            session.last_failure = ClientAnswer(AnswerKind.NOTHING, f"no answer to the sign-in over {access.url}")
            reply = client.get_once(sign_in_path(domain))
        if not reply.ok and not reply.is_redirect:
            session.last_failure = _explain_failed_sign_in(reply, login, domain)
            return session.last_failure
        cookie = read_session(reply, limits.max_cookie_bytes) if reply.ok else "a redirect, which is not followed"
        if isinstance(cookie, Secret):
            session.cookie, session.answered = cookie, True
            return None
        # Single sign-on, a proxy or a portal: what it shows does not change by asking again.
        session.end = ClientAnswer(AnswerKind.OTHER, f"the sign-in returned HTTP {reply.status} with {cookie}")
        return session.end

    def _note(self, session: _Session, login: Login, answer: ClientAnswer, limits: Limits) -> ClientAnswer:
        """Keep of an answer what ends asking, and return it."""
        if answer.kind not in {AnswerKind.NOTHING, AnswerKind.NOT_ASKED, AnswerKind.BANNED}:
            session.answered = True
        if answer.kind in ENDS_ASKING:
            session.end, session.cookie = answer, None
        if answer.kind in CLOSES_ACCOUNT:
            self._closed_accounts[login.username] = answer
            self.budget.close(login.username, limits)
        return answer


@contextmanager
def open_client(state_dir: Path) -> Iterator[MraClient]:
    """Yield the client of one run, whose sign-ins are counted in `state_dir`."""
    client = MraClient(SignInBudget(state_dir))
    try:
        yield client
    finally:
        client.close()


def _open(access: MraAccess, limits: Limits, account: Account | None = None) -> HttpClient:
    return HttpClient(access.url, access.host, access.port, make_tls_check(access.tls), limits, account=account)


def _not_asked(reason: str) -> ClientAnswer:
    return ClientAnswer(AnswerKind.NOT_ASKED, reason)


def _explain_failed_sign_in(reply: Answer, login: Login, domain: str) -> ClientAnswer:
    """Return what an answer to a sign-in means that refuses it, or that the peer did not give: a 502 is no verdict on an endpoint."""
    answer = classify(reply)
    explanation = {
        AnswerKind.NO_LOGIN: f"the sign-in as {login.username} was refused",
        AnswerKind.FORBIDDEN: f"the sign-in was refused for the domain {domain}",
        AnswerKind.RATE_LIMITED: f"{login.username} has signed in too often",
    }.get(answer.kind, "the answer to the sign-in did not come from the peer")
    kind = AnswerKind.OTHER if answer.kind is AnswerKind.REFUSED else answer.kind
    return ClientAnswer(kind, f"{answer.detail}: {explanation}", answer.reason, answer.server)


def _explain_silence(error: RemediateError, session: _Session, access: MraAccess) -> ClientAnswer:
    """Return what it means that a request got no answer: a ban, where packets are dropped that were answered before."""
    if isinstance(error, InventoryError):
        return _not_asked(str(error).rstrip("."))
    if session.answered and isinstance(error, NoConnection) and error.is_silent:
        return ClientAnswer(
            AnswerKind.BANNED,
            f"{access.url} answered before and no longer does; automated protection may have banned this address",
        )
    return ClientAnswer(AnswerKind.NOTHING, str(error).rstrip("."))
