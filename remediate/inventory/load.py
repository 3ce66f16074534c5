"""Inventory in YAML (docs/reference.md), read into ClusterAccess values."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationError

from remediate.inventory.credentials import password_source
from remediate.inventory.document import Document, Location, Mistake, combine_mistakes, read_document
from remediate.inventory.mistakes import list_mistakes
from remediate.inventory.shape import (
    AccountShape,
    ClusterShape,
    ExpresswayShape,
    InventoryShape,
    MraShape,
    NodeShape,
    PeerShape,
    PolicyShape,
    SshShape,
    TlsShape,
    UnifiedCommunicationsShape,
)
from remediate.machine.files import list_files
from remediate.model.access import ClusterAccess, HostKeyTrust, MraAccess, NodeAccess, PeerAccess, TlsTrust
from remediate.model.errors import InventoryError
from remediate.model.identity import Address
from remediate.model.plan import Policy
from remediate.model.restart import RestartPolicy
from remediate.model.secret import Login

_WHICH_FILE = "Give -i the path of an inventory, or of a folder of them."


def load(path: Path, *, allow_prompt: bool = True) -> tuple[ClusterAccess, ...]:
    """Return the clusters of an inventory file, or of every ``*.yml`` and ``*.yaml`` in a folder, in order.

    `allow_prompt`: whether ``{prompt: true}`` may ask on the terminal.

    Raises:
        InventoryError: The inventory is wrong. Each mistake is a line of the message: file, line, key, and the nearest known key.
    """
    entries = [entry for file in _files(path) for entry in _read_entries(file)]
    mistakes = [mistake for entry in entries for mistake in _repeated_hosts(entry)] + list(_repeated_names(entries))
    if mistakes:
        raise combine_mistakes(mistakes)
    return tuple(_ClusterReader(entry.shape, allow_prompt=allow_prompt).read(entry.document.file) for entry in entries)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One cluster of a document, and its number there."""

    document: Document
    number: int
    shape: ClusterShape

    def mistake(self, *location: str | int, sentence: str) -> Mistake:
        place: Location = ("clusters", self.number, *location)
        return Mistake(self.document.file, self.document.line_of(place), sentence)


def _files(path: Path) -> tuple[Path, ...]:
    try:
        files = list_files(path, lambda file: file.suffix in {".yml", ".yaml"})
    except FileNotFoundError as error:
        raise InventoryError(f"{path}: no such inventory file or folder.", next_step=_WHICH_FILE) from error
    except OSError as error:
        raise InventoryError(f"{path}: cannot be read: {error.strerror}.", next_step=_WHICH_FILE) from error
    if not files:
        raise InventoryError(f"{path}: this folder has no .yml or .yaml file.", next_step=_WHICH_FILE)
    return files


def _read_entries(file: Path) -> list[_Entry]:
    document = read_document(file)
    try:
        value = document.value()
        shape = InventoryShape.model_validate(value, context={"folder": file.parent})
    except RecursionError:
        raise InventoryError(f"{file}: is nested too deeply to be an inventory.") from None
    except ValidationError as error:
        # `from None`: the exception carries what was read.
        raise combine_mistakes([*document.mistakes, *list_mistakes(document, error)]) from None
    if document.mistakes:
        raise combine_mistakes(document.mistakes)
    return [_Entry(document, number, cluster) for number, cluster in enumerate(shape.clusters)]


def _repeated_names(entries: list[_Entry]) -> Iterator[Mistake]:
    places: dict[str, Mistake] = {}
    for entry in entries:
        place = entry.mistake(sentence="")
        if entry.shape.name in places:
            first = places[entry.shape.name]
            sentence = f"the cluster `{entry.shape.name}` is already defined at {first.file}:{first.line}."
            yield Mistake(place.file, place.line, sentence)
        places.setdefault(entry.shape.name, place)


