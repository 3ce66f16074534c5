"""The matrix of a page: endpoints that are alike in one row, those that fail first, in one band of peers or several."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from remediate.language.messages import Verbatim
from remediate.model.effect import ClientState, ClientView
from remediate.model.identity import Address, EndpointId, PairId
from remediate.model.plan import EndpointForecast
from remediate.model.verdict import Verdict
from remediate.report.names import UNNAMED, ShortNames, explain_heads, name_peers, service_of, service_rank, shorten
from remediate.report.view import GOOD, REFUSED, UNSEEN, Row, arrange_matrix, symbol_of

Status = Literal["fail", "unseen", "fixed", "pass"]
_ORDER: tuple[Status, ...] = ("fail", "unseen", "fixed", "pass")
MAX_HEAD = 7
_FEW_COLUMNS = 5
_MAX_NARROW_HEAD = 4
"""How long a peer's short name may be as the head of its column, where there are few of them; longer ones have a number."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one endpoint gets from one peer: a symbol, its kind for the colour, and words for who sees neither."""

    symbol: str
    kind: str
    words: str


PASSES = Cell(GOOD, "ok", "passes")
FIXED = Cell(f"{REFUSED}→{GOOD}", "fx", "fails now, passes after")
HEALED = Cell(f"{REFUSED}→{GOOD}", "fx", "failed before, passes now")
FAILS = Cell(REFUSED, "no", "fails")
LOST = Cell(f"{GOOD}→{REFUSED}", "no", "passed before, fails now")
BREAKS = Cell(f"{GOOD}→{REFUSED}", "no", "passes now, fails after")
NOT_CHECKED = Cell(UNSEEN, "un", "not checked")
NOT_JUDGED = Cell("·", "na", "not judged")
CLIENT_CELLS: Mapping[ClientState, Cell] = {
    ClientState.REACHED: Cell(GOOD, "ok", "a client reached it"),
    ClientState.REFUSED: Cell(REFUSED, "no", "a client was refused"),
    ClientState.NOT_KNOWN: Cell(UNSEEN, "un", "tested, result not known"),
    ClientState.NOT_ASKED: Cell("·", "na", "no client request was sent"),
}


@dataclass(frozen=True, slots=True)
class PageRow:
    """Endpoints of one service that are alike.

    Attributes:
        endpoints: ``address:port`` of each.
        names: Their short names, in the same order.
        bands: One cell for every peer, band after band.
        causes: Why it fails, in the words of the contract.
    """

    status: Status
    service: str
    port: int
    endpoints: tuple[str, ...]
    names: tuple[str, ...]
    bands: tuple[tuple[Cell, ...], ...]
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PageMatrix:
    """The matrix of a page.

    Attributes:
        peers: Their addresses.
        heads: The head of each one's column.
        legend: What each head is for.
        peer_suffix: What the legend leaves out of every name.
        suffix: What the names of the endpoints leave out.
        bands: The title of each band; empty where there is only one.
        counts: How many endpoints have each status.
    """

    peers: tuple[Address, ...]
    heads: tuple[str, ...]
    legend: tuple[str, ...]
    peer_suffix: str
    suffix: str
    bands: tuple[str, ...]
    rows: tuple[PageRow, ...]
    counts: Mapping[Status, int]


Band = Callable[[EndpointForecast], Cell]


def arrange_page(
    forecasts: Iterable[EndpointForecast], bands: Mapping[str, Band], system_names: Mapping[Address, str] = UNNAMED
) -> PageMatrix:
    """Return `forecasts` as the matrix of a page, with a column of cells for each of `bands`, by its title."""
    matrix = arrange_matrix(forecasts)
    nodes = shorten(cell.address for row in matrix.rows for cell in row.cells if cell)
    labels = name_peers(matrix.peers, system_names)
    heads = tuple(labels[peer] for peer in matrix.peers)
    columns = len(heads) * len(bands)
    if any(len(head) > (MAX_HEAD if columns <= _FEW_COLUMNS else _MAX_NARROW_HEAD) for head in heads):
        heads = tuple(Verbatim(f"C{number}") for number in range(1, len(heads) + 1))
    rows = _fold((_endpoint_of(row), row, _make_cells(row, bands.values())) for row in matrix.rows)
    page_rows = tuple(sorted((_make_page_row(*row, nodes) for row in rows), key=_sort_key))
    counts = {status: sum(len(row.endpoints) for row in page_rows if row.status == status) for status in _ORDER}
    return PageMatrix(
        matrix.peers,
        heads,
        explain_heads(matrix.peers, labels, heads),
        labels.suffix,
        nodes.suffix,
        tuple(bands),
        page_rows,
        counts,
    )


def planned_cell(forecast: EndpointForecast) -> Cell:
    """Return the cell of a plan: now and after it."""
    before, after = forecast.before, forecast.after
    if not after.observed:
        return NOT_CHECKED
    if before.ok:
        return PASSES if after.ok else BREAKS
    return FIXED if after.ok else FAILS


def measured_cell(forecast: EndpointForecast) -> Cell:
    """Return the cell of what a run measured: before it and after it."""
    return {FIXED: HEALED, BREAKS: LOST}.get(cell := planned_cell(forecast), cell)


def verdict_cell(verdict: Verdict | None) -> Cell:
    """Return the cell of one verdict; of none, that it was not judged."""
    if verdict is None:
        return NOT_JUDGED
    return {GOOD: PASSES, REFUSED: FAILS, UNSEEN: NOT_CHECKED}[symbol_of(verdict)]


def client_cell(views: Mapping[PairId, ClientView], pair: PairId) -> Cell:
    """Return the cell of what a client gets."""
    return CLIENT_CELLS[views[pair].state if pair in views else ClientState.NOT_ASKED]


_Group = tuple[str, int, tuple[tuple[Cell, ...], ...], tuple[str, ...]]


def _endpoint_of(row: Row) -> EndpointForecast:
    return next(cell for cell in row.cells if cell is not None)


def _make_cells(row: Row, bands: Iterable[Band]) -> tuple[tuple[Cell, ...], ...]:
    return tuple(tuple(band(cell) if cell else NOT_JUDGED for cell in row.cells) for band in bands)


def _fold(
    rows: Iterable[tuple[EndpointForecast, Row, tuple[tuple[Cell, ...], ...]]],
) -> Iterable[tuple[_Group, Sequence[EndpointId]]]:
    groups: dict[_Group, list[EndpointId]] = {}
    for endpoint, row, cells in rows:
        service = service_of(endpoint.product, endpoint.port)
        groups.setdefault((service, endpoint.port, cells, row.causes), []).append(endpoint.endpoint)
    return groups.items()


def _make_page_row(group: _Group, endpoints: Sequence[EndpointId], nodes: ShortNames) -> PageRow:
    service, port, bands, causes = group
    ordered = sorted(endpoints, key=lambda endpoint: nodes[endpoint.address].casefold())
    return PageRow(
        _find_status([cell for cells in bands for cell in cells]),
        service,
        port,
        tuple(map(str, ordered)),
        tuple(nodes[endpoint.address] for endpoint in ordered),
        bands,
        causes,
    )


def _find_status(cells: Iterable[Cell]) -> Status:
    kinds = {cell.kind for cell in cells}
    return "fail" if "no" in kinds else "unseen" if "un" in kinds else "fixed" if "fx" in kinds else "pass"


def _sort_key(row: PageRow) -> tuple[int, int, int, str]:
    return _ORDER.index(row.status), service_rank(row.service), row.port, row.names[0].casefold()
