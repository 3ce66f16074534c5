"""Plan and verification on a terminal of 80 columns, with symbols as well as colour."""

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
from remediate.model.text import count, escape, first_few
from remediate.model.verdict import Cause
from remediate.report.text import discard_output, short_fingerprint
from remediate.report.view import (
    GOOD,
    NO_CHANGE_AHEAD,
    REFUSED,
    TOWARD_NODES,
    UNSEEN,
    Matrix,
    PairCounts,
    Row,
    approvals_required,
    arrange_matrix,
    count_pairs,
    describe_future,
    describe_toward_nodes,
    group_unresolved,
    headline,
    incompleteness_of,
    manual_page,
    peers_of,
    reasons_of,
    refresh_notes,
    symbol_of,
)

PLANNED = ("verify now", "after this plan")
DONE = ("verified before", "verify now")
MAX_REASONS = 4
MAX_ROWS = 300
MAX_GROUPS = 40
MIN_ENDPOINT_WIDTH = 14
MAX_NAMES = 4000
MAX_LABEL_WIDTH = 10
_SIGNS = {"trust-certificate": "+", "remove-certificate": "-", "set-ciphers": "~"}
_STYLES = {"+": "green", "-": "red", "~": "yellow", "↻": "cyan"}
_SYMBOLS = {GOOD: "green", REFUSED: "red", UNSEEN: "yellow"}
_APPROVALS = {"vouched": "vouched for", "granted": "approved", "required": "needs your approval"}


class _Console(Console):
    def on_broken_pipe(self) -> None:
        # rich would exit with ERROR, which means that nothing was changed; the command's own exit code must be kept.
        discard_output(self.file)


def make_console(stream: TextIO, *, color: bool) -> Console:
    """Return a console that interprets no markup in what it prints, since certificate text is untrusted."""
    plain = not color or bool(os.environ.get("NO_COLOR"))
    return _Console(file=stream, markup=False, emoji=False, highlight=False, no_color=plain, soft_wrap=False)


def show_plan(console: Console, plan: Plan, *, every_row: bool = False, explain: bool = False) -> None:
    """Print `plan`: the matrix, the actions, what remains refused, and the notes.

    Args:
        console: Where to print.
        plan: The plan.
        every_row: Also print the endpoints that verify from every peer, before and after.
        explain: Also print the plans that were not chosen.
    """
    _print_title(console, plan)
    for alarm in plan.alarms:
        console.print(Text(f"! ALARM: {escape(alarm, 2000)}", "bold red"))
    show_matrix(console, plan.endpoints, every_row=every_row)
    _print_actions(console, plan)
    _print_approvals(console, plan)
    show_unresolved(console, plan.unresolved)
    if explain:
        _print_alternatives(console, plan)
    show_list(console, TOWARD_NODES, describe_toward_nodes(plan))
    if plan.future is not None:
        show_list(console, "After this plan, by the calendar", describe_future(plan) or (NO_CHANGE_AHEAD,))
    show_list(console, "Good to know", plan.notes)


def show_matrix(
    console: Console, forecasts: Iterable[EndpointForecast], *, every_row: bool = False, words: tuple[str, str] = PLANNED
) -> None:
    """Print endpoints by peers, before → after (one symbol if both are the same), and the sums.

    Args:
        console: Where to print.
        forecasts: One per pair of a peer and an endpoint.
        every_row: Also print the endpoints that verify from every peer, before and after.
        words: Names of the two columns in the sums: `PLANNED`, or `DONE` after the change was made.
    """
    listed = tuple(forecasts)
    matrix = arrange_matrix(listed)
    rows = [row for row in matrix.rows if every_row or not row.verifies]
    sums = count_pairs(listed)
    console.print()
    if rows:
        labels, legend = _column_labels(matrix)
        if legend:
            console.print(Text(legend, "dim"))
        console.print(_build_matrix_table(labels, rows[:MAX_ROWS]))
        _print_hidden_count(console, len(rows) - MAX_ROWS, "endpoint")
    hidden = len(matrix.rows) - len(rows)
    if hidden:
        noun = "other endpoint" if rows else "endpoint"
        console.print(Text(f"✓ {count(hidden, noun)} verified by every peer", "green"))
    console.print(_format_pair_counts(sums, words))


