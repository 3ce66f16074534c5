"""REST interface of a simulated peer, served over real HTTPS (`remediate.lab.servers`)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from remediate.lab.accounts import Accounts, basic_login
from remediate.lab.diagnostics import DiagnosticLogs
from remediate.lab.faults import Fault, Faults, LoggingFault
from remediate.lab.raml import raml
from remediate.lab.removal import names_certificate, subject_line
from remediate.lab.requestlog import RequestLog
from remediate.lab.scenario import Removal
from remediate.lab.servers import abort_connection
from remediate.lab.state import (
    PUBLISHER_DEFAULTS,
    ListFullError,
    PublisherEntry,
    SameCommonNameError,
    SimulatedCluster,
    SimulatedPeer,
)
from remediate.lab.status import print_status
from remediate.lab.system_dumps import configuration_xml, status_xml
from remediate.model.certificate import Certificate
from remediate.model.errors import CertificateError
from remediate.model.identity import Product

_PUBLISHER_LOGIN = frozenset({"Publisher", "AxlUsername", "AxlPassword", "TlsVerify"})
_HELD_S = 0.005
_REALM = {"WWW-Authenticate": 'Basic realm="Expressway"'}


@dataclass(frozen=True, slots=True)
class RestInterface:
    """One peer's REST interface: an ASGI application."""

    cluster: SimulatedCluster
    diagnostics: DiagnosticLogs
    peer: SimulatedPeer
    accounts: Accounts
    faults: Faults
    log: RequestLog
    restart: Callable[[SimulatedPeer], None]

    def app(self) -> ASGIApp:
        """Return the whole interface: login and faults outside, the resources inside."""
        resources = Starlette(routes=self._routes())

        async def serve_guarded(scope: Scope, receive: Receive, send: Send) -> None:
            async def send_dated(message: Message) -> None:
                if message["type"] == "http.response.start":
                    now = format_datetime(self.faults.time_at(self.peer.address), usegmt=True)
                    message = {**message, "headers": [(b"date", now.encode()), *message.get("headers", [])]}
                await send(message)

            if scope["type"] == "http":
                await self._guard(resources, scope, receive, send_dated)

        return serve_guarded

    def _routes(self) -> list[Route]:
        handlers = [
            ("/certs/root", self._get_root, ["GET"]),
            ("/certs/root", self._post_root, ["POST"]),
            ("/certs/root", self._delete_root, ["DELETE"]),
            ("/certs/server", self._get_server, ["GET"]),
            ("/controller/server/{product:str}", self._publishers, ["GET", "POST", "DELETE"]),
            ("/common/cluster/peers", self._cluster_peers, ["GET"]),
            ("/common/diagnosticlogging", self._diagnostic_logging, ["GET", "PUT"]),
            ("/sysinfo", self._sysinfo, ["GET"]),
            ("/restart", self._restart, ["POST"]),
        ]
        routes = [
            Route(base + path, handler, methods=methods)
            for base in ("/api/provisioning", "/api/v1/provisioning")
            for path, handler, methods in handlers
        ]
        status = [Route(path, self._status, methods=["GET"]) for path in ("/status.xml", "/getxml")]
        upgrade = [
            Route(f"{base}/status/common/upgradestatus", self._upgrade_status, methods=["GET"]) for base in ("/api", "/api/v1")
        ]
        return [*routes, *status, *upgrade, Route("/api/raml", self._raml, methods=["GET"])]

    async def _guard(self, resources: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if silence_s := self.faults.silence_s(self.peer.address):
            await asyncio.sleep(silence_s)
            return abort_connection(scope)
        method, path = scope["method"], scope["path"]
        write = method not in ("GET", "HEAD", "OPTIONS")
        if substitute := self.faults.substitute_for(self.peer.address, path):
            return await Response(substitute.body, substitute.status, dict(substitute.headers))(scope, receive, send)
        authorised = self._is_authorised(dict(scope["headers"]).get(b"authorization", b""))
        number = self.log.add(self.peer.address, "rest", method, path, write=write, authorised=authorised)
        if not authorised:
            self.faults.count_refused_login(self.peer.address)
            refusal = JSONResponse({"Message": "Authentication failed"}, 401, headers=_REALM)
            return await refusal(scope, receive, send)
        hits, delay_s = self.faults.take(self.peer.address, "rest", f"{method} {path}", write=write)
        if Fault.DROP_REQUEST in hits:
            return abort_connection(scope)
        if Fault.IGNORE_WRITE in hits:
            return await JSONResponse({"Message": "Success"})(scope, receive, send)
        try:
            await self._wait_while_held(f"{method} {path}")
            answer = await _collect(self._find_recorded_answer(method, path) or resources, scope, receive)
        except ClientDisconnect:
            self.log.mark_cut(number)
            return abort_connection(scope)
        await asyncio.sleep(delay_s)
        if Fault.DROP_ANSWER in hits:
            return abort_connection(scope)
        for message in answer:
            await send(message)
        if method == "GET" and path.endswith("/certs/root"):
            self.faults.count_trusted_list_read(self.peer.address)
        return None

    async def _wait_while_held(self, text: str) -> None:
        """Wait for the requests of other peers that a test wants to see at once with this one."""
        while self.faults.is_held(self.peer.address, text):  # noqa: ASYNC110  the shell's threads wait for the same
            await asyncio.sleep(_HELD_S)

    def _find_recorded_answer(self, method: str, path: str) -> ASGIApp | None:
        """Return the answer of the peer that this one imitates; None where it answers itself."""
        if method != "GET" or path not in self.peer.recorded_pages:
            return None
        page = self.peer.recorded_pages[path]
        return PlainTextResponse("Not found", 404) if page is None else PlainTextResponse(page)

    def _is_authorised(self, header: bytes) -> bool:
        if self.faults.refuses_login(self.peer.address):
            return False
        return basic_login(header) == self.accounts.rest_login

    async def _get_root(self, request: Request) -> Response:
        del request
        with self.cluster.lock:
            # A subject line before each block, as "Show all (PEM)" has it.
            blocks = [f"{subject_line(certificate)}\n{certificate.pem}" for certificate in self.peer.trusted]
            blocks += self.peer.revocation_lists
        return PlainTextResponse("\n".join(blocks))

    async def _post_root(self, request: Request) -> Response:
        async with request.form() as form:
            file = form.get("file")
            if file is None or isinstance(file, str):
                return _message_response("Field 'file' is missing", 400)
            pem = await file.read()
        try:
            certificates = Certificate.all_from_pem(pem)
            if not certificates:
                return _message_response("The file holds no certificate", 400)
            self.cluster.append_trusted(self.peer, certificates)
        except CertificateError as error:
            return _message_response([f"Invalid certificate: {error}"], 400)
        except SameCommonNameError as error:
            return _message_response(f"A different certificate with the common name '{error}' is already trusted", 400)
        except ListFullError:
            return _message_response("The trusted CA list is full", 400)
        return _message_response("Root Certificate updated.")

    async def _delete_root(self, request: Request) -> Response:
        form = self.faults.description_of(self.peer.address).removal or self.cluster.scenario.removal
        if form is Removal.NONE:
            return PlainTextResponse("Method Not Allowed", 405)
        body = await request.body()
        with self.cluster.lock:
            matches = [certificate for certificate in self.peer.trusted if names_certificate(certificate, form, body)]
        if not matches:
            return _message_response("Certificate not found", 400)
        self.cluster.remove_trusted(self.peer, matches[0].fingerprint)
        return _message_response("Root Certificate removed.")

    async def _get_server(self, request: Request) -> Response:
        del request
        return PlainTextResponse(self.peer.server_certificate.pem)

    async def _publishers(self, request: Request) -> Response:
        product = request.path_params["product"]
        if product not in ("cucm", "imp") or not self.peer.lists_publishers:
            return _message_response("Not found", 404)
        if request.method == "GET":
            with self.cluster.lock:
                return JSONResponse([entry.as_json() for entry in self.peer.publishers if entry.product == product])
        body = await _json(request)
        address = str(body.get("Publisher", ""))
        if request.method == "DELETE":
            was_configured = self.cluster.remove_publisher(self.peer, product, address)
            return _message_response("Success") if was_configured else _message_response(f"{address} is not configured", 400)
        return self._add_publisher(product, address, body)

    def _add_publisher(self, product: Product, address: str, body: dict[str, Any]) -> Response:
        reachable = {(node.product, node.address) for node in self.cluster.scenario.nodes if node.running}
        if (product, address) not in reachable:
            return _message_response("CommandError: Socket Error: Timeout", 400)
        login = (body.get("AxlUsername"), body.get("AxlPassword"))
        if login != (self.accounts.axl_username, self.accounts.axl_password):
            return _message_response("CommandError: Authentication failed", 400)
        usual = PUBLISHER_DEFAULTS[product]
        settings = {
            name: str(value) for name, value in body.items() if name not in _PUBLISHER_LOGIN and usual.get(name) != str(value)
        }
        entry = PublisherEntry(product, address, str(login[0]), str(body.get("TlsVerify", "On")), settings)
        self.cluster.set_publisher(self.peer, entry)
        return _message_response("Success", 201)

    async def _cluster_peers(self, request: Request) -> Response:
        del request
        return JSONResponse([{"PeerAddress": peer.address} for peer in self.cluster.peers])

    async def _diagnostic_logging(self, request: Request) -> Response:
        logs = self.diagnostics
        if not logs.is_offered:
            return _message_response("Not found", 404)
        if request.method == "GET":
            return JSONResponse({"DownLoadStatus": logs.status(self.peer)})
        answer = logs.request(self.peer, await _json(request))
        if answer.file is None:
            return _message_response(answer.message, answer.status)
        headers = {"Content-Disposition": f'attachment; filename="../../{answer.file_name}"'}
        if self.faults.logging is LoggingFault.CUT:
            # Too little for the length that it announces: the server breaks the connection.
            return Response(answer.file[: len(answer.file) // 2], 200, {**headers, "Content-Length": str(len(answer.file))})
        return Response(answer.file, 200, headers, "application/x-gzip")

    async def _sysinfo(self, request: Request) -> Response:
        del request
        return JSONResponse({"SystemName": self.peer.name, "SoftwareVersion": self.cluster.scenario.version})

    async def _restart(self, request: Request) -> Response:
        # X14.2 and later want this header, with any value, on some POSTs.
        if "X-CSRF-Header" not in request.headers:
            return _message_response("X-CSRF-Header is missing", 403)
        self.restart(self.peer)
        return _message_response("The system is restarting.")

    async def _status(self, request: Request) -> Response:
        location = request.query_params.get("location", "/Status/SystemUnit" if request.url.path == "/status.xml" else "")
        kind, _, path = location.removeprefix("/").partition("/")
        words, now = path.replace("/", " "), self.faults.time_at(self.peer.address)
        if kind == "Status" and print_status(words, self.cluster, self.peer, now) is not None:
            return Response(status_xml(self.cluster, self.peer, now, words), media_type="text/xml")
        if kind == "Configuration":
            page = configuration_xml(self.peer, self.cluster.scenario.version, words)
            return Response(page, media_type="text/xml")
        return PlainTextResponse("No such location", 404)

    async def _upgrade_status(self, request: Request) -> Response:
        del request
        condition = self.peer.condition
        if not condition.offers_upgrade_status:
            return _message_response("Not found", 404)
        updates = [{"StatusUpdateTime": "26-08-05T03-10-02", "UpgradeStatus": condition.upgrade}]
        return JSONResponse(updates if condition.upgrade else [])

    async def _raml(self, request: Request) -> Response:
        del request
        described = self.faults.description_of(self.peer.address)
        offered = self.diagnostics.is_offered
        page = raml(self.cluster.scenario, described.style, described.removal, offers_logging=offered)
        return PlainTextResponse(page, media_type="application/raml+yaml")


async def _collect(app: ASGIApp, scope: Scope, receive: Receive) -> list[Message]:
    """Run `app` to its end and return its answer, so that the change and its answer can be separated."""
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, keep)
    return messages


async def _json(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body() or b"{}")
    except json.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _message_response(text: str | list[str], status: int = 200) -> Response:
    return JSONResponse({"Message": text}, status)
