"""Command shell of a simulated peer: takes a line, returns what the peer prints."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from remediate.lab.state import MAINTENANCE_LEAF, VERIFY_LEAF, SimulatedCluster, SimulatedPeer
from remediate.lab.status import print_status

_OK = "OK"
_SWITCHES = (VERIFY_LEAF, MAINTENANCE_LEAF)
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
class Command:
    """Parsed line.

    Attributes:
        method: ``get``, ``set``, ``status``, ``command``, ``help`` or ``unknown``.
        path: The object of the line, without the verb, spaces made single.
        value: The new value of a ``set``, quotes taken off.
    """

    method: str
    path: str = ""
    value: str = ""

    @property
    def write(self) -> bool:
        """Whether it would change something."""
        return self.method in ("set", "command")


def parse_line(line: str) -> Command:
    """Parse a line. Verbs and paths are case-insensitive, as on Expressway."""
    words = line.split()
    verb, argument = (words[0].casefold(), " ".join(words[1:])) if words else ("", "")
    if line.strip().endswith("?") and ":" not in line:
        return Command("help", f"{verb} {argument}".strip())
    if verb == "xstatus":
        return Command("status", argument)
    if verb == "xcommand":
        return Command("command", argument)
    if verb != "xconfiguration":
        return Command("unknown", line)
    path, colon, value = line.strip().split(None, 1)[1].partition(":") if argument else ("", "", "")
    path = " ".join(path.split())
    return Command("set", path, _unquote(value.strip())) if colon else Command("get", path)


def carry_out(
    typed: Command, cluster: SimulatedCluster, peer: SimulatedPeer, restart: Callable[[SimulatedPeer], None], now: datetime
) -> list[str]:
    """Carry a command out and return the lines that the peer prints, the last being ``OK`` or an error."""
    if typed.method == "help":
        return [*(_COMMANDS if typed.path.startswith("xcommand") else _HELP), _OK]
    if typed.method == "status":
        lines = print_status(typed.path, cluster, peer, now)
        return [*lines, "", _OK] if lines is not None else ["ERROR: Invalid path."]
    if typed.method == "get":
        return _get(typed.path, cluster, peer)
    if typed.method == "set":
        return _set(typed, cluster, peer)
    if typed.method == "command" and typed.path.casefold() in ("restart", "boot"):
        restart(peer)
        return [_OK]
    return ["ERROR: Command not recognized."]


def fake_success(typed: Command) -> list[str]:
    """Return what the peer prints for a write that it ignores."""
    return [_leaf(typed.path, typed.value), "", _OK] if typed.method == "set" else [_OK]


def _get(path: str, cluster: SimulatedCluster, peer: SimulatedPeer) -> list[str]:
    words = path.casefold().split()
    with cluster.lock:
        lines = [
            _leaf(name, value) for name, value in sorted(peer.leaves.items()) if name.casefold().split()[: len(words)] == words
        ]
    return [*lines, "", _OK] if lines else ["ERROR: Invalid path."]


def _set(typed: Command, cluster: SimulatedCluster, peer: SimulatedPeer) -> list[str]:
    name = next((leaf for leaf in peer.leaves if leaf.casefold() == typed.path.casefold()), None)
    if name is None:
        return ["ERROR: Invalid path."]
    value = typed.value.capitalize() if name in _SWITCHES else typed.value
    if name in _SWITCHES and value not in ("On", "Off"):
        return ["ERROR: Invalid value: must be On or Off."]
    if len(value) > _MAX_CIPHERS:
        return [f"ERROR: Invalid value: more than {_MAX_CIPHERS} characters."]
    cluster.set_leaf(peer, name, value)
    return [_leaf(name, value), "", _OK]


def _leaf(path: str, value: str) -> str:
    return f'*c xConfiguration {path}: "{value}"'


def _unquote(value: str) -> str:
    match = re.fullmatch(r'"(.*)"', value)
    return match[1] if match else value