def _repeated_hosts(entry: _Entry) -> Iterator[Mistake]:
    hosts: set[str] = set()
    for number, peer in enumerate(entry.shape.expressway.peers):
        host = _normalise_host(peer.address)
        if host in hosts:
            yield entry.mistake("expressway", "peers", number, sentence=f"the peer {peer.address} is listed twice in `peers`.")
        hosts.add(host)
    nodes: set[tuple[str, str]] = set()
    shape = entry.shape.unified_communications
    for number, node in enumerate(shape.nodes or () if shape else ()):
        if (node.address, node.product) in nodes:
            sentence = f"the {node.product} node {node.address} is listed twice in `nodes`."
            yield entry.mistake("unified_communications", "nodes", number, sentence=sentence)
        nodes.add((node.address, node.product))


class _ClusterReader:
    """Makes the value of one cluster of its shape."""

    def __init__(self, shape: ClusterShape, *, allow_prompt: bool) -> None:
        self._shape = shape
        self._allow_prompt = allow_prompt

    def read(self, source: Path) -> ClusterAccess:
        """Return the cluster that stands in the file `source`."""
        shape = self._shape
        uc = shape.unified_communications or UnifiedCommunicationsShape()
        return ClusterAccess(
            name=shape.name,
            login=self._login(shape.expressway),
            rest=self._optional_login(shape.expressway.rest),
            peers=tuple(map(self._peer, shape.expressway.peers)),
            axl=self._optional_login(uc.credentials),
            platform=self._optional_login(uc.platform_credentials),
            nodes=tuple(map(_node, uc.nodes or ())),
            discovery=uc.discovery,
            policy=_policy(shape.policy or PolicyShape()),
            restarts=RestartPolicy(shape.policy.restart, shape.policy.calls) if shape.policy else RestartPolicy(),
            ca=tuple(shape.ca or ()),
            notify=tuple(shape.notify.command) if shape.notify else (),
            source=source,
        )

    def _login(self, account: AccountShape | ExpresswayShape) -> Login:
        source = password_source(account.password, account.username, cluster=self._shape.name, allow_prompt=self._allow_prompt)
        return Login(account.username, source)

    def _optional_login(self, account: AccountShape | None) -> Login | None:
        return self._login(account) if account else None

    def _peer(self, shape: PeerShape) -> PeerAccess:
        return PeerAccess(
            address=shape.address,
            rest_port=shape.rest_port,
            ssh_port=shape.ssh_port,
            tls=_tls_trust(shape.tls),
            ssh=_host_key_trust(shape.ssh),
            mra=self._mra(shape.mra) if shape.mra else None,
        )

    def _mra(self, shape: MraShape) -> MraAccess:
        parts = urlsplit(shape.url)
        return MraAccess(
            parts.hostname or "", parts.port or 0, _tls_trust(shape.tls), shape.domain, self._optional_login(shape.credentials)
        )


def _node(shape: NodeShape) -> NodeAccess:
    return NodeAccess(
        address=shape.address,
        product=shape.product,
        connect_to=shape.connect_to,
        ports=tuple(dict.fromkeys(shape.ports)) if shape.ports else None,
        ssh_port=shape.ssh_port,
        ssh=_host_key_trust(shape.ssh),
    )


def _tls_trust(shape: TlsShape | None) -> TlsTrust:
    return TlsTrust(fingerprint=shape.fingerprint, ca=shape.ca) if shape else TlsTrust()


def _host_key_trust(shape: SshShape | None) -> HostKeyTrust:
    return HostKeyTrust(host_key=shape.host_key, known_hosts=shape.known_hosts) if shape else HostKeyTrust()


def _policy(shape: PolicyShape) -> Policy:
    usual = Policy()
    return Policy(
        ciphers=usual.ciphers if shape.ciphers is None else shape.ciphers,
        allow_removal=usual.allow_removal if shape.allow_removal is None else shape.allow_removal,
        trust_self_signed=usual.trust_self_signed if shape.trust_self_signed is None else shape.trust_self_signed,
        refresh=usual.refresh if shape.no_refresh is None else not shape.no_refresh,
    )


def _normalise_host(address: Address) -> str:
    """Return one spelling for one host: names without case, and IPv4 also for an IPv4-mapped IPv6 address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address.casefold().rstrip(".")
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return str(mapped or ip)
