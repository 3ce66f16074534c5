"""UC nodes: real TLS with the scenario's certificates on their usual ports, and some HTTP resources behind it."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from remediate.lab.accounts import Accounts, basic_login
from remediate.lab.node_stores import NodeStores, make_stores
from remediate.lab.pki import Identity, Pki, issue_impostor, peer_authority
from remediate.lab.platform_shell import PlatformShell
from remediate.lab.platform_ssh import PlatformServer
from remediate.lab.requestlog import RequestLog
from remediate.lab.scenario import NodeSpec, Scenario, ServiceSpec
from remediate.lab.servers import Listener
from remediate.lab.soap import certificate_snapshot, identity_name, process_nodes, soap_fault, uds_servers, uds_version
from remediate.model.certificate import Certificate
from remediate.model.identity import KeyFamily
from remediate.model.toward_nodes import STORES

_REFUSED = {"WWW-Authenticate": 'Basic realm="Cisco"'}
_CERTMGR = "/platformcom/api/v1/certmgr"


@dataclass(eq=False)
class SimulatedNode:
    """One UC node.

    Attributes:
        address: The connection address that clients use.
        connect_to: Where it really listens.
        ports: All its TLS ports.
        presented: Port to what it presents, by key family, leaf first.
        stores: What its services trust.
        platform: Its platform shell; None for a product that has none here.
        contexts: Returns the TLS context of each listener, by what its services have loaded.
        scripted_answers: HTTP status and body by path, answered in the place of the node.
    """

    spec: NodeSpec
    connect_to: str
    presented: Mapping[int, Mapping[KeyFamily, tuple[Certificate, ...]]]
    listeners: tuple[Listener, ...]
    running: bool
    stores: NodeStores
    platform: PlatformServer | None
    contexts: Callable[[], Sequence[ssl.SSLContext]]
    scripted_answers: dict[str, tuple[int, str]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The connection address."""
        return self.spec.address

    @property
    def ports(self) -> tuple[int, ...]:
        """All its TLS ports, in the scenario's order."""
        return tuple(self.presented)


def build_node(
    spec: NodeSpec,
    connect_to: str,
    scenario: Scenario,
    pki: Pki,
    accounts: Accounts,
    private: Path,
    log: RequestLog,
    restarted: Callable[[str], None],
) -> SimulatedNode:
    """Return a node that is ready to start; its keys are written into the folder `private`.

    `restarted` is called with its address when a service of it restarted.
    """
    scripted_answers: dict[str, tuple[int, str]] = {}
    stores = make_stores(spec.product, (service.name for service in spec.services), _list_authorities(spec, scenario, pki))
    app = _NodeApp(spec, scenario, pki, accounts, stores, log, scripted_answers)

    def make_contexts() -> list[ssl.SSLContext]:
        return [
            _server_context(spec, service, pki.of_service(spec, service), private, stores.clients_of(service.ports))
            for service in spec.services
        ]

    presented: dict[int, Mapping[KeyFamily, tuple[Certificate, ...]]] = {}
    for service in spec.services:
        identities = pki.of_service(spec, service)
        presented |= {port: {family: identity.chain for family, identity in identities.items()} for port in service.ports}
    listeners = [
        Listener(app.app(), connect_to, service.ports, tls) for service, tls in zip(spec.services, make_contexts(), strict=True)
    ]
    shell = PlatformShell(app.list_identities, stores, lambda: restarted(spec.address), spec.layout)
    login = accounts.platform_username, accounts.platform_password
    platform = PlatformServer(spec.address, connect_to, shell, login, log) if STORES[spec.product] else None
    return SimulatedNode(
        spec, connect_to, presented, tuple(listeners), spec.running, stores, platform, make_contexts, scripted_answers
    )


