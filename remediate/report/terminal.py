"""Plan and verification on a terminal of 80 columns, with symbols as well as colour."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TextIO

from rich.console import Console
from rich.style import Style
from rich.text import Text

from remediate.language.messages import translate
from remediate.model.identity import Address
from remediate.model.plan import (
    Action,
    EndpointForecast,
    Plan,
    RemoveCertificate,
    SetCiphers,
    TrustCertificate,
    TrustOnNode,
    Unresolved,
)
from remediate.model.text import count, escape, first_few
from remediate.model.verdict import Cause
from remediate.report.cards import list_cards
from remediate.report.check_counts import count_passing, count_share
from remediate.report.grid import GridRow, print_grid
from remediate.report.lines import Entry, FinalText, print_bullet, print_entries, print_heading, print_indented, translate_text
from remediate.report.moments import format_moment
from remediate.report.names import UNNAMED, ShortNames, join_peers, name_peers
from remediate.report.text import discard_output, short_fingerprint
from remediate.report.toward_nodes import TOWARD_NODES, describe_toward_nodes
from remediate.report.view import (
    GOOD,
    NO_CHANGE_AHEAD,
    REFUSED,
    UNSEEN,
    PairCounts,
    Row,
    approvals_required,
    arrange_matrix,
    count_pairs,
    describe_approval,
    describe_cipher_change,
    describe_future,
    group_actions,
    group_unresolved,
    headline,
    incompleteness_of,
    manual_page,
    peers_of,
    reasons_of,
    refresh_notes,
    summarise_verdicts,
    symbol_of,
)
from remediate.report.wrapping import terminal_columns

Tense = Literal["planned", "measured", "judged"]
MAX_REASONS = 4
MAX_ALIKE = 3
"""How many actions that are alike are printed; the rest is counted."""
NOT_JUDGED = "·"
MAX_GROUPS = 40
_DUMB_LINES = 25
MAX_NAMES = 4000
_SIGNS = {"trust-certificate": "+", "trust-on-node": "+", "remove-certificate": "-", "set-ciphers": "~"}
_SYMBOLS = {
    GOOD: "green",
    REFUSED: "red",
    UNSEEN: "yellow",
    NOT_JUDGED: "dim",
    f"{REFUSED}→{GOOD}": "green",
    f"{GOOD}→{REFUSED}": "bold red",
}


def _translate_printed(printed: Any) -> Any:
    match printed:
        case Text():
            return translate_text(printed)
        case str():
            return translate(printed)
    return printed


class _Console(Console):
    def print(self, *objects: Any, **options: Any) -> None:
        translated = map(_translate_printed, objects)
        super().print(*translated, **options)

    def on_broken_pipe(self) -> None:
        # rich would exit with ERROR, which means that nothing was changed; the command's own exit code must be kept.
        discard_output(self.file)


def make_console(stream: TextIO, *, color: bool) -> Console:
    """Return a console that interprets no markup in what it prints, since certificate text is untrusted."""
    plain = not color or bool(os.environ.get("NO_COLOR"))
    # rich takes a dumb terminal for one of 80 columns, however wide it is.
    columns = terminal_columns(stream) if os.environ.get("TERM") in {"dumb", "unknown"} else 0
    width, height = (columns, _DUMB_LINES) if columns else (None, None)
    return _Console(
        file=stream, markup=False, emoji=False, highlight=False, no_color=plain, soft_wrap=False, width=width, height=height
    )


def show_plan(console: Console, plan: Plan, *, every_row: bool = False, explain: bool = False) -> None:
    """Print `plan`: the matrix, the actions, what remains refused, and the notes.

    Args:
        console: Where to print.
        plan: The plan.
        every_row: Also print the endpoints that verify from every peer, before and after.
        explain: Also print the plans that were not chosen.
    """
    _print_title(console, plan)
    print_indented(console, Text(" ".join(summarise_verdicts(plan)), "bold"), 0)
    for alarm in plan.alarms:
        print_indented(console, Text(f"ALARM: {escape(alarm, 2000)}", "bold red"), 0, first="! ")
    show_matrix(console, plan.endpoints, system_names=plan.system_names, every_row=every_row)
    _print_actions(console, plan, every_row=every_row)
    _print_cards(console, plan)
    _print_approvals(console, plan)
    show_unresolved(console, plan.unresolved)
    if explain:
        _print_alternatives(console, plan)
    show_list(console, TOWARD_NODES, describe_toward_nodes(plan))
    if plan.future is not None:
        show_list(console, "After this plan, by date", describe_future(plan) or (NO_CHANGE_AHEAD,))
    show_list(console, "Good to know", plan.notes)


def show_matrix(
    console: Console,
    forecasts: Iterable[EndpointForecast],
    *,
    system_names: Mapping[Address, str] = UNNAMED,
    every_row: bool = False,
    tense: Tense = "planned",
) -> None:
    """Print endpoints by peers, before→after (one symbol if both are the same), and the sums.

    Args:
        console: Where to print.
        forecasts: One per pair of a peer and an endpoint.
        system_names: What the peers' administrators call them, by address.
        every_row: Print each endpoint by itself, also those that verify from every peer, before and after.
        tense: Whether the change is planned, was measured, or was judged as the demo does.
    """
    listed = tuple(forecasts)
    matrix = arrange_matrix(listed)
    rows = [row for row in matrix.rows if every_row or not row.verifies]
    sums = count_pairs(listed)
    console.print()
    if rows:
        print_grid(console, matrix.peers, map(_grid_row, rows), _SYMBOLS, system_names=system_names, fold=not every_row)
    hidden = len(matrix.rows) - len(rows)
    if hidden:
        endpoints = count(hidden, "other endpoint") if rows else count(hidden, "endpoint")
        verb = "passes" if hidden == 1 else "pass"
        console.print(Text(f"✓ {endpoints} {verb} through every peer", "green"), soft_wrap=True)
    print_indented(console, _format_pair_counts(sums, tense), 0)


def _grid_row(row: Row) -> GridRow:
    judged = next(cell for cell in row.cells if cell is not None)
    cells = tuple(_format_cell(cell) for cell in row.cells)
    return GridRow(judged.endpoint, judged.product, cells, ", ".join(row.causes), row.verifies)


def show_unresolved(console: Console, unresolved: Sequence[Unresolved], title: str = "Not fixed by this plan") -> None:
    """Print what remains refused or was not observed, why, and what would help."""
    if not unresolved:
        return
    print_heading(console, title)
    groups = group_unresolved(unresolved)
    for group in groups[:MAX_GROUPS]:
        symbol = UNSEEN if group.cause is Cause.UNREACHABLE else REFUSED
        line = Text(style=_SYMBOLS[symbol])
        line.append(escape(", ".join(group.endpoints), MAX_NAMES), Style(bold=True, color="default"))
        line.append(f"  {group.cause.value}")
        print_indented(console, line, 2, first=f"{symbol} ")
        print_indented(console, Text(escape(group.advice, 2000)), 4)
        for option in group.options:
            print_bullet(console, option, 4)
    hidden = len(groups) - MAX_GROUPS
    if hidden > 0:
        text = f"and {count(hidden, 'entry', 'entries')} more: `show --html` and `--json` have them all"
        print_indented(console, Text(text, "dim"), 2)


def _print_title(console: Console, plan: Plan) -> None:
    title = Text("Plan for ", "bold")
    title.append(escape(plan.cluster), "bold")
    title.append(f"   {short_id(plan.id)}   made {format_moment(plan.made_at)}", "dim")
    print_indented(console, title, 0)
    if not plan.complete:
        show_incomplete(console, plan, "so this plan covers only what could be checked")


def show_incomplete(console: Console, plan: Plan, consequence: str) -> None:
    """Print that not everything was observed, what was not, and the consequence."""
    print_indented(console, Text(f"Incomplete: not everything could be checked, {consequence}.", "yellow"), 0, first="! ")
    for sentence in incompleteness_of(plan):
        print_bullet(console, sentence, 2)


def short_id(plan_id: str) -> str:
    """Return the beginning of a plan's id, enough to recognise it."""
    return f"{plan_id.removeprefix('sha256:')[:12]}…"