def show_unresolved(console: Console, unresolved: Sequence[Unresolved], title: str = "Not fixed by this plan") -> None:
    """Print what remains refused or was not observed, why, and what would help."""
    if not unresolved:
        return
    _print_heading(console, title)
    groups = group_unresolved(unresolved)
    for group in groups[:MAX_GROUPS]:
        symbol = UNSEEN if group.cause is Cause.UNREACHABLE else REFUSED
        line = Text(f"{symbol} ", _SYMBOLS[symbol])
        line.append(escape(", ".join(group.endpoints), MAX_NAMES), "bold")
        line.append(f"  {group.cause.value}", _SYMBOLS[symbol])
        _print_indented(console, line, 2)
        _print_indented(console, Text(escape(group.advice, 2000)), 4)
        for option in group.options:
            _print_indented(console, _bullet(option), 4)
    _print_hidden_count(console, len(groups) - MAX_GROUPS, "entry", "entries")


def _print_hidden_count(console: Console, hidden: int, noun: str, plural: str | None = None) -> None:
    """Print how many entries a terminal leaves out; HTML and JSON have all of them."""
    if hidden > 0:
        console.print(Text(f"  and {count(hidden, noun, plural)} more: `show --html` and `--json` have them all", "dim"))


def _print_title(console: Console, plan: Plan) -> None:
    title = Text("Plan for ", "bold")
    title.append(escape(plan.cluster), "bold")
    title.append(f"   {short_id(plan.id)}   made {rfc3339(plan.made_at)}", "dim")
    console.print(title)
    if not plan.complete:
        show_incomplete(console, plan, "so this plan rests on what could be seen")


def show_incomplete(console: Console, plan: Plan, consequence: str) -> None:
    """Print that not everything was observed, what was not, and the consequence."""
    console.print(Text(f"! Incomplete: not everything could be seen, {consequence}.", "yellow"))
    for sentence in incompleteness_of(plan):
        _print_indented(console, _bullet(sentence), 2)


def short_id(plan_id: str) -> str:
    """Return the beginning of a plan's id, enough to recognise it."""
    return f"{plan_id[:19]}…"


def _column_labels(matrix: Matrix) -> tuple[tuple[str, ...], str]:
    """Return the heads of the peers' columns; if they are too wide for 80 columns, numbers and a legend."""
    if max(map(len, matrix.labels)) <= MAX_LABEL_WIDTH:
        return matrix.labels, ""
    numbers = tuple(f"peer {number}" for number in range(1, len(matrix.peers) + 1))
    return numbers, ", ".join(f"{number} = {escape(peer)}" for number, peer in zip(numbers, matrix.peers, strict=True))


