"""The files of a diagnostic archive that describe its peer: lists, certificates, configuration and status.

Their names are those of the Administrator Guide (X14.0 to X15.5): ``ca_<host>_<time>.pem``, ``server_….pem``, ``client_….pem``
(X15.5), ``xconf_dump_….txt`` and ``….xml``, ``xstat_dump_….txt`` and ``….xml``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final
from xml.etree import ElementTree as ET

from remediate.connectors.evidence.archives import Leaf
from remediate.connectors.evidence.budget import CannotRead
from remediate.connectors.expressway.records import parse_system_name
from remediate.connectors.expressway.shell_text import parse_leaves, parse_status
from remediate.connectors.expressway.trusted_list import parse_certificate_list
from remediate.model.archived_peer import ADDRESS_PATHS, ArchivedPeer
from remediate.model.errors import ObservationError
from remediate.model.text import mask_and_escape

_NAME: Final = re.compile(
    r"(?P<role>ca|server|client|xconf_dump|xstat_dump)_(?P<host>[A-Za-z0-9._-]{1,255}?)"
    r"_(?P<stamp>\d{4}-\d\d-\d\d\D?\d\d?\D\d\d\D\d\d)[^/>]{0,40}\.(?P<kind>pem|txt|xml)"
)
_KEPT: Final = re.compile(
    r"Ciphers \w+ Value|EdgeConfigServer VerifyOriginServer|Alternates .{1,60}|SystemUnit (?:Name|Maintenance Mode)"
    r"|IP DNS (?:Hostname|Domain Name)",
    re.IGNORECASE,
)
_VERSION: Final = re.compile(r"[A-Za-z0-9._-]{1,40}")
_MAX_XML_DEPTH: Final = 40


@dataclass(frozen=True, slots=True)
class PeerFileName:
    """The content and the peer of a file, as its name gives them."""

    role: str
    kind: str
    host: str
    stamp: str


def parse_name(leaf: str) -> PeerFileName | None:
    """Return the kind of file that the last part of a leaf's name gives; None for other files."""
    match = _NAME.fullmatch(re.split(r" > |[/\\]", leaf)[-1])
    return PeerFileName(match["role"], match["kind"], match["host"], match["stamp"]) if match else None


@dataclass(slots=True)
class PeerFileReader:
    """Reads such files, one after the other, and puts those of one archive together."""

    max_bytes: int
    _peers: dict[tuple[str, str, str], ArchivedPeer] = field(default_factory=dict)

    def read(self, leaf: Leaf, name: PeerFileName) -> None:
        """Read one file. Raises CannotRead."""
        content = leaf.stream.read(self.max_bytes + 1)
        if len(content) > self.max_bytes:
            raise CannotRead(f"it is larger than {self.max_bytes} bytes")
        text = content.decode("utf-8", errors="replace")
        source = leaf.name.rpartition(" > ")[0] or leaf.name
        key = (source.rpartition("/")[0] if source == leaf.name else source, name.host, name.stamp)
        peer = self._peers.get(key) or ArchivedPeer(name.host, source, _parse_stamp(name.stamp))
        self._peers[key] = _add_file(peer, name, text)

    def finish(self) -> tuple[ArchivedPeer, ...]:
        """Return the peers, in the order of their first files."""
        return tuple(self._peers.values())


def _add_file(peer: ArchivedPeer, name: PeerFileName, text: str) -> ArchivedPeer:
    if name.kind == "pem":
        return _add_certificates(peer, name.role, text)
    if name.kind == "xml":
        root = _parse_xml(text)
        version = _read_version(root.get("version")) or peer.version
        leaves = dict(_iterate_leaves(root, (), 0))
        # Of both forms, the XML is the more complete one.
        settings = {**(peer.settings or {}), **_keep(leaves)} if name.role == "xconf_dump" else None
        system_name = parse_system_name(leaves.get("SystemUnit Name")) or peer.system_name
        return replace(peer, version=version, settings=settings or peer.settings, system_name=system_name)
    if name.role == "xconf_dump":
        return replace(peer, settings={**_keep(parse_leaves(text.splitlines())), **(peer.settings or {})})
    status = parse_status(text.splitlines())
    version = _read_version(status.get("SystemUnit/Software/Version")) or peer.version
    return replace(peer, version=version, system_name=parse_system_name(status.get("SystemUnit/Name")) or peer.system_name)


def _add_certificates(peer: ArchivedPeer, role: str, text: str) -> ArchivedPeer:
    try:
        listed = parse_certificate_list(text, "The file")
    except ObservationError as error:
        raise CannotRead(str(error).removeprefix("The file cannot be read: ").rstrip(".")) from error
    if role == "ca":
        return replace(peer, trusted=listed.certificates, revocation_lists=listed.revocation_lists)
    if role == "server":
        return replace(peer, server_chain=listed.certificates)
    return replace(peer, client_chain=listed.certificates)


def _parse_xml(text: str) -> ET.Element:
    upper = text.upper()
    if "<!DOCTYPE" in upper or "<!ENTITY" in upper:
        raise CannotRead("it is XML with a document type, which is not read")
    try:
        return ET.fromstring(text)  # noqa: S314  size and depth are limited, document types are refused
    except (ET.ParseError, ValueError, LookupError, RecursionError) as error:
        raise CannotRead("its XML is truncated or malformed") from error


def _iterate_leaves(element: ET.Element, path: tuple[str, ...], depth: int) -> Iterator[tuple[str, str]]:
    """Yield the path of each leaf as ``xConfiguration`` has it, and its value.

    Every element has a number there; the path has it where siblings of that name differ by it, as ``Peer 2`` does.
    """
    tags = [_local(child) for child in element]
    for child, tag in zip(element, tags, strict=True):
        item = child.get("item", "")
        is_numbered = item.isdecimal() and (tags.count(tag) > 1 or tag in {"Peer", "Ethernet"})
        below = (*path, tag, item) if is_numbered else (*path, tag)
        if len(child) and depth < _MAX_XML_DEPTH:
            yield from _iterate_leaves(child, below, depth + 1)
        elif not len(child):
            yield " ".join(below), (child.text or "").strip()


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _keep(settings: dict[str, str]) -> dict[str, str]:
    return {path: value for path, value in settings.items() if path in ADDRESS_PATHS or _KEPT.fullmatch(path)}


def _read_version(text: str | None) -> str | None:
    return mask_and_escape(text, 40) if text and _VERSION.fullmatch(text) else None


def _parse_stamp(stamp: str) -> datetime | None:
    try:
        return datetime.strptime(" ".join(re.findall(r"\d+", stamp)), "%Y %m %d %H %M %S").replace(tzinfo=UTC)
    except ValueError:
        return None