def _format_cell(forecast: EndpointForecast | None) -> str:
    if forecast is None:
        return NOT_JUDGED
    before, after = symbol_of(forecast.before), symbol_of(forecast.after)
    return after if before == after else f"{before}→{after}"


def _format_pair_counts(sums: PairCounts, tense: Tense) -> Text:
    # A check is one endpoint as one peer judges it.
    if not sums.pairs:
        return Text("No endpoint is known here, so nothing was checked.", "bold yellow")
    unseen = f" {sums.unseen} not checked ({UNSEEN})." if sums.unseen else ""
    if sums.before == sums.after:
        return Text(f"{count_passing(sums.after, sums.pairs)}.{unseen}", "bold")
    checks = count_share(sums.before, sums.pairs)
    if tense == "measured":
        return Text(f"{checks} passed before, {count(sums.after, 'passes now', 'pass now')}.{unseen}", "bold")
    if tense == "judged":
        return Text(f"{checks} passed before, {sums.after} now.{unseen}", "bold")
    return Text(f"{count_passing(sums.before, sums.pairs)} now, {sums.after} after this plan.{unseen}", "bold")


def _print_actions(console: Console, plan: Plan, *, every_row: bool) -> None:
    print_heading(console, "Actions")
    if not plan.actions:
        print_indented(console, Text("none: there is nothing to change"), 2)
        return
    peers = name_peers(plan.base, plan.system_names)
    for alike in group_actions(plan.actions):
        listed_actions = alike if every_row else alike[:MAX_ALIKE]
        for action in listed_actions:
            _print_action(console, action, plan, peers, details=every_row)
        if len(alike) > len(listed_actions):
            more = f"and {len(alike) - len(listed_actions)} more alike (--all shows them)"
            console.print(Text(f"     {more}", "dim"), soft_wrap=True)