def _build_matrix_table(labels: Sequence[str], rows: Sequence[Row]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("endpoint", overflow="fold", min_width=MIN_ENDPOINT_WIDTH)
    for label in labels:
        table.add_column(Text(escape(label)), justify="center", no_wrap=True, min_width=5)
    table.add_column("cause", overflow="fold")
    for row in rows:
        cells = (_format_cell(cell) for cell in row.cells)
        table.add_row(Text(escape(row.endpoint)), *cells, Text("\n".join(row.causes), "dim"))
    return table


def _format_cell(forecast: EndpointForecast | None) -> Text:
    if forecast is None:
        return Text("·", "dim")
    before, after = (Text(symbol, _SYMBOLS[symbol]) for symbol in map(symbol_of, (forecast.before, forecast.after)))
    return after if before == after else Text.assemble(before, (" → ", "dim"), after)


def _format_pair_counts(sums: PairCounts, words: tuple[str, str]) -> Text:
    # A pair is one peer and one endpoint.
    if not sums.pairs:
        return Text("No endpoint is known here, so nothing was judged.", "bold yellow")
    unseen = f" {sums.unseen} could not be looked at ({UNSEEN})." if sums.unseen else ""
    if sums.before == sums.after:
        return Text(f"{sums.after} of {sums.pairs} pairs of peer and endpoint verify.{unseen}", "bold")
    before, after = words
    return Text(f"{sums.before} of {sums.pairs} pairs of peer and endpoint {before}, {sums.after} {after}.{unseen}", "bold")


def _print_actions(console: Console, plan: Plan) -> None:
    if not plan.actions:
        _print_heading(console, "Actions")
        console.print("  none: there is nothing to change")
        return
    _print_heading(console, "Actions")
    for action in plan.actions:
        _print_action(console, action, plan)


def _print_action(console: Console, action: Action, plan: Plan) -> None:
    sign = _SIGNS.get(action.kind, "↻")
    line = Text(f"{action.id} ", "dim")
    line.append(f"{sign} ", _STYLES[sign])
    line.append(escape(headline(action, plan)), "bold")
    _print_indented(console, line, 2)
    for detail in _detail_lines(action):
        _print_indented(console, Text(escape(detail, 2500)), 7)


def _detail_lines(action: Action) -> Iterable[str]:
    if isinstance(action, TrustCertificate):
        yield f"{short_fingerprint(action.certificate)}, {_APPROVALS[action.approval]}"
    if isinstance(action, RemoveCertificate):
        yield short_fingerprint(action.certificate)
    if isinstance(action, SetCiphers):
        yield f"from {action.before}"
        yield f"to   {action.after}"
    if peers_of(action):
        yield f"on {', '.join(peers_of(action))}"
    if reasons_of(action):
        yield f"for {first_few(reasons_of(action), MAX_REASONS)}"
    if page := manual_page(action):
        yield f"by hand: {page}"
    yield from refresh_notes(action)


def _print_approvals(console: Console, plan: Plan) -> None:
    required = approvals_required(plan)
    if not required:
        return
    _print_heading(console, "Needs your approval")
    advice = (
        "These certificates were only seen on the network. No trusted source confirms them. Compare each fingerprint with the one "
        "on the server itself, then pass it to plan or apply with --approve:"
    )
    _print_indented(console, Text(advice), 2)
    for action in required:
        certificate = plan.certificates.get(action.certificate)
        subject = certificate.subject if certificate else ""
        # On a line of its own and never wrapped, because it is copied from here.
        console.print(Text(f"  {action.certificate}", "yellow"), soft_wrap=True)
        _print_indented(console, Text(f"{escape(subject)}, seen at {escape(first_few(action.because, MAX_REASONS))}"), 4)


def _print_alternatives(console: Console, plan: Plan) -> None:
    _print_heading(console, "Plans that were not chosen")
    if not plan.alternatives:
        console.print("  none that would verify something else, or the same at another cost")
    for alternative in plan.alternatives:
        _print_indented(console, _bullet(alternative.summary), 2)
        _print_indented(console, Text(f"Not chosen: {escape(alternative.why_not, 2000)}"), 4)
        if alternative.switch:
            _print_indented(console, Text(f"To choose it: {escape(alternative.switch)}"), 4)


def show_list(console: Console, title: str, lines: Sequence[str]) -> None:
    """Print `lines` under `title`; nothing where there are none."""
    if lines:
        _print_heading(console, title)
        for line in lines:
            _print_indented(console, _bullet(line), 2)


def _bullet(text: str) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_row("•", Text(escape(text, 2000)))
    return grid


def _print_indented(console: Console, content: Text | Table, columns: int) -> None:
    console.print(Padding(content, (0, 0, 0, columns), expand=False))


def _print_heading(console: Console, title: str) -> None:
    console.print()
    console.print(Text(title, "bold underline"))