def _list_authorities(spec: NodeSpec, scenario: Scenario, pki: Pki) -> list[Certificate]:
    """Return what a node's services trust: what signed its certificates, is sent with them, or signed those of the peers."""
    specs = [certificate for service in spec.services for certificate in service.certificates]
    names = {name for own in specs for name in (*own.sends, *((own.issuer,) if own.issuer else ()))}
    authorities = [pki.certificate(authority.id) for authority in scenario.authorities if authority.id in names]
    return [*authorities, *([peer_authority().certificate] if scenario.nodes_trust_peers else [])]


async def reload_services(node: SimulatedNode) -> None:
    """Let every service of a node judge clients by what it has loaded."""
    contexts = node.contexts()
    listeners = []
    for listener, tls in zip(node.listeners, contexts, strict=True):
        await listener.stop()
        listeners.append(listener.behind(tls))
        if node.running:
            await listeners[-1].start()
    node.listeners = tuple(listeners)


async def intercept(node: SimulatedNode, port: int, private: Path) -> None:
    """Put a man in the middle before the service that has `port`; requests still reach the node."""
    number, service = next((position, service) for position, service in enumerate(node.spec.services) if port in service.ports)
    forged = {family: issue_impostor(chain[0]) for family, chain in node.presented[port].items()}
    tls = _server_context(node.spec, service, forged, private, None)
    genuine = node.listeners[number]
    await genuine.stop()
    listener = genuine.behind(tls)
    await listener.start()
    node.listeners = (*node.listeners[:number], listener, *node.listeners[number + 1 :])
    node.presented = {
        **node.presented,
        **{port: {family: identity.chain for family, identity in forged.items()} for port in service.ports},
    }


