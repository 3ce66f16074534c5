"""A verification on a terminal: what each endpoint gets by its certificates, and what clients really get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from rich.console import Console
from rich.text import Text

from remediate.model.effect import ClientState, ClientView
from remediate.model.identity import Address, PairId
from remediate.model.plan import EndpointForecast
from remediate.model.text import count, escape
from remediate.report.check_counts import count_passing
from remediate.report.grid import GridRow, print_grid
from remediate.report.lines import print_bullet, print_indented
from remediate.report.names import UNNAMED, ShortNames, name_peers
from remediate.report.view import GOOD, REFUSED, UNSEEN, Row, arrange_matrix, symbol_of

NOT_ASKED = "·"
_CLIENT_SYMBOLS = {
    ClientState.REACHED: GOOD,
    ClientState.REFUSED: REFUSED,
    ClientState.NOT_KNOWN: UNSEEN,
    ClientState.NOT_ASKED: NOT_ASKED,
}
_STYLES = {GOOD: "green", REFUSED: "red", UNSEEN: "yellow", NOT_ASKED: "dim"}


def show_verification(
    console: Console,
    forecasts: Iterable[EndpointForecast],
    views: Mapping[PairId, ClientView],
    *,
    system_names: Mapping[Address, str] = UNNAMED,
    every_row: bool = False,
) -> None:
    """Print endpoints by peers in two columns, *certificates* and *clients*, and the sums.

    Args:
        console: Where to print.
        forecasts: One per pair of a peer and an endpoint; `before` is the present verdict.
        views: What clients get, by pair.
        system_names: What the peers' administrators call them, by address.
        every_row: Also print the endpoints that pass from every peer, and whose clients are not refused anywhere.
    """
    listed = tuple(replace(forecast, after=forecast.before) for forecast in forecasts)
    if not listed:
        print_indented(console, Text("No endpoint is known here, so nothing was checked.", "bold yellow"), 0)
        return
    matrix = arrange_matrix(listed)
    rows = [_make_row(row, views) for row in matrix.rows]
    visible_rows = [row for row in rows if every_row or not row.is_good]
    console.print()
    if visible_rows:
        print_grid(
            console, matrix.peers, visible_rows, _STYLES, system_names=system_names, bands=("certificates", "clients"),
            fold=not every_row,
        )  # fmt: skip
    if len(rows) > len(visible_rows):
        noun = "other endpoint passes" if visible_rows else "endpoint passes"
        plural = "other endpoints pass" if visible_rows else "endpoints pass"
        text = f"{count(len(rows) - len(visible_rows), noun, plural)} from every peer"
        print_indented(console, Text(text, "green"), 0, first=f"{GOOD} ")
    _print_sums(console, listed, views, name_peers(matrix.peers, system_names))


def _make_row(row: Row, views: Mapping[PairId, ClientView]) -> GridRow:
    judged = next(cell for cell in row.cells if cell is not None)
    clients = tuple(_client_symbol(cell, views) for cell in row.cells)
    certificates = tuple(symbol_of(cell.before) if cell else NOT_ASKED for cell in row.cells)
    causes = (*row.causes, "client refused although the list accepts") if REFUSED in clients else row.causes
    is_good = set(certificates) <= {GOOD, NOT_ASKED} and set(clients) <= {GOOD, NOT_ASKED}
    return GridRow(judged.endpoint, judged.product, (*certificates, *clients), ", ".join(causes), is_good)


def _client_symbol(cell: EndpointForecast | None, views: Mapping[PairId, ClientView]) -> str:
    view = views.get(cell.pair) if cell else None
    return _CLIENT_SYMBOLS[view.state] if view else NOT_ASKED


def _print_sums(
    console: Console, forecasts: Sequence[EndpointForecast], views: Mapping[PairId, ClientView], names: ShortNames
) -> None:
    passing = sum(forecast.before.ok for forecast in forecasts)
    unseen = sum(not forecast.before.observed for forecast in forecasts)
    not_checked = f" {unseen} not checked ({UNSEEN})." if unseen else ""
    print_indented(console, Text(f"Certificates: {count_passing(passing, len(forecasts))}.{not_checked}", "bold"), 0)
    counts = {state: sum(view.state is state for view in views.values()) for state in ClientState}
    peers_by_reason: dict[str, list[str]] = {}
    for pair, view in views.items():
        if view.state is ClientState.NOT_ASKED:
            peers_by_reason.setdefault(view.description, []).append(pair.peer)
    reasons = tuple(peers_by_reason)
    if counts[ClientState.NOT_ASKED] < len(views):
        parts = [f"{number} {state.value.replace('-', ' ')}" for state, number in counts.items() if number]
        print_indented(console, Text(f"Clients: {', '.join(parts)}.", "bold"), 0)
    elif len(reasons) == 1:
        print_indented(console, Text(f"Clients: not tested ({escape(reasons[0], 500)}).", "yellow"), 0)
        return
    else:
        print_indented(console, Text("Clients: not tested.", "yellow"), 0)
    for reason, peers in peers_by_reason.items():
        print_bullet(console, f"{', '.join(names[peer] for peer in dict.fromkeys(peers))}: {reason}", 2)
