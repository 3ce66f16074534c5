"""Dumps of a peer's configuration and status, as its diagnostic archive has them: as the shell prints them, and as XML.

The XML nests the words of a path, and numbers items by an attribute, as ``/getxml`` does (seen in public fixtures of the status).
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from remediate.lab.status import print_status
from remediate.lab.status_xml import NAMESPACE, format_status

if TYPE_CHECKING:
    from datetime import datetime

    from remediate.lab.state import SimulatedCluster, SimulatedPeer

_ELEMENTS = ("SystemUnit", "Alarm", "Alternates", "Calls", "Registrations", "Tunnels", "Zones")


def configuration_text(peer: SimulatedPeer) -> str:
    """Return ``xconf_dump_….txt``."""
    return "".join(f'*c xConfiguration {path}: "{value}"\n' for path, value in sorted(peer.leaves.items()))


def configuration_xml(peer: SimulatedPeer, version: str, words: str = "") -> str:
    """Return ``xconf_dump_….xml``, or what ``/getxml?location=/Configuration/…`` gives of the paths that begin with these words."""
    root = ET.Element("Configuration", {"xmlns": NAMESPACE, "product": "TANDBERG VCS", "version": version})
    for path, value in sorted(peer.leaves.items()):
        if not f"{path} ".startswith(f"{words} ".lstrip()):
            continue
        element, names = root, path.split()
        for word, following in zip(names, [*names[1:], ""], strict=True):
            if not word.isdecimal():
                element = _child(element, word, following if following.isdecimal() else "1")
        element.text = value
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def status_text(cluster: SimulatedCluster, peer: SimulatedPeer, now: datetime) -> str:
    """Return ``xstat_dump_….txt``."""
    blocks = [print_status(element, cluster, peer, now) or [] for element in _ELEMENTS]
    return "".join(f"{line}\n" for block in blocks for line in (*block, ""))


def status_xml(cluster: SimulatedCluster, peer: SimulatedPeer, now: datetime, element: str = "") -> str:
    """Return ``xstat_dump_….xml``, or what ``/getxml?location=/Status/…`` gives of one element."""
    elements = (element,) if element else _ELEMENTS
    return format_status(cluster.scenario.version, [print_status(name, cluster, peer, now) or [] for name in elements])


def _child(parent: ET.Element, tag: str, item: str) -> ET.Element:
    """Return the child with this tag and number, which is made when it is first asked for."""
    child = next((child for child in parent if child.tag == tag and child.get("item") == item), None)
    return ET.SubElement(parent, tag, {"item": item}) if child is None else child
