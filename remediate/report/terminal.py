"""A plan and a verification on a terminal of 80 columns: symbols as well as colour, and nothing that the values do not hold."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TextIO

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from remediate.model.canonical import rfc3339
from remediate.model.plan import (
    Action,
    EndpointForecast,
    Plan,
    RemoveCertificate,
    SetCiphers,
    TrustCertificate,
    Unresolved,
)
from remediate.model.snapshot import ALARM
from remediate.model.text import count, escape, first_few
from remediate.model.verdict import Cause
from remediate.report.streams import drain
from remediate.report.text import short
from remediate.report.view import (
    GOOD,
    REFUSED,
    UNSEEN,
    Matrix,
    Row,
    Sums,
    alarms_of,
    approvals_required,
    by_hand,
    headline,
    incompleteness_of,
    left_over,
    matrix_of,
    other_notes,
    peers_of,
    reasons_of,
    sums_of,
    symbol_of,
)

PLANNED = ("verify now", "after this plan")
DONE = ("verified before", "verify now")
SHOWN_REASONS = 4
SHOWN_ROWS = 300
SHOWN_GROUPS = 40
NARROWEST_ENDPOINT = 14
MAX_NAMES = 4000
WIDE_LABEL = 10
_SIGNS = {"trust-certificate": "+", "remove-certificate": "-", "set-ciphers": "~"}
_STYLES = {"+": "green", "-": "red", "~": "yellow", "↻": "cyan"}
_SYMBOLS = {GOOD: "green", REFUSED: "red", UNSEEN: "yellow"}
_APPROVALS = {"vouched": "vouched for", "granted": "approved", "required": "needs your approval"}


class _Console(Console):
    def on_broken_pipe(self) -> None:
        # rich would end the program with 1, which says "nothing was changed"; the command's own exit code must stand.
        drain(self.file)


def make_console(stream: TextIO, *, color: bool) -> Console:
    """Return a console that interprets nothing in what it prints: certificate text is untrusted."""
    plain = not color or bool(os.environ.get("NO_COLOR"))
    return _Console(file=stream, markup=False, emoji=False, highlight=False, no_color=plain, soft_wrap=False)


def show_plan(console: Console, plan: Plan, *, every_row: bool = False, explain: bool = False) -> None:
    """Print `plan`: the matrix, the actions, what stays, what to know.

    Args:
        every_row: also the endpoints that verify from every peer, before and after.
        explain: also the plans that were not chosen.
    """
    _title(console, plan)
    for alarm in alarms_of(plan):
        console.print(Text(f"! ALARM: {escape(alarm.removeprefix(ALARM), 2000)}", "bold red"))
    show_matrix(console, plan.endpoints, every_row=every_row)
    _actions(console, plan)
    _approvals(console, plan)
    show_unresolved(console, plan.unresolved)
    if explain:
        _alternatives(console, plan)
    _listing(console, "Good to know", other_notes(plan))


def show_matrix(
    console: Console, forecasts: Iterable[EndpointForecast], *, every_row: bool = False, words: tuple[str, str] = PLANNED
) -> None:
    """Print endpoints by peers, before → after (one symbol where both are the same), and the sums.

    Args:
        every_row: also the endpoints that verify from every peer, before and after.
        words: how the sums call the two columns: `PLANNED`, or `DONE` where the change was made.
    """
    listed = tuple(forecasts)
    matrix = matrix_of(listed)
    rows = [row for row in matrix.rows if every_row or not row.verifies]
    sums = sums_of(listed)
    console.print()
    if rows:
        labels, legend = _columns(matrix)
        if legend:
            console.print(Text(legend, "dim"))
        console.print(_matrix_table(labels, rows[:SHOWN_ROWS]))
        _and_more(console, len(rows) - SHOWN_ROWS, "endpoint")
    hidden = len(matrix.rows) - len(rows)
    if hidden:
        others = "other endpoint" if rows else "endpoint"
        console.print(Text(f"✓ {count(hidden, others)} verified by every peer", "green"))
    console.print(_sums_line(sums, words))


def show_unresolved(console: Console, unresolved: Sequence[Unresolved], title: str = "Not fixed by this plan") -> None:
    """Print what stays refused or was not seen, why, and what would help."""
    if not unresolved:
        return
    _heading(console, title)
    groups = left_over(unresolved)
    for group in groups[:SHOWN_GROUPS]:
        symbol = UNSEEN if group.cause is Cause.UNREACHABLE else REFUSED
        line = Text(f"{symbol} ", _SYMBOLS[symbol])
        line.append(escape(", ".join(group.endpoints), MAX_NAMES), "bold")
        line.append(f"  {group.cause.value}", _SYMBOLS[symbol])
        _indented(console, line, 2)
        _indented(console, Text(escape(group.advice, 2000)), 4)
        for option in group.options:
            _indented(console, _bullet(option), 4)
    _and_more(console, len(groups) - SHOWN_GROUPS, "entry", "entries")


def _and_more(console: Console, hidden: int, what: str, plural: str | None = None) -> None:
    """A person reads no thousand lines; a program and a browser have them all."""
    if hidden > 0:
        console.print(Text(f"  and {count(hidden, what, plural)} more: `show --html` and `--json` have them all", "dim"))


def _title(console: Console, plan: Plan) -> None:
    title = Text("Plan for ", "bold")
    title.append(escape(plan.cluster), "bold")
    title.append(f"   {short_id(plan.id)}   made {rfc3339(plan.made_at)}", "dim")
    console.print(title)
    if not plan.complete:
        show_incomplete(console, plan, "so this plan rests on what could be seen")


def show_incomplete(console: Console, plan: Plan, consequence: str) -> None:
    """Print that not everything was seen, what was not, and what follows from it."""
    console.print(Text(f"! Incomplete: not everything could be seen, {consequence}.", "yellow"))
    for sentence in incompleteness_of(plan):
        _indented(console, _bullet(sentence), 2)


def short_id(plan_id: str) -> str:
    """Return the beginning of a plan's id, enough to recognise it."""
    return f"{plan_id[:19]}…"


