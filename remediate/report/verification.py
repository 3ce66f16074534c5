"""A verification on a terminal: what each endpoint gets by its certificates, and what clients really get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from rich.console import Console
from rich.table import Table
from rich.text import Text

from remediate.model.effect import ClientState, ClientView
from remediate.model.identity import PairId
from remediate.model.plan import EndpointForecast
from remediate.model.text import count, escape
from remediate.report.terminal import MAX_ROWS, MIN_ENDPOINT_WIDTH
from remediate.report.view import GOOD, REFUSED, UNSEEN, Row, arrange_matrix, symbol_of

NOT_ASKED = "·"
_CLIENT_SYMBOLS = {
    ClientState.REACHED: GOOD,
    ClientState.REFUSED: REFUSED,
    ClientState.NOT_KNOWN: UNSEEN,
    ClientState.NOT_ASKED: NOT_ASKED,
}
_STYLES = {GOOD: "green", REFUSED: "red", UNSEEN: "yellow", NOT_ASKED: "dim"}


@dataclass(frozen=True, slots=True)
class _VerificationRow:
    """One endpoint: the symbols of its certificates and of its clients, in the order of the peers."""

    endpoint: str
    certificates: tuple[str, ...]
    clients: tuple[str, ...]
    causes: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        return set(self.certificates) <= {GOOD, NOT_ASKED} and set(self.clients) <= {GOOD, NOT_ASKED}


def show_verification(
    console: Console,
    forecasts: Iterable[EndpointForecast],
    views: Mapping[PairId, ClientView],
    *,
    every_row: bool = False,
) -> None:
    """Print endpoints by peers in two columns, *certificates* and *clients*, and the sums.

    Args:
        console: Where to print.
        forecasts: One per pair of a peer and an endpoint; `before` is the present verdict.
        views: What clients get, by pair.
        every_row: Also print the endpoints that pass from every peer, and whose clients are not refused anywhere.
    """
    listed = tuple(replace(forecast, after=forecast.before) for forecast in forecasts)
    if not listed:
        console.print(Text("No endpoint is known here, so nothing was judged.", "bold yellow"))
        return
    matrix = arrange_matrix(listed)
    rows = [_make_row(row, views) for row in matrix.rows]
    shown = [row for row in rows if every_row or not row.is_good]
    console.print()
    if shown:
        console.print(Text(f"In each column, in this order: {escape(', '.join(matrix.labels))}", "dim"))
        console.print(_build_table(shown[:MAX_ROWS]))
        if len(shown) > MAX_ROWS:
            console.print(Text(f"  and {count(len(shown) - MAX_ROWS, 'endpoint')} more: `--json` has them all", "dim"))
    if len(rows) > len(shown):
        noun = "other endpoint passes" if shown else "endpoint passes"
        plural = "other endpoints pass" if shown else "endpoints pass"
        console.print(Text(f"{GOOD} {count(len(rows) - len(shown), noun, plural)} from every peer", "green"))
    _print_sums(console, listed, views)


def _make_row(row: Row, views: Mapping[PairId, ClientView]) -> _VerificationRow:
    clients = tuple(_client_symbol(cell, views) for cell in row.cells)
    certificates = tuple(symbol_of(cell.before) if cell else NOT_ASKED for cell in row.cells)
    causes = (*row.causes, "a client is refused although the list accepts") if REFUSED in clients else row.causes
    return _VerificationRow(row.endpoint, certificates, clients, causes)


def _client_symbol(cell: EndpointForecast | None, views: Mapping[PairId, ClientView]) -> str:
    view = views.get(cell.pair) if cell else None
    return _CLIENT_SYMBOLS[view.state] if view else NOT_ASKED


def _build_table(rows: Sequence[_VerificationRow]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("endpoint", overflow="fold", min_width=MIN_ENDPOINT_WIDTH)
    table.add_column("certificates", no_wrap=True)
    table.add_column("clients", no_wrap=True)
    table.add_column("cause", overflow="fold")
    for row in rows:
        causes = Text("\n".join(row.causes), "dim")
        table.add_row(Text(escape(row.endpoint)), _symbols(row.certificates), _symbols(row.clients), causes)
    return table


def _symbols(symbols: Iterable[str]) -> Text:
    return Text(" ").join(Text(symbol, _STYLES[symbol]) for symbol in symbols)


def _print_sums(console: Console, forecasts: Sequence[EndpointForecast], views: Mapping[PairId, ClientView]) -> None:
    passing = sum(forecast.before.verdict.ok for forecast in forecasts)
    unseen = sum(not forecast.before.verdict.observed for forecast in forecasts)
    not_checked = f" {unseen} not checked ({UNSEEN})." if unseen else ""
    console.print(Text(f"Certificates: {passing} of {len(forecasts)} checks pass.{not_checked}", "bold"))
    counts = {state: sum(view.state is state for view in views.values()) for state in ClientState}
    if counts[ClientState.NOT_ASKED] == len(views):
        reasons = list(dict.fromkeys(view.description for view in views.values()))
        console.print(Text(f"Clients: none was asked ({escape('; '.join(reasons), 500)}).", "yellow"))
        return
    parts = [f"{number} {state.value.replace('-', ' ')}" for state, number in counts.items() if number]
    console.print(Text(f"Clients: {', '.join(parts)}.", "bold"))
