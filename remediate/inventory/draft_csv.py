"""CSV files that `remediate init --csv` takes: the nodes of one cluster, or many clusters. All mistakes are told at once.

Cells are separated by commas, semicolons (as spreadsheets in French and German write them) or tabs; a byte order mark, a first line
``sep=;``, quotation marks and empty rows are taken as spreadsheets write them.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from remediate.inventory.document import Mistake, combine_mistakes
from remediate.inventory.draft import SOURCES, DraftLogin, DraftPeer, parse_source
from remediate.model.errors import InventoryError
from remediate.model.identity import Product, host_within, is_host
from remediate.model.limits import Limits
from remediate.model.text import escape

CLUSTER = "cluster"
NODE_COLUMNS = ("address", "product", "connect_to", "ports")
CLUSTER_COLUMNS = (CLUSTER, "peer", "rest_port", "ssh_port", "username", "password", "node", "product", "connect_to", "ports")
_PRODUCTS = get_args(Product)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_NEXT_STEP = "Nothing was written. Correct the CSV file and run the command again."
_MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class ClusterRows:
    """What a file says of one cluster.

    Attributes:
        line: Where it stands first.
        login: The account of the peers; None where the file leaves it open.
        nodes: The entries under ``nodes``.
    """

    name: str
    line: int
    peers: tuple[DraftPeer, ...]
    login: DraftLogin | None
    nodes: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """One row: its cells by column, the empty ones left out."""

    line: int
    cells: Mapping[str, str]


@dataclass(slots=True)
class _Table:
    """The rows of a file, and what is wrong in it."""

    file: Path
    columns: tuple[str, ...]
    rows: list[_Row] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)

    def note(self, line: int, sentence: str) -> None:
        self.mistakes.append(Mistake(self.file, line, sentence))

    def refuse(self) -> None:
        """Raise InventoryError if there is a mistake."""
        if self.mistakes:
            raise combine_mistakes(self.mistakes, next_step=_NEXT_STEP)


def names_clusters(text: str) -> bool:
    """Return whether the first line of a file names the column `cluster`: it is then a list of clusters."""
    _, _, header = _split_header(text)
    return CLUSTER in header


def read_nodes(path: Path, text: str) -> tuple[dict[str, Any], ...]:
    """Return the nodes in a file with the columns `NODE_COLUMNS`; the last two may be missing. Raises InventoryError."""
    table = _read_table(path, text, NODE_COLUMNS, required=NODE_COLUMNS[:2])
    nodes = tuple(_read_node(table, row, "address") for row in table.rows)
    table.refuse()
    return nodes


def read_clusters(path: Path, text: str, rest_port: int, ssh_port: int) -> tuple[ClusterRows, ...]:
    """Return the clusters in a file with the columns `CLUSTER_COLUMNS`, in the order in which they stand first.

    Args:
        path: The file, for messages.
        text: What is in it.
        rest_port: The port of REST where a row has none.
        ssh_port: The port of SSH where a row has none.

    Raises:
        InventoryError: It has mistakes; each is a line of the message.
    """
    table = _read_table(path, text, CLUSTER_COLUMNS, required=(CLUSTER, "peer"))
    by_name: dict[str, list[_Row]] = {}
    for row in table.rows:
        name = row.cells.get(CLUSTER, "")
        if not name:
            table.note(row.line, "`cluster` is empty.")
        elif not _NAME.fullmatch(name):
            table.note(
                row.line,
                f"`cluster` is `{escape(name)}`, and may have letters, digits, dots, hyphens and underscores only: it also "
                "names files.",
            )
        by_name.setdefault(name, []).append(row)
    if not table.rows and not table.mistakes:
        table.note(1, "this file names no cluster.")
    _check_repeated_peers(table)
    clusters = tuple(_read_cluster(table, name, rows, (rest_port, ssh_port)) for name, rows in by_name.items())
    table.refuse()
    return clusters


def _read_cluster(table: _Table, name: str, rows: Sequence[_Row], ports: tuple[int, int]) -> ClusterRows:
    peers: list[DraftPeer] = []
    nodes: list[dict[str, Any]] = []
    lines: dict[str, int] = {}
    for row in rows:
        if "peer" in row.cells:
            _check_host(table, row, "peer")
            rest_port, ssh_port = _read_port(table, row, "rest_port", ports[0]), _read_port(table, row, "ssh_port", ports[1])
            peers.append(DraftPeer(row.cells["peer"], rest_port, ssh_port))
        if "node" in row.cells:
            node = _read_node(table, row, "node")
            if node["address"].casefold() in lines:
                table.note(row.line, f"the node {node['address']} stands at line {lines[node['address'].casefold()]} already.")
            lines.setdefault(node["address"].casefold(), row.line)
            nodes.append(node)
        elif row.cells.keys() & {"product", "connect_to", "ports"}:
            table.note(row.line, "`product`, `connect_to` and `ports` are of a node, and `node` is empty.")
        elif "peer" not in row.cells:
            table.note(row.line, "this row has neither a peer nor a node.")
    if name and not peers:
        table.note(rows[0].line, f"the cluster `{escape(name)}` has no peer. One is enough: it names the others.")
    if len(peers) > Limits().max_peers:
        table.note(rows[0].line, f"the cluster `{escape(name)}` has {len(peers)} peers, and {Limits().max_peers} are the most.")
    return ClusterRows(name, rows[0].line, tuple(peers), _read_login(table, rows), tuple(nodes))


def _read_login(table: _Table, rows: Sequence[_Row]) -> DraftLogin | None:
    """Return the account that the rows of a cluster name, which is one; None where they name none."""
    login: dict[str, _Row] = {}
    for row in rows:
        for key in ("username", "password"):
            if key in row.cells and key in login and row.cells[key] != login[key].cells[key]:
                # Not quoted: it may be a password.
                table.note(row.line, f"`{key}` is not that of line {login[key].line}, and a cluster has one account.")
            if key in row.cells:
                login.setdefault(key, row)
    if not login:
        return None
    username = login["username"].cells["username"] if "username" in login else "admin"
    try:
        source = parse_source(login["password"].cells["password"] if "password" in login else "prompt")
    except InventoryError:
        table.note(
            login["password"].line, f"`password` must say where the password comes from and never hold it: write {SOURCES}."
        )
        source = {}
    return DraftLogin(username, source)


def _check_repeated_peers(table: _Table) -> None:
    lines: dict[str, int] = {}
    for row in table.rows:
        peer = row.cells.get("peer", "")
        place = f"{peer.casefold()} {row.cells.get('rest_port', '')}"
        if peer and place in lines:
            table.note(row.line, f"the peer {escape(peer)} stands at line {lines[place]} already.")
        lines.setdefault(place, row.line)


def _read_node(table: _Table, row: _Row, key: str) -> dict[str, Any]:
    """Return the entry of an inventory for a node, whose address is in the column `key`."""
    cells = row.cells
    if key in cells:
        _check_host(table, row, key)
    else:
        table.note(row.line, f"`{key}` is empty.")
    if "connect_to" in cells:
        _check_host(table, row, "connect_to")
    product = cells.get("product", "").casefold()
    if product not in _PRODUCTS:
        table.note(row.line, f"`product` is `{escape(cells.get('product', ''))}`, and may be cucm, imp or unity.")
    ports = re.split(r"[\s,;]+", cells["ports"]) if "ports" in cells else []
    numbers = [_to_port(table, row, "ports", port) for port in ports if port]
    node = {"address": cells.get(key, ""), "product": product, "connect_to": cells.get("connect_to"), "ports": numbers}
    return {name: value for name, value in node.items() if value}


def _read_port(table: _Table, row: _Row, key: str, usual: int) -> int:
    return _to_port(table, row, key, row.cells[key]) if key in row.cells else usual


def _to_port(table: _Table, row: _Row, key: str, text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(_MAX_PORT)) else 0
    if not 0 < number <= _MAX_PORT:
        table.note(row.line, f"`{key}` is `{escape(text)}`, and a port is 1 to 65535.")
    return number


def _check_host(table: _Table, row: _Row, key: str) -> None:
    text = row.cells[key]
    if is_host(text):
        return
    host = host_within(text)
    if host:
        table.note(
            row.line, f"`{key}` must be one host name or IP address and nothing else: {escape(host)}. Ports have columns."
        )
    else:
        table.note(row.line, f"`{key}` must be one host name or IP address, not `{escape(text)}`.")


def _read_table(path: Path, text: str, columns: tuple[str, ...], required: Sequence[str]) -> _Table:
    """Read the rows of a file, and note what is wrong with its form."""
    table = _Table(path, columns)
    first, delimiter, header = _split_header(text)
    for number, name in enumerate(header):
        if name and name not in columns:
            nearest = difflib.get_close_matches(name, columns, n=1, cutoff=0.5)
            hint = f" Did you mean `{nearest[0]}`?" if nearest else ""
            table.note(first, f"there is no column `{escape(name)}`.{hint} Columns: {', '.join(columns)}.")
        elif name and name in header[:number]:
            table.note(first, f"the column `{name}` stands twice.")
    for name in required:
        if name not in header:
            table.note(first, f"the first line lacks the column `{name}`. Columns: {', '.join(columns)}.")
    table.rows += _read_rows(table, text, first, delimiter, header) if set(required) <= set(header) else []
    return table


def _split_header(text: str) -> tuple[int, str, list[str]]:
    """Return the line on which the columns are named, what separates them, and their names; where there is none, line 1."""
    for number, line in enumerate(io.StringIO(text.removeprefix("\ufeff")), 1):
        stripped = line.strip().casefold()
        if stripped.strip(",;\t") and not re.fullmatch(r'"?sep=."?', stripped):
            delimiter = max(",;\t", key=line.count)
            return number, delimiter, [name.strip().casefold() for name in next(csv.reader([line], delimiter=delimiter))]
    return 1, ",", []


def _read_rows(table: _Table, text: str, first: int, delimiter: str, header: Sequence[str]) -> Iterator[_Row]:
    lines = io.StringIO(text.removeprefix("\ufeff"), newline="")
    for _ in range(first):
        lines.readline()
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    line = first + 1
    try:
        for cells in reader:
            values = [cell.strip() for cell in cells]
            if len(values) > len(header) and any(values[len(header) :]):
                table.note(line, f"this row has {len(values)} cells, and the first line names {len(header)} columns.")
            if any(values):
                yield _Row(line, {name: value for name, value in zip(header, values, strict=False) if name and value})
            line = first + reader.line_num + 1
    except csv.Error:
        table.note(
            line, "this row cannot be read: a quotation mark is not closed, or stands inside a cell without being doubled."
        )