def _columns(matrix: Matrix) -> tuple[tuple[str, ...], str]:
    """The heads of the peers' columns; where they are too wide for 80 columns, numbers and a line that says whose."""
    if max(map(len, matrix.labels)) <= WIDE_LABEL:
        return matrix.labels, ""
    numbers = tuple(f"peer {number}" for number in range(1, len(matrix.peers) + 1))
    return numbers, ", ".join(f"{number} = {escape(peer)}" for number, peer in zip(numbers, matrix.peers, strict=True))


def _matrix_table(labels: Sequence[str], rows: Sequence[Row]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("endpoint", overflow="fold", min_width=NARROWEST_ENDPOINT)
    for label in labels:
        table.add_column(Text(escape(label)), justify="center", no_wrap=True, min_width=5)
    table.add_column("cause", overflow="fold")
    for row in rows:
        cells = (_cell(cell) for cell in row.cells)
        table.add_row(Text(escape(row.endpoint)), *cells, Text("\n".join(row.causes), "dim"))
    return table


def _cell(forecast: EndpointForecast | None) -> Text:
    if forecast is None:
        return Text("·", "dim")
    before, after = (Text(symbol, _SYMBOLS[symbol]) for symbol in map(symbol_of, (forecast.before, forecast.after)))
    return after if before == after else Text.assemble(before, (" → ", "dim"), after)


def _sums_line(sums: Sums, words: tuple[str, str]) -> Text:
    # A pair is one peer and one endpoint.
    if not sums.pairs:
        return Text("No endpoint is known here, so nothing was judged.", "bold yellow")
    unseen = f" {sums.unseen} could not be looked at ({UNSEEN})." if sums.unseen else ""
    if sums.before == sums.after:
        return Text(f"{sums.after} of {sums.pairs} pairs of peer and endpoint verify.{unseen}", "bold")
    before, after = words
    return Text(f"{sums.before} of {sums.pairs} pairs of peer and endpoint {before}, {sums.after} {after}.{unseen}", "bold")


def _actions(console: Console, plan: Plan) -> None:
    if not plan.actions:
        _heading(console, "Actions")
        console.print("  none: there is nothing to change")
        return
    _heading(console, "Actions")
    for action in plan.actions:
        _action(console, action, plan)


def _action(console: Console, action: Action, plan: Plan) -> None:
    sign = _SIGNS.get(action.kind, "↻")
    line = Text(f"{action.id} ", "dim")
    line.append(f"{sign} ", _STYLES[sign])
    line.append(escape(headline(action, plan)), "bold")
    _indented(console, line, 2)
    for detail in _details(action):
        _indented(console, Text(escape(detail, 2500)), 7)


def _details(action: Action) -> Iterable[str]:
    if isinstance(action, TrustCertificate):
        yield f"{short(action.certificate)}, {_APPROVALS[action.approval]}"
    if isinstance(action, RemoveCertificate):
        yield short(action.certificate)
    if isinstance(action, SetCiphers):
        yield f"from {action.before}"
        yield f"to   {action.after}"
    if peers_of(action):
        yield f"on {', '.join(peers_of(action))}"
    if reasons_of(action):
        yield f"for {first_few(reasons_of(action), SHOWN_REASONS)}"
    if page := by_hand(action):
        yield f"by hand: {page}"


def _approvals(console: Console, plan: Plan) -> None:
    required = approvals_required(plan)
    if not required:
        return
    _heading(console, "Needs your approval")
    advice = (
        "Nobody vouches for these certificates yet: they are what the network showed. Compare each fingerprint with the "
        "server's own, over another path, and then pass it to plan or apply with --approve:"
    )
    _indented(console, Text(advice), 2)
    for action in required:
        certificate = plan.certificates.get(action.certificate)
        subject = certificate.subject if certificate else ""
        # On a line of its own and never wrapped: it is copied from here.
        console.print(Text(f"  {action.certificate}", "yellow"), soft_wrap=True)
        _indented(console, Text(f"{escape(subject)}, seen at {escape(first_few(action.because, SHOWN_REASONS))}"), 4)


def _alternatives(console: Console, plan: Plan) -> None:
    _heading(console, "Plans that were not chosen")
    if not plan.alternatives:
        console.print("  none that would verify something else, or the same at another cost")
    for alternative in plan.alternatives:
        _indented(console, _bullet(alternative.summary), 2)
        _indented(console, Text(f"Not chosen: {escape(alternative.why_not, 2000)}"), 4)
        if alternative.switch:
            _indented(console, Text(f"To choose it: {escape(alternative.switch)}"), 4)


def _listing(console: Console, title: str, lines: Sequence[str]) -> None:
    if lines:
        _heading(console, title)
        for line in lines:
            _indented(console, _bullet(line), 2)


def _bullet(text: str) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_row("•", Text(escape(text, 2000)))
    return grid


def _indented(console: Console, what: Text | Table, columns: int) -> None:
    console.print(Padding(what, (0, 0, 0, columns), expand=False))


def _heading(console: Console, title: str) -> None:
    console.print()
    console.print(Text(title, "bold underline"))
