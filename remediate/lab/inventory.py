"""Files that a user of the lab starts from: ``inventory.yml`` with pins and comments, the passwords, the PKI."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from remediate.lab.accounts import Accounts
from remediate.lab.edge import Edge
from remediate.lab.front import DOMAIN
from remediate.lab.nodes import SimulatedNode, write_private
from remediate.lab.pki import Pki, peer_authority
from remediate.lab.scenario import NodeSpec, Scenario
from remediate.lab.ssh_server import SSH_PORT
from remediate.lab.state import SimulatedPeer
from remediate.model.expressway import GUARDED_PORTS

CLUSTER = "edge-lab"

_PLATFORM = """      # The operating system account of the nodes. With it, certificates are also read over certificate management, from
      # nodes whose own channel can be verified; what is read there needs no approval.{hint}
      {comment}platform_credentials: {{username: {username}, password: {{file: secrets/platform}}}}
"""


def write_files(
    directory: Path,
    scenario: Scenario,
    pki: Pki,
    accounts: Accounts,
    peers: Iterable[SimulatedPeer],
    nodes: Iterable[SimulatedNode],
    edges: Iterable[Edge],
) -> Path:
    """Write passwords, certificates and the inventory into `directory`, and return the inventory's path."""
    secrets = directory / "secrets"
    secrets.mkdir(mode=0o700, exist_ok=True)
    write_private(secrets / "expressway", accounts.password + "\n")
    if accounts.rest_username:
        write_private(secrets / "rest", accounts.rest_password + "\n")
    write_private(secrets / "axl", accounts.axl_password + "\n")
    write_private(secrets / "platform", accounts.platform_password + "\n")
    write_private(secrets / "mra", accounts.mra_password + "\n")
    _write_pki(directory / "pki", scenario, pki)
    inventory = directory / "inventory.yml"
    inventory.write_text(_inventory(scenario, accounts, list(peers), list(nodes), list(edges)))
    return inventory


def self_signed_servers(scenario: Scenario, pki: Pki) -> dict[str, str]:
    """Return node and service by fingerprint, for each self-signed certificate, as on the nodes' consoles."""
    servers: dict[str, str] = {}
    for node in scenario.nodes:
        for service in node.services:
            for identity in pki.of_service(node, service).values():
                if identity.certificate.self_signed:
                    servers.setdefault(identity.certificate.fingerprint, f"{node.address} {service.name}")
    return servers


def _write_pki(folder: Path, scenario: Scenario, pki: Pki) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "expressway-ca.pem").write_text(peer_authority().certificate.pem)
    if scenario.operator_ca:
        (folder / "corporate.pem").write_text("".join(pki.certificate(authority).pem for authority in scenario.operator_ca))
    lines = [f"{fingerprint}  # {where}\n" for fingerprint, where in self_signed_servers(scenario, pki).items()]
    (folder / "seen-on-console.txt").write_text(
        "# SHA-256 of each self-signed server certificate, as `show cert own` prints it on the node's own console.\n"
        "# A person who compared them there may hand this file to --approve-file.\n" + "".join(lines)
    )


def _inventory(
    scenario: Scenario, accounts: Accounts, peers: list[SimulatedPeer], nodes: list[SimulatedNode], edges: list[Edge]
) -> str:
    ca = (
        "    # CA certificates that you, the operator, vouch for.\n    ca: [pki/corporate.pem]\n"
        if scenario.operator_ca
        else ""
    )
    return (
        f"# The lab's scenario {scenario.name!r}: {scenario.summary}\n"
        "# Made by the lab, and made anew each time it starts. Your own inventory looks just like this.\n"
        f"version: 1\nclusters:\n  - name: {CLUSTER}\n    expressway:\n      username: {accounts.username}\n"
        "      # Secrets never stand here: {file: PATH}, {env: NAME}, {command: [...]}, {keyring: SERVICE} or {prompt: true}.\n"
        f"      password: {{file: secrets/expressway}}\n{_format_rest_login(accounts)}"
        "      # Each peer is pinned, by the fingerprint of its web certificate and by its SSH host key.\n"
        "      # mra: where a client's request through this peer can be sent. With it, apply sees whether a new list is in effect.\n"
        f"      peers:\n{''.join(_peer(peer, _edge_of(peer, edges), accounts) for peer in peers)}"
        "    unified_communications:\n"
        "      # An application user with AXL rights: finds the nodes, and refreshes discovery.\n"
        f"      credentials: {{username: {accounts.axl_username}, password: {{file: secrets/axl}}}}\n"
        f"{_platform(scenario, accounts)}"
        "      # The address is what clients ask for; connect_to is where the node really is (the lab has no DNS).\n"
        f"      nodes:\n{''.join(_node(node) for node in nodes)}{ca}"
    )


def _format_rest_login(accounts: Accounts) -> str:
    if not accounts.rest_username:
        return ""
    return (
        "      # REST takes another account here; the shell takes only admin and root.\n"
        f"      rest: {{username: {accounts.rest_username}, password: {{file: secrets/rest}}}}\n"
    )


def _edge_of(peer: SimulatedPeer, edges: list[Edge]) -> Edge:
    return next(edge for edge in edges if peer in edge.front.peers)


def _peer(peer: SimulatedPeer, edge: Edge, accounts: Accounts) -> str:
    return (
        f"        - address: {peer.address}  # {peer.name}\n"
        f"          rest_port: {peer.rest_port}\n          ssh_port: {peer.ssh_port}\n"
        f'          tls: {{fingerprint: "{peer.fingerprint}"}}\n          ssh: {{host_key: "{peer.host_key}"}}\n'
        f'          mra: {{url: "{edge.url}", tls: {{fingerprint: "{edge.fingerprint}"}}, domain: {DOMAIN},\n'
        f"            credentials: {{username: {accounts.mra_username}, password: {{file: secrets/mra}}}}}}\n"
    )


def _platform(scenario: Scenario, accounts: Accounts) -> str:
    comment, hint = ("", "") if scenario.platform_credentials else ("# ", " Take the # away to try it:")
    return _PLATFORM.format(comment=comment, hint=hint, username=accounts.platform_username)


def _node(node: SimulatedNode) -> str:
    # A port that is listed here and refuses is unreachable; a default port that refuses would only be "not in use".
    return (
        f"        - {{address: {node.address}, product: {node.spec.product}, connect_to: {node.connect_to}, "
        f"ports: [{', '.join(map(str, _ports(node.spec)))}]{_platform_shell(node)}}}\n"
    )


def _platform_shell(node: SimulatedNode) -> str:
    shell = node.platform
    return f',\n           ssh_port: {SSH_PORT}, ssh: {{host_key: "{shell.host_key.fingerprint}"}}' if shell else ""


def _ports(spec: NodeSpec) -> list[int]:
    """Return the ports that clients use; those of other services are in no inventory."""
    guarded = GUARDED_PORTS[spec.product]
    return [port for service in spec.services for port in service.ports if port not in guarded]
