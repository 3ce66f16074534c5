"""Documents that a UC node returns: UDS, AXL and certificate management, as in Cisco's developer documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape

from remediate.lab.scenario import NodeSpec
from remediate.model.certificate import Certificate
from remediate.model.identity import KeyFamily

VERSION = "14.0.1"
_ROLES = {"cucm": "CUCM Voice/Video", "imp": "CUCM IM and Presence"}


def uds_servers(host: str, nodes: Iterable[NodeSpec]) -> str:
    """Return ``/cucm-uds/servers``: the Unified CM nodes by name; no login needed."""
    servers = "".join(f"<server>{escape(node.address)}</server>" for node in nodes if node.product == "cucm")
    return f'{_XML}<servers uri="https://{host}:8443/cucm-uds/servers" version="{VERSION}">{servers}</servers>'


def uds_version(host: str) -> str:
    """Return ``/cucm-uds/version``; no login needed."""
    return (
        f'{_XML}<versionInformation uri="https://{host}:8443/cucm-uds/version" version="{VERSION}">'
        f"<version>{VERSION}</version><capabilities><usersResourceAuthEnabled>false</usersResourceAuthEnabled>"
        "</capabilities></versionInformation>"
    )


def process_nodes(nodes: Iterable[NodeSpec]) -> str:
    """Return the answer to AXL ``listProcessNode``: System > Server, and the entry for the whole enterprise."""
    rows = [_process_node("EnterpriseWideData", "", "Subscriber", "")]
    rows += [
        _process_node(node.address, node.product, node.role.capitalize(), _ROLES[node.product])
        for node in nodes
        if node.product in _ROLES
    ]
    body = f'<ns:listProcessNodeResponse xmlns:ns="http://www.cisco.com/AXL/API/14.0"><return>{"".join(rows)}</return></ns:listProcessNodeResponse>'
    return _envelope(body)


def soap_fault(text: str) -> str:
    """Return a SOAP fault with this text."""
    return _envelope(
        f"<soapenv:Fault><faultcode>soapenv:Client</faultcode><faultstring>{escape(text)}</faultstring></soapenv:Fault>"
    )


def certificate_snapshot(
    server: str,
    services: Mapping[str, Mapping[KeyFamily, Certificate]],
    stores: Mapping[str, Iterable[Certificate]],
) -> dict[str, object]:
    """Return ``/config/snapshot/server``: own certificates by service, and what the stores hold."""
    return {
        "server": server,
        "identities": [
            {"service": identity_name(service, family), "certificate": certificate.pem, "csr": ""}
            for service, families in services.items()
            for family, certificate in families.items()
        ],
        "trusts": [
            {
                "service": service,
                "certificate_data": [
                    {"filename": f"{trusted.common_name}.pem", "certificate": trusted.pem} for trusted in certificates
                ],
            }
            for service, certificates in stores.items()
        ],
    }


def identity_name(service: str, family: KeyFamily) -> str:
    """Return the name of a service's certificate: ``tomcat`` or ``tomcat-ECDSA``."""
    return service if family == "rsa" else f"{service}-ECDSA"


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def _envelope(body: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
        f"<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    )


def _process_node(name: str, description: str, usage: str, role: str) -> str:
    return (
        f"<processNode><name>{escape(name)}</name><description>{escape(description)}</description>"
        f"<nodeUsage>{usage}</nodeUsage><processNodeRole>{role}</processNodeRole></processNode>"
    )
