"""Inventory in YAML (docs/reference.md), read into ClusterAccess values."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import cast, get_args

from remediate.inventory.credentials import password_source
from remediate.inventory.document import Item, read_document
from remediate.inventory.mra import ReadLogin, mra_access
from remediate.inventory.pins import address, host_key_trust, tls_trust
from remediate.machine.files import list_files
from remediate.model.access import ClusterAccess, Discovery, HostKeyTrust, NodeAccess, PeerAccess, TlsTrust
from remediate.model.errors import InventoryError
from remediate.model.identity import Address, Product
from remediate.model.plan import CipherPolicy, Policy
from remediate.model.restart import Calls, Restart, RestartPolicy
from remediate.model.secret import Login

_ACCOUNTS = ("credentials", "platform_credentials")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_POLICY_KEYS = ("ciphers", "allow_removal", "trust_self_signed", "no_refresh", "restart", "calls")
_WHICH_FILE = "Give -i the path of an inventory, or of a folder of them."


def load(path: Path, *, allow_prompt: bool = True) -> tuple[ClusterAccess, ...]:
    """Return the clusters of an inventory file, or of every ``*.yml`` and ``*.yaml`` in a folder, in order.

    Args:
        path: The file or the folder.
        allow_prompt: Whether ``{prompt: true}`` may ask on the terminal.

    Raises:
        InventoryError: The inventory is wrong; the message names file, line and key, and the nearest known key.
    """
    clusters: dict[str, ClusterAccess] = {}
    places: dict[str, str] = {}
    for item in (item for file in _files(path) for item in _cluster_items(file)):
        cluster = _cluster(item, allow_prompt=allow_prompt)
        if cluster.name in clusters:
            raise item.error(f"the cluster `{cluster.name}` already stands at {places[cluster.name]}.")
        clusters[cluster.name], places[cluster.name] = cluster, item.place
    return tuple(clusters.values())


def _files(path: Path) -> tuple[Path, ...]:
    try:
        files = list_files(path, lambda file: file.suffix in {".yml", ".yaml"})
    except FileNotFoundError as error:
        raise InventoryError(f"{path}: no such inventory file or folder.", next_step=_WHICH_FILE) from error
    except OSError as error:
        raise InventoryError(f"{path}: cannot be looked at: {error.strerror}.", next_step=_WHICH_FILE) from error
    if not files:
        raise InventoryError(f"{path}: this folder has no .yml or .yaml file.", next_step=_WHICH_FILE)
    return files


def _cluster_items(file: Path) -> tuple[Item, ...]:
    keys = read_document(file).mapping(required=("version", "clusters"))
    version = keys["version"].integer()
    if version != 1:
        raise keys["version"].error(f"this remediate reads inventory version 1, not {version}.")
    return keys["clusters"].sequence()


def _cluster(item: Item, *, allow_prompt: bool) -> ClusterAccess:
    keys = item.mapping(required=("name", "expressway"), optional=("unified_communications", "policy", "ca", "notify"))
    name = _name(keys["name"])
    expressway = keys["expressway"].mapping(required=("username", "password", "peers"), optional=("rest",))
    uc = (
        keys["unified_communications"].mapping(optional=(*_ACCOUNTS, "discovery", "nodes"))
        if "unified_communications" in keys
        else {}
    )

    def login(of: Mapping[str, Item]) -> Login:
        username = of["username"].text()
        return Login(username, password_source(of["password"], username, cluster=name, allow_prompt=allow_prompt))

    accounts = {key: login(uc[key].mapping(required=("username", "password"))) for key in _ACCOUNTS if key in uc}
    return ClusterAccess(
        name=name,
        login=login(expressway),
        rest=login(expressway["rest"].mapping(required=("username", "password"))) if "rest" in expressway else None,
        peers=_peers(expressway["peers"], login),
        axl=accounts.get("credentials"),
        platform=accounts.get("platform_credentials"),
        nodes=_nodes(uc["nodes"]) if "nodes" in uc else (),
        discovery=_discovery(uc),
        policy=_policy(keys["policy"]) if "policy" in keys else Policy(),
        restarts=_restarts(keys["policy"]) if "policy" in keys else RestartPolicy(),
        ca=_authorities(keys["ca"]) if "ca" in keys else (),
        notify=_notify_command(keys["notify"]) if "notify" in keys else (),
        source=item.file,
    )


def _peers(item: Item, login: ReadLogin) -> tuple[PeerAccess, ...]:
    peers: dict[str, PeerAccess] = {}
    for entry in item.sequence():
        peer = _peer(entry, login)
        host = _normalise_host(peer.address)
        if host in peers:
            raise entry.error(f"the peer {peer.address} stands twice in `peers`.")
        peers[host] = peer
    return tuple(peers.values())


def _peer(item: Item, login: ReadLogin) -> PeerAccess:
    keys = item.mapping(required=("address",), optional=("rest_port", "ssh_port", "tls", "ssh", "mra"))
    return PeerAccess(
        address=address(keys["address"]),
        rest_port=keys["rest_port"].port() if "rest_port" in keys else 443,
        ssh_port=keys["ssh_port"].port() if "ssh_port" in keys else 22,
        tls=tls_trust(keys["tls"]) if "tls" in keys else TlsTrust(),
        ssh=host_key_trust(keys["ssh"]) if "ssh" in keys else HostKeyTrust(),
        mra=mra_access(keys["mra"], login) if "mra" in keys else None,
    )


def _nodes(item: Item) -> tuple[NodeAccess, ...]:
    nodes: dict[tuple[Address, Product], NodeAccess] = {}
    for entry in item.sequence():
        node = _node(entry)
        if (node.address, node.product) in nodes:
            raise entry.error(f"the {node.product} node {node.address} stands twice in `nodes`.")
        nodes[node.address, node.product] = node
    return tuple(nodes.values())


def _discovery(uc: Mapping[str, Item]) -> Discovery:
    if "discovery" not in uc:
        return "auto"
    discovery = cast("Discovery", uc["discovery"].choice(get_args(Discovery)))
    if discovery == "inventory" and "nodes" not in uc:
        raise uc["discovery"].error("`discovery: inventory` needs `nodes` beside it: they are then all that is looked at.")
    return discovery


def _node(item: Item) -> NodeAccess:
    keys = item.mapping(required=("address", "product"), optional=("connect_to", "ports", "ssh_port", "ssh"))
    return NodeAccess(
        address=address(keys["address"]),
        product=cast("Product", keys["product"].choice(get_args(Product))),
        connect_to=address(keys["connect_to"]) if "connect_to" in keys else None,
        ports=tuple(dict.fromkeys(entry.port() for entry in keys["ports"].sequence())) if "ports" in keys else None,
        ssh_port=keys["ssh_port"].port() if "ssh_port" in keys else 22,
        ssh=host_key_trust(keys["ssh"]) if "ssh" in keys else HostKeyTrust(),
    )


def _policy(item: Item) -> Policy:
    keys = item.mapping(optional=_POLICY_KEYS)
    usual = Policy()
    return Policy(
        ciphers=cast("CipherPolicy", keys["ciphers"].choice(get_args(CipherPolicy))) if "ciphers" in keys else usual.ciphers,
        allow_removal=keys["allow_removal"].boolean() if "allow_removal" in keys else usual.allow_removal,
        trust_self_signed=keys["trust_self_signed"].boolean() if "trust_self_signed" in keys else usual.trust_self_signed,
        refresh=not keys["no_refresh"].boolean() if "no_refresh" in keys else usual.refresh,
    )


def _restarts(item: Item) -> RestartPolicy:
    keys = item.mapping(optional=_POLICY_KEYS)
    return RestartPolicy(
        restart=cast("Restart", keys["restart"].choice(get_args(Restart))) if "restart" in keys else None,
        calls=cast("Calls", keys["calls"].choice(get_args(Calls))) if "calls" in keys else None,
    )


def _authorities(item: Item) -> tuple[Path, ...]:
    return tuple(entry.existing_path() for entry in item.sequence())


def _notify_command(item: Item) -> tuple[str, ...]:
    keys = item.mapping(required=("command",))
    return tuple(part.text() for part in keys["command"].sequence())


def _name(item: Item) -> str:
    name = item.text()
    if not _NAME.fullmatch(name):
        raise item.error(f"`{item.name}` may have letters, digits, dots, hyphens and underscores only: it also names files.")
    return name


def _normalise_host(address: Address) -> str:
    """Return one spelling for one host: names without case, and IPv4 also for an IPv4-mapped IPv6 address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address.casefold().rstrip(".")
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return str(mapped or ip)
