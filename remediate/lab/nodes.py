"""UC nodes: real TLS with the scenario's certificates on their usual ports, and some HTTP resources behind it."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from remediate.lab.accounts import Accounts, basic_login
from remediate.lab.pki import Identity, Pki, issue_impostor, peer_authority
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
        scripted_answers: HTTP status and body by path, answered in the place of the node.
    """

    spec: NodeSpec
    connect_to: str
    presented: Mapping[int, Mapping[KeyFamily, tuple[Certificate, ...]]]
    listeners: tuple[Listener, ...]
    running: bool
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
    spec: NodeSpec, connect_to: str, scenario: Scenario, pki: Pki, accounts: Accounts, private: Path
) -> SimulatedNode:
    """Return a node that is ready to start; its keys are written into the folder `private`."""
    scripted_answers: dict[str, tuple[int, str]] = {}
    app = _NodeApp(spec, scenario, pki, accounts, scripted_answers).app()
    presented: dict[int, Mapping[KeyFamily, tuple[Certificate, ...]]] = {}
    listeners = []
    for service in spec.services:
        identities = pki.of_service(spec, service)
        tls = _server_context(spec, service, identities, private)
        listeners.append(Listener(app, connect_to, service.ports, tls))
        presented |= {port: {family: identity.chain for family, identity in identities.items()} for port in service.ports}
    return SimulatedNode(spec, connect_to, presented, tuple(listeners), spec.running, scripted_answers)


async def intercept(node: SimulatedNode, port: int, private: Path) -> None:
    """Put a man in the middle before the service that has `port`; requests still reach the node."""
    number, service = next((position, service) for position, service in enumerate(node.spec.services) if port in service.ports)
    forged = {family: issue_impostor(chain[0]) for family, chain in node.presented[port].items()}
    tls = _server_context(node.spec, service, forged, private)
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
    spec: NodeSpec, service: ServiceSpec, identities: Mapping[KeyFamily, Identity], private: Path
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_3 if spec.tls13 else ssl.TLSVersion.TLSv1_2
    context.set_ciphers("HIGH:!aNULL:!PSK:@SECLEVEL=1")
    if not spec.own_order:
        # Python sets this by default; UC nodes follow the client's order (facts: cipher order decides).
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    for family, identity in identities.items():
        path = private / f"{spec.address}-{service.name}-{family}.pem"
        write_private(path, identity.pem_with_key)
        context.load_cert_chain(path)
    return context


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
    scripted_answers: Mapping[str, tuple[int, str]]

    def app(self) -> Starlette:
        routes = [
            Route(f"{_CERTMGR}/config/snapshot/server", self._snapshot),
            Route(f"{_CERTMGR}/config/identity/certificate", self._identity),
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

    async def _snapshot(self, request: Request) -> Response:
        if not self._has_platform_login(request):
            return PlainTextResponse("Unauthorized", 401, headers=_REFUSED)
        authorities = [
            self.pki.certificate(authority.id)
            for authority in self.scenario.authorities
            if authority.id in self._trusted_authorities()
        ]
        if self.scenario.nodes_trust_peers:
            authorities.append(peer_authority().certificate)
        services = self._own_certificates()
        stores = dict.fromkeys((*services, *STORES[self.spec.product]))
        return JSONResponse(certificate_snapshot(self.spec.address, services, stores, authorities))

    async def _identity(self, request: Request) -> Response:
        if not self._has_platform_login(request):
            return PlainTextResponse("Unauthorized", 401, headers=_REFUSED)
        name = request.query_params.get("service", "")
        for service, families in self._own_certificates().items():
            for family, certificate in families.items():
                if identity_name(service, family) == name:
                    return JSONResponse({"service": name, "certificates": [certificate.pem]})
        return JSONResponse({"message": f"No service {name}"}, 400)

    async def _echo(self, request: Request) -> Response:
        return PlainTextResponse(f"{self.spec.address} {request.url.path}\n")

    def _has_platform_login(self, request: Request) -> bool:
        return _login(request) == (self.accounts.platform_username, self.accounts.platform_password)

    def _own_certificates(self) -> dict[str, dict[KeyFamily, Certificate]]:
        return {
            service.name: {family: identity.certificate for family, identity in self.pki.of_service(self.spec, service).items()}
            for service in self.spec.services
        }

    def _trusted_authorities(self) -> set[str]:
        """Return the ids of the authorities that signed this node's certificates or are sent with them, which its services trust."""
        specs = [spec for service in self.spec.services for spec in service.certificates]
        return {name for spec in specs for name in (*spec.sends, *((spec.issuer,) if spec.issuer else ()))}


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