def _print_action(console: Console, action: Action, plan: Plan, peers: ShortNames, *, details: bool) -> None:
    sign = _SIGNS.get(action.kind, "↻")
    line = Text(escape(headline(action, plan)), "bold")
    for detail in _short_details(action, plan, peers):
        line.append(f" · {escape(detail, 2500)}", "not bold")
    print_indented(console, line, 2, first=f"{action.id} {sign} ")
    for detail in _detail_lines(action) if details else ():
        print_indented(console, Text(escape(detail, 2500)), 7)


def _short_details(action: Action, plan: Plan, peers: ShortNames) -> Iterable[str]:
    if isinstance(action, TrustCertificate | TrustOnNode):
        certificate = plan.certificates.get(action.certificate)
        if certificate and certificate.not_after:
            yield f"until {certificate.not_after:%Y-%m-%d}"
        yield describe_approval(action, plan)
    if isinstance(action, SetCiphers):
        yield describe_cipher_change(action)
    if peers_of(action):
        yield f"on {join_peers(peers_of(action), peers, len(plan.base.keys() | {forecast.peer for forecast in plan.endpoints}))}"
    if page := manual_page(action):
        yield f"by hand: {page}"
    yield from refresh_notes(action)


def _detail_lines(action: Action) -> Iterable[str]:
    if isinstance(action, TrustCertificate | RemoveCertificate | TrustOnNode):
        yield short_fingerprint(action.certificate)
    if isinstance(action, SetCiphers):
        yield f"from {action.before}"
        yield f"to   {action.after}"
    if peers_of(action):
        yield f"on {', '.join(peers_of(action))}"
    if reasons_of(action):
        yield f"for {first_few(reasons_of(action), MAX_REASONS)}"


def _print_cards(console: Console, plan: Plan) -> None:
    """Print what a change board asks first: approvals, interruption, undo, the next expiry."""
    print_heading(console, "Before you decide")
    entries = [
        Entry(
            Text(card.topic, "bold"),
            (FinalText(escape(f"{translate(card.title)}. {translate(card.detail)}", 2000), "yellow" if card.urgent else ""),),
        )
        for card in list_cards(plan)
    ]
    print_entries(console, entries, 2)


def _print_approvals(console: Console, plan: Plan) -> None:
    required = approvals_required(plan)
    if not required:
        return
    print_heading(console, "Needs your approval")
    advice = (
        "These certificates were only seen on the network. No trusted source confirms them. Compare each fingerprint with the one "
        "on the server itself, then pass it to plan or apply with --approve:"
    )
    print_indented(console, Text(advice), 2)
    for action in required:
        certificate = plan.certificates.get(action.certificate)
        subject = certificate.subject if certificate else ""
        # On a line of its own and never wrapped, because it is copied from here.
        console.print(Text(f"  {action.certificate}", "yellow"), soft_wrap=True)
        print_indented(console, Text(f"{escape(subject)}, seen at {escape(first_few(action.because, 2))}"), 4)


def _print_alternatives(console: Console, plan: Plan) -> None:
    print_heading(console, "Plans that were not chosen")
    if not plan.alternatives:
        print_indented(console, Text("none with another result, or the same result at another cost"), 2)
    for alternative in plan.alternatives:
        print_bullet(console, alternative.summary, 2)
        print_indented(console, Text(f"Not chosen: {escape(alternative.why_not, 2000)}"), 4)
        if alternative.switch:
            print_indented(console, Text(f"To choose it: {escape(alternative.switch)}"), 4)


def show_list(console: Console, title: str, lines: Sequence[str]) -> None:
    """Print `lines` under `title`; nothing where there are none."""
    if lines:
        print_heading(console, title)
        for line in lines:
            print_bullet(console, line, 2)
