"""Draft of a first inventory: the text that `remediate init` writes. Every value is JSON, which YAML reads as it is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remediate.model.errors import InventoryError
from remediate.model.text import escape

SOURCES = "env NAME, file PATH, command PROGRAM ARGUMENT…, keyring SERVICE, or prompt"
SCHEMA_NAME = "inventory-1.json"


@dataclass(frozen=True, slots=True)
class DraftLogin:
    """An account, and where its password comes from."""

    username: str
    source: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DraftPeer:
    """One peer and its pins; None: it could not be reached."""

    address: str
    rest_port: int
    ssh_port: int
    fingerprint: str | None = None
    host_key: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A first inventory of one cluster.

    Attributes:
        nodes: The entries under ``nodes``.
        discovered: What discovery finds, for comments.
    """

    name: str
    login: DraftLogin
    peers: tuple[DraftPeer, ...]
    axl: DraftLogin | None = None
    nodes: tuple[Mapping[str, Any], ...] = ()
    discovered: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the YAML document with this cluster alone."""
        return format_inventory((self,))

    def list_lines(self) -> Iterator[str]:
        """Yield the lines of this cluster's entry."""
        yield from (f"  - name: {_value(self.name)}", "    expressway:")
        yield from _login_lines(self.login, "      ")
        yield "      peers:"
        for peer in self.peers:
            yield from _peer_lines(peer)
        if self.axl or self.nodes:
            yield "    unified_communications:"
        if self.axl:
            yield "      credentials:"
            yield from _login_lines(self.axl, "        ")
        if self.nodes:
            yield "      nodes:"
            yield from (f"        - {_value(dict(node))}" for node in self.nodes)
        if self.discovered:
            # At the level of the cluster's keys: without a key of its own, `unified_communications` would be no mapping.
            yield "    # Discovery finds these by itself:"
            yield from (f"    #   {escape(node)}" for node in self.discovered)


def format_inventory(drafts: Iterable[Draft]) -> str:
    """Return the YAML document with these clusters."""
    head = (f"# yaml-language-server: $schema={find_schema().as_uri()}", "version: 1", "clusters:")
    return "\n".join((*head, *(line for draft in drafts for line in draft.list_lines()), ""))


def find_schema() -> Path:
    """Return the JSON Schema of an inventory: in the package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    shipped = package / "schema" / SCHEMA_NAME
    return shipped if shipped.exists() else package.parent / "docs" / "schema" / SCHEMA_NAME


def parse_source(answer: str) -> dict[str, Any]:
    """Return the source of a password as the inventory has it, from ``env NAME`` and the like; paths become absolute.

    Raises:
        InventoryError: It is none of the sources.
    """
    match answer.split():
        case ["prompt"]:
            return {"prompt": True}
        case ["env" | "keyring" as kind, name]:
            return {kind: name}
        case ["file", _, *_]:
            return {"file": str(Path(answer.split(maxsplit=1)[1]).expanduser().absolute())}
        case ["command", *words] if words:
            return {"command": words}
    raise InventoryError(
        "That is not a password source.", next_step=f"Nothing was written. Answer with {SOURCES}; never with the password."
    )


def _login_lines(login: DraftLogin, indent: str) -> Sequence[str]:
    return (f"{indent}username: {_value(login.username)}", f"{indent}password: {_value(dict(login.source))}")


def _peer_lines(peer: DraftPeer) -> Iterator[str]:
    yield f"        - address: {_value(peer.address)}"
    yield f"          rest_port: {peer.rest_port}"
    yield f"          ssh_port: {peer.ssh_port}"
    if peer.fingerprint is None or peer.host_key is None:
        yield "          # It could not be reached: add its pins with `remediate doctor --pins`."
        return
    yield f"          tls: {_value({'fingerprint': peer.fingerprint})}"
    yield f"          ssh: {_value({'host_key': peer.host_key})}"


def _value(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