def _server_context(
    spec: NodeSpec,
    service: ServiceSpec,
    identities: Mapping[KeyFamily, Identity],
    private: Path,
    clients: Sequence[Certificate] | None,
) -> ssl.SSLContext:
    """Return the TLS context of a service; with `clients`, it asks for a certificate, and refuses one that they do not lead to."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_3 if spec.tls13 else ssl.TLSVersion.TLSv1_2
    context.set_ciphers("HIGH:!aNULL:!PSK:@SECLEVEL=1")
    if not spec.own_order:
        # Python sets this by default; UC nodes follow the client's order (facts: cipher order decides).
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    if clients is not None:
        context.verify_mode = ssl.CERT_OPTIONAL
        context.sslobject_class = _AlertingObject
        # OpenSSL would send what signed its own certificate after it, from the list that it judges clients by.
        leaves = [identity.certificate for identity in identities.values()]
        authorities = [client for client in clients if not any(client.has_issued(leaf) for leaf in leaves)]
        if authorities:
            context.load_verify_locations(cadata="".join(authority.pem for authority in authorities))
    for family, identity in identities.items():
        path = private / f"{spec.address}-{service.name}-{family}.pem"
        write_private(path, identity.pem_with_key)
        context.load_cert_chain(path)
    return context


class _AlertingObject(ssl.SSLObject):
    """TLS object whose alert reaches the client: asyncio sends what is left to send only while a handshake goes on."""

    def do_handshake(self) -> None:
        """Go on with the handshake; one that has failed waits for the client to hang up."""
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            raise ssl.SSLWantReadError from error


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    path.touch(mode=0o600)
    path.write_text(text)


@dataclass(frozen=True, slots=True)
class _NodeApp:
    spec: NodeSpec
    scenario: Scenario
    pki: Pki
    accounts: Accounts
    stores: NodeStores
    log: RequestLog
    scripted_answers: Mapping[str, tuple[int, str]]

    def app(self) -> Starlette:
        routes = [
            Route(f"{_CERTMGR}/{{path:path}}", self._manage, methods=["GET", "POST", "PUT", "DELETE"]),
            Route("/{path:path}", self._echo, methods=["GET", "POST", "PUT", "DELETE"]),
        ]
        if self.spec.product == "cucm":
            routes = [
                Route("/cucm-uds/servers", self._servers),
                Route("/cucm-uds/version", self._version),
                *routes,
            ]
        if self.spec.product in ("cucm", "imp"):
            routes.insert(0, Route("/axl/", self._axl, methods=["POST"]))
        return Starlette(routes=routes, middleware=[Middleware(_ScriptedAnswers, scripted_answers=self.scripted_answers)])

    async def _servers(self, request: Request) -> Response:
        del request
        return _xml(uds_servers(self.spec.address, self.scenario.nodes))

    async def _version(self, request: Request) -> Response:
        del request
        return _xml(uds_version(self.spec.address))

    async def _axl(self, request: Request) -> Response:
        if _login(request) != (self.accounts.axl_username, self.accounts.axl_password):
            return PlainTextResponse("Unauthorized", 401, headers=_REFUSED)
        if b"listProcessNode" not in await request.body():
            return _xml(soap_fault("Unknown operation"), 500)
        return _xml(process_nodes(self.scenario.nodes))

    async def _manage(self, request: Request) -> Response:
        """Answer for certificate management, which Unified CM has from 14 on."""
        is_right, path = self._has_platform_login(request), request.path_params["path"]
        self.log.add(self.spec.address, "certmgr", request.method, path, write=request.method != "GET", authorised=is_right)
        if not self.spec.has_certificate_management:
            return PlainTextResponse("Not Found", 404)
        if not is_right:
            return PlainTextResponse("Unauthorized", 401, headers=_REFUSED)
        match request.method, path:
            case "GET", "config/snapshot/server":
                with self.stores.lock:
                    return JSONResponse(certificate_snapshot(self.spec.address, self._own_certificates(), self.stores.trusted))
            case "GET", "config/identity/certificate":
                return self._show_identity(request.query_params.get("service", ""))
            case "POST", "config/trust/certificates":
                return self._upload(await request.body())
            case _:
                return JSONResponse({"message": "Not Found"}, 404)

    def _show_identity(self, name: str) -> Response:
        certificate = self.list_identities().get(name)
        if certificate is None:
            return JSONResponse({"message": f"No service {name}"}, 400)
        return JSONResponse({"service": name, "certificates": [certificate.pem]})

    def _upload(self, body: bytes) -> Response:
        document = json.loads(body)
        stores = document["service"]
        certificates = [certificate for pem in document["certificates"] for certificate in Certificate.all_from_pem(pem)]
        if not certificates or not set(stores) <= self.stores.trusted.keys():
            return JSONResponse({"message": "Invalid service or certificate"}, 400)
        for store in stores:
            self.stores.add(store, certificates)
        return JSONResponse({"messages": [{"type": "SUCCESS", "message": "Certificate Uploaded."}]})

    async def _echo(self, request: Request) -> Response:
        return PlainTextResponse(f"{self.spec.address} {request.url.path}\n")

    def _has_platform_login(self, request: Request) -> bool:
        return _login(request) == (self.accounts.platform_username, self.accounts.platform_password)

    def list_identities(self) -> dict[str, Certificate]:
        """Return the node's own certificates by the names that certificate management has for them."""
        return {
            identity_name(service, family): certificate
            for service, families in self._own_certificates().items()
            for family, certificate in families.items()
        }

    def _own_certificates(self) -> dict[str, dict[KeyFamily, Certificate]]:
        return {
            service.name: {family: identity.certificate for family, identity in self.pki.of_service(self.spec, service).items()}
            for service in self.spec.services
        }


class _ScriptedAnswers:
    """Middleware that answers scripted paths in the place of a node."""

    def __init__(self, app: ASGIApp, scripted_answers: Mapping[str, tuple[int, str]]) -> None:
        self._app, self._answers = app, scripted_answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._answers.get(scope.get("path", ""))
        await (_xml(answer[1], answer[0]) if answer else self._app)(scope, receive, send)


def _login(request: Request) -> tuple[str, str] | None:
    return basic_login(request.headers.get("Authorization", "").encode())


def _xml(text: str, status: int = 200) -> Response:
    return Response(text, status, media_type="text/xml")
