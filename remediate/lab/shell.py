"""The command shell of a simulated peer: a typed line in, what the box prints out."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from remediate.lab.state import VERIFY_LEAF, SimulatedCluster, SimulatedPeer

_OK = "OK"
_MAX_CIPHERS = 2048
_HELP = (
    "User Commands:",
    "  xCommand",
    "  xConfiguration",
    "  xStatus",
    "- ? - Displays this list of commands",
    "- xCommand ? - Lists the commands",
    "- xConfiguration ? - Lists the configuration",
)
_COMMANDS = ("- xCommand Boot", "- xCommand Restart")


@dataclass(frozen=True, slots=True)
class Typed:
    """A line, understood.

    Attributes:
        method: ``get``, ``set``, ``status``, ``command``, ``help`` or ``unknown``.
        path: what it is about, without the verb, spaces made single.
        value: the new value of a ``set``, quotes taken off.
    """

    method: str
    path: str = ""
    value: str = ""

    @property
    def write(self) -> bool:
        """It would change something."""
        return self.method in ("set", "command")


def understand(line: str) -> Typed:
    """Return what a line asks for. Verbs and paths are case-insensitive, as on the box."""
    words = line.split()
    verb, rest = (words[0].casefold(), " ".join(words[1:])) if words else ("", "")
    if line.strip().endswith("?") and ":" not in line:
        return Typed("help", f"{verb} {rest}".strip())
    if verb == "xstatus":
        return Typed("status", rest)
    if verb == "xcommand":
        return Typed("command", rest)
    if verb != "xconfiguration":
        return Typed("unknown", line)
    path, colon, value = line.strip().split(None, 1)[1].partition(":") if rest else ("", "", "")
    path = " ".join(path.split())
    return Typed("set", path, _unquoted(value.strip())) if colon else Typed("get", path)


def carry_out(
    typed: Typed, cluster: SimulatedCluster, peer: SimulatedPeer, restart: Callable[[SimulatedPeer], None]
) -> list[str]:
    """Do what was asked and return the lines that the box prints, the last being ``OK`` or an error."""
    if typed.method == "help":
        return [*(_COMMANDS if typed.path.startswith("xcommand") else _HELP), _OK]
    if typed.method == "status":
        return _status(typed.path, cluster, peer)
    if typed.method == "get":
        return _get(typed.path, cluster, peer)
    if typed.method == "set":
        return _set(typed, cluster, peer)
    if typed.method == "command" and typed.path.casefold() in ("restart", "boot"):
        restart(peer)
        return [_OK]
    return ["ERROR: Command not recognized."]


def pretended(typed: Typed) -> list[str]:
    """Return what the box prints for a write that it ignores."""
    return [_leaf(typed.path, typed.value), "", _OK] if typed.method == "set" else [_OK]


def _status(path: str, cluster: SimulatedCluster, peer: SimulatedPeer) -> list[str]:
    if path.casefold() != "systemunit":
        return ["ERROR: Invalid path."]
    return [
        "*s SystemUnit: /",
        '  Product: "TANDBERG VCS"',
        '  Uptime: "86400"',
        f'  Name: "{peer.name}"',
        "  Software: /",
        f'    Version: "{cluster.scenario.version}"',
        '    Name: "s42700"',
        "  Hardware: /",
        '    SerialNumber: "00000000"',
        "*s/end",
        "",
        _OK,
    ]


def _get(path: str, cluster: SimulatedCluster, peer: SimulatedPeer) -> list[str]:
    wanted = path.casefold().split()
    with cluster.lock:
        found = [
            _leaf(name, value)
            for name, value in sorted(peer.leaves.items())
            if name.casefold().split()[: len(wanted)] == wanted
        ]
    return [*found, "", _OK] if found else ["ERROR: Invalid path."]


def _set(typed: Typed, cluster: SimulatedCluster, peer: SimulatedPeer) -> list[str]:
    name = next((leaf for leaf in peer.leaves if leaf.casefold() == typed.path.casefold()), None)
    if name is None:
        return ["ERROR: Invalid path."]
    value = typed.value.capitalize() if name == VERIFY_LEAF else typed.value
    if name == VERIFY_LEAF and value not in ("On", "Off"):
        return ["ERROR: Invalid value: must be On or Off."]
    if len(value) > _MAX_CIPHERS:
        return [f"ERROR: Invalid value: more than {_MAX_CIPHERS} characters."]
    cluster.set_leaf(peer, name, value)
    return [_leaf(name, value), "", _OK]


def _leaf(path: str, value: str) -> str:
    return f'*c xConfiguration {path}: "{value}"'


def _unquoted(value: str) -> str:
    match = re.fullmatch(r'"(.*)"', value)
    return match[1] if match else value
