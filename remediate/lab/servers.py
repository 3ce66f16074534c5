"""HTTPS servers in one background event loop, which start, stop and break connections on demand."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast

import h11
import uvicorn
from starlette.types import ASGIApp, Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

_T = TypeVar("_T")

MAX_HEAD_BYTES = 64 * 1024

_OPEN: dict[tuple[tuple[str, int] | None, tuple[str, int | None] | None], asyncio.Transport] = {}


REASON_HEADER = "x-lab-reason"
"""A header that an application sets for the reason phrase of its answer; it is not sent. ASGI has no place for the phrase."""


class _Connection(h11.Connection):
    """h11's connection, which takes the reason phrase from `REASON_HEADER`."""

    def send(self, event: Any) -> Any:
        if isinstance(event, h11.Response):
            reasons = [value for name, value in event.headers if name == REASON_HEADER.encode()]
            headers = [(name, value) for name, value in event.headers if name != REASON_HEADER.encode()]
            reason = reasons[0] if reasons else event.reason
            event = h11.Response(status_code=event.status_code, headers=headers, reason=reason)
        return super().send(event)


class _Protocol(H11Protocol):
    """uvicorn's protocol with a register of transports, so that a fault can break a connection instead of answering."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.conn = _Connection(h11.SERVER, MAX_HEAD_BYTES)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own does
        super().connection_made(transport)
        _OPEN[self.client, self.server] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        _OPEN.pop((self.client, self.server), None)
        super().connection_lost(exc)


def abort_connection(scope: Scope) -> None:
    """Break the connection of this request; its client gets no answer."""
    transport = _OPEN.get((_pair(scope["client"]), _pair(scope["server"])))
    if transport:
        transport.abort()


def _pair(address: Any) -> tuple[str, int] | None:
    return cast("tuple[str, int]", tuple(address)) if address else None


class Background:
    """Event loop in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        # Probes give up in the middle of a handshake, which asyncio would print.
        self.loop.set_exception_handler(lambda _loop, _context: None)
        self._thread = threading.Thread(target=self.loop.run_forever, name="lab", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, _T], timeout_s: float = 30.0) -> _T:
        """Run a coroutine in the loop and wait for its result."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout_s)

    def later(self, seconds: float, work: Callable[[], None]) -> None:
        """Call `work` in the loop after some seconds; may be called from any thread."""
        self.loop.call_soon_threadsafe(lambda: self.loop.call_later(seconds, work))

    def stop(self) -> None:
        """Cancel the remaining tasks and end the thread."""
        self.run(_cancel_tasks())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


async def _cancel_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Listener:
    """Server of one application on some ports of one address, with a TLS context or plain HTTP."""

    def __init__(
        self,
        app: ASGIApp,
        address: str,
        ports: tuple[int, ...],
        tls: ssl.SSLContext | None,
        *,
        sets_date: bool = False,
        names_server: bool = False,
    ) -> None:
        """Prepare a listener.

        Args:
            app: The application.
            address: The address to listen on.
            ports: The ports to listen on.
            tls: The TLS context; None for plain HTTP.
            sets_date: Whether the application sets the Date header itself.
            names_server: Whether it sets the Server header itself, or none.
        """
        self._app = app
        self._address = address
        self._ports = ports
        self._tls = tls
        self._dates_itself = sets_date
        self._names_itself = names_server
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None

    def behind(self, tls: ssl.SSLContext) -> Listener:
        """Return a listener, not yet started, for the same application and ports with another TLS context."""
        return Listener(
            self._app, self._address, self._ports, tls, sets_date=self._dates_itself, names_server=self._names_itself
        )

    async def start(self) -> None:
        """Listen; returns when connections are accepted."""
        sockets = [open_listening_socket(self._address, port) for port in self._ports]
        config = uvicorn.Config(
            self._app,
            http=_Protocol,
            ws="none",
            loop="asyncio",
            interface="asgi3",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            date_header=not self._dates_itself,
            server_header=not self._names_itself,
        )
        config.load()
        # uvicorn's options cannot express two certificates and the order of ciphers.
        config.ssl = self._tls
        self._server = uvicorn.Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets))
        while not self._server.started:
            if self._task.done():
                self._task.result()
            await asyncio.sleep(0.001)

    async def stop(self) -> None:
        """Refuse new connections and break the open ones."""
        if self._server is None or self._task is None:
            return
        # uvicorn's own shutdown polls ten times a second and waits for clients to finish.
        for server in self._server.servers:
            server.close()
        for connection in list(self._server.server_state.connections):
            cast("_Protocol", connection).transport.abort()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._server = self._task = None


def open_listening_socket(address: str, port: int) -> socket.socket:
    """Return a listening TCP socket that can be opened again right after it was closed."""
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # What it accepts inherits this. asyncio sets it only on sockets that name their protocol, and without it each answer's body waits
    # for the client's delayed acknowledgement of its head: 40 ms a request.
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        server.bind((address, port))
        server.listen(128)
    except OSError:
        server.close()
        raise
    return server
