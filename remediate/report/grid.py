"""The grid of endpoints and peers as text: right at any width, and one row a line in a pipe.

No address, cause or port is ever split. On a screen, endpoints of one service that are alike share a row; in a pipe each has its own,
with its whole name, so that `grep` finds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from remediate.language.messages import mark_words, translate
from remediate.model.identity import Address, EndpointId, Product, is_ip
from remediate.model.text import escape
from remediate.report.lines import align_columns, print_indented
from remediate.report.names import UNNAMED, ShortNames, describe_heads, name_peers, service_of, service_rank, shorten
from remediate.report.view import REFUSED, UNSEEN

BLOCKS_BELOW = 80
"""On a narrower screen, a row is a block of lines."""
_INDENT = 2
_GAP = 1
_MIN_NAMES = 18
_MAX_LEGEND = 2000


@dataclass(frozen=True, slots=True)
class GridRow:
    """One endpoint.

    Attributes:
        cells: One symbol for each peer, in the order of the peers; where the grid has several bands, band after band.
        note: What is wrong with it, in a word; empty where nothing is.
        is_good: Nothing is wrong with it anywhere.
    """

    endpoint: EndpointId
    product: Product | None
    cells: tuple[str, ...]
    note: str
    is_good: bool


@dataclass(frozen=True, slots=True)
class _Row:
    """Endpoints of one service that are alike; `heading` is the service with its port."""

    heading: str
    endpoints: tuple[EndpointId, ...]
    cells: tuple[str, ...]
    note: str


def print_grid(
    console: Console,
    peers: Sequence[str],
    rows: Iterable[GridRow],
    styles: Mapping[str, str],
    *,
    system_names: Mapping[Address, str] = UNNAMED,
    bands: Sequence[str] = ("",),
    fold: bool = True,
) -> None:
    """Print `rows`, what is broken first within each service.

    Args:
        console: Where to print; where it is no terminal, no row is folded or shortened.
        peers: The addresses of the peers, in the order of the cells.
        rows: The endpoints.
        styles: The style of each symbol.
        system_names: What the peers' administrators call them, by address.
        bands: The titles of the columns of cells, each with one cell for every peer.
        fold: Endpoints that are alike share a row.
    """
    ordered = sorted(rows, key=_order)
    bands = tuple(map(translate, bands))
    if not console.is_terminal:
        _print_lines(console, peers, system_names, ordered, bands)
        return
    nodes = shorten(row.endpoint.address for row in ordered)
    grid = _Grid(console, tuple(peers), name_peers(peers, system_names), nodes, styles, tuple(bands))
    grid.print_all(list(_fold(ordered) if fold else _each(ordered)))


def _order(row: GridRow) -> tuple[int, str, int, int, str, tuple[str, ...], str]:
    service = service_of(row.product, row.endpoint.port)
    return (
        service_rank(service), service, row.endpoint.port, _badness(row), row.note, row.cells, row.endpoint.address.casefold()
    )  # fmt: skip


def _badness(row: GridRow) -> int:
    """Return what a row is sorted by: it fails and will, it was not seen, something is wrong with it, nothing is."""
    if any(cell.endswith(REFUSED) for cell in row.cells):
        return 0
    return 1 if UNSEEN in row.cells else 3 if row.is_good else 2


def _heading(row: GridRow) -> str:
    service = service_of(row.product, row.endpoint.port)
    return f"{translate(service)} ({row.endpoint.port})" if service else f"Port {row.endpoint.port}"


def _each(rows: Iterable[GridRow]) -> Iterator[_Row]:
    for row in rows:
        yield _Row(_heading(row), (row.endpoint,), row.cells, row.note)


def _fold(rows: Iterable[GridRow]) -> Iterator[_Row]:
    groups: dict[tuple[str, tuple[str, ...], str], list[EndpointId]] = {}
    for row in rows:
        groups.setdefault((_heading(row), row.cells, row.note), []).append(row.endpoint)
    for (heading, cells, note), endpoints in groups.items():
        yield _Row(heading, tuple(endpoints), cells, note)


def _print_lines(
    console: Console,
    peers: Sequence[str],
    system_names: Mapping[Address, str],
    rows: Sequence[GridRow],
    bands: Sequence[str],
) -> None:
    """Print one line an endpoint, with whole names; the peers are listed once above, by number."""
    for number, peer in enumerate(peers, start=1):
        name = f" ({escape(system_names[Address(peer)])})" if is_ip(peer) and Address(peer) in system_names else ""
        console.print(Text(f"peer {number} = {escape(peer)}{name}"), soft_wrap=True)
    numbers = [f"{band} {number}".strip() for band in bands for number in range(1, len(peers) + 1)]
    columns = mark_words("endpoint", "service", "cause")
    table = [(columns[0], *numbers, *columns[1:])]
    table += [
        (escape(str(row.endpoint)), *row.cells, service_of(row.product, row.endpoint.port) or "-", row.note or "-")
        for row in rows
    ]
    for line in align_columns(table):
        console.print(Text(line), soft_wrap=True)


class _Grid:
    """A grid on a screen of a certain width."""

    def __init__(
        self,
        console: Console,
        peers: tuple[str, ...],
        labels: ShortNames,
        nodes: ShortNames,
        styles: Mapping[str, str],
        bands: tuple[str, ...],
    ) -> None:
        self._console = console
        self._nodes = nodes
        self._styles = styles
        self._labels = labels
        self._peers = peers
        self._bands = bands
        self._notes_below = False

    def print_all(self, rows: Sequence[_Row]) -> None:
        """Print the peers, then each service with its rows."""
        cell_width = max((len(cell) for row in rows for cell in row.cells), default=1)
        note_width = max((len(row.note) for row in rows), default=0)
        heads = self._choose_heads(cell_width, note_width, rows)
        self._print_legend(heads)
        widths = [max(cell_width, len(head)) for head in heads]
        room = self._room_beside(widths)
        self._notes_below = room - note_width < _MIN_NAMES
        names_width = room if self._notes_below else room - note_width
        if self._nodes.suffix:
            print_indented(self._console, Text(f"Nodes are in {escape(self._nodes.suffix[1:])}", "dim"), 0)
        if self._console.width < BLOCKS_BELOW or names_width < _MIN_NAMES:
            self._print_blocks(rows, heads)
            return
        names_width = min(names_width, max((len(self._join_names(row.endpoints, names_width)) for row in rows), default=0))
        self._print_header(heads, names_width, widths)
        heading = ""
        for row in rows:
            if row.heading != heading:
                heading = row.heading
                self._print(Text(heading, "bold"))
            self._print_row(row, names_width, widths)

    def _list_band_widths(self, widths: Sequence[int]) -> list[int]:
        """Return how wide each band is: as wide as its cells, and as its title."""
        cells = sum(width + _GAP for width in widths) + _GAP
        return [max(cells, len(band) + 2 * _GAP) if band else cells for band in self._bands]

    def _room_beside(self, widths: Sequence[int]) -> int:
        """Return how many columns cells of these widths leave for names and notes."""
        return self._console.width - _INDENT - sum(self._list_band_widths(widths)) - _GAP

    def _choose_heads(self, cell_width: int, note_width: int, rows: Sequence[_Row]) -> list[str]:
        """Return a head for each peer: its short name where it is hardly wider than a cell and all rows still fit, or its number."""
        names = [escape(self._labels[peer]) for peer in self._peers]
        numbers = [str(number) for number in range(1, len(names) + 1)]
        if len(self._bands) > 1 or max(map(len, names), default=0) > cell_width + 4:
            return numbers
        room = self._room_beside([max(cell_width, len(name)) for name in names]) - note_width
        return names if all(len(self._join_names(row.endpoints, room)) <= room for row in rows) else numbers

    def _print_legend(self, heads: Sequence[str]) -> None:
        if legend := describe_heads(self._peers, self._labels, heads):
            print_indented(self._console, Text(escape(legend, _MAX_LEGEND), "dim"), 0)

    def _print_header(self, heads: Sequence[str], names_width: int, widths: Sequence[int]) -> None:
        start = " " * (_INDENT + names_width + _GAP)
        if any(self._bands):
            titles = "".join(band.ljust(width) for band, width in zip(self._bands, self._list_band_widths(widths), strict=True))
            self._print(Text((start + titles).rstrip(), "dim"))
        numbers = "".join(head.ljust(width + _GAP) for head, width in zip(heads, widths, strict=True))
        bands = "".join(numbers.ljust(width) for width in self._list_band_widths(widths))
        self._print(Text((start + bands).rstrip(), "dim"))

    def _print_row(self, row: _Row, names_width: int, widths: Sequence[int]) -> None:
        label = self._join_names(row.endpoints, names_width)
        line = Text(" " * _INDENT)
        if len(label) > names_width:
            self._print(Text(" " * _INDENT + label))
            label = ""
        line.append(label.ljust(names_width + _GAP))
        for cells, band_width in zip(self._split_bands(row), self._list_band_widths(widths), strict=True):
            end = len(line) + band_width
            for cell, width in zip(cells, widths, strict=True):
                line.append(cell.ljust(width + _GAP), self._styles.get(cell, ""))
            line.append(" " * (end - len(line)))
        line.append("" if self._notes_below else row.note)
        line.rstrip()
        self._print(line)
        if self._notes_below and row.note:
            print_indented(self._console, Text(row.note), 2 * _INDENT)

    def _split_bands(self, row: _Row) -> list[tuple[str, ...]]:
        count = len(self._peers)
        return [row.cells[start : start + count] for start in range(0, len(row.cells), count)]

    def _print_blocks(self, rows: Sequence[_Row], heads: Sequence[str]) -> None:
        """Print a block a row: the names, then what each peer makes of them, then why."""
        heading = ""
        for row in rows:
            if row.heading != heading:
                heading = row.heading
                self._print(Text(heading, "bold"))
            self._print(Text("  " + self._join_names(row.endpoints, self._console.width - _INDENT)))
            for band, cells in zip(self._bands, self._split_bands(row), strict=True):
                self._print_cells(band, cells, heads)
            if row.note:
                print_indented(self._console, Text(row.note), 4)

    def _print_cells(self, band: str, cells: Sequence[str], heads: Sequence[str]) -> None:
        by_cell: dict[str, list[str]] = {}
        for head, cell in zip(heads, cells, strict=True):
            by_cell.setdefault(cell, []).append(head)
        title = f"{band} " if band else ""
        for cell, peers in by_cell.items():
            self._print(Text.assemble(f"    {title}", (cell, self._styles.get(cell, "")), "  " + " ".join(peers)))

    def _join_names(self, endpoints: Sequence[EndpointId], width: int) -> str:
        """Return as many names as fit into `width`, and how many more there are; at least one whole name."""
        names = [escape(self._nodes[endpoint.address]) for endpoint in endpoints]
        for shown_count in range(len(names), 0, -1):
            more = translate(f" and {len(names) - shown_count} more") if shown_count < len(names) else ""
            text = ", ".join(names[:shown_count]) + more
            if len(text) <= width:
                return text
        return names[0] + (translate(f" and {len(names) - 1} more") if len(names) > 1 else "")

    def _print(self, line: Text) -> None:
        self._console.print(line, soft_wrap=True)
