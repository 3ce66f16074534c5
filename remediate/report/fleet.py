"""Several clusters on one screen: a line for each, the worst first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from remediate.language.messages import Verbatim, mark_words, translate
from remediate.model.effect import ClientState, ClientView
from remediate.model.exit_codes import MOST_SERIOUS_FIRST, ExitCode
from remediate.model.identity import PairId
from remediate.model.plan import EndpointForecast, Plan
from remediate.model.text import count, escape
from remediate.report.cards import count_undo, find_next_expiry
from remediate.report.grid import BLOCKS_BELOW
from remediate.report.lines import print_indented, print_table
from remediate.report.names import service_of, service_rank
from remediate.report.view import GOOD, REFUSED, approvals_required, count_pairs, summarise_actions

_FOLD_FROM = 4
"""From so many clusters on that nothing is wrong with, a screen counts them."""
_MAX_STATE = 160
_MIN_NAME = _MIN_STATE = 20
"""Where there is less room for a name and a state, each cluster is a block of lines."""
_LONG_STATE = 40
"""A state that is longer may be cut, so that the names have room."""
_GAP = 2
_ALWAYS_SHOWN = 3
(_HEALTHY,) = mark_words("healthy")


@dataclass(frozen=True, slots=True)
class FleetLine:
    """One cluster.

    Attributes:
        state: What is wrong with it first, or that nothing is.
        figures: The further columns.
        expires: When the first certificate in use ends, RFC 3339 UTC; empty: not known.
    """

    cluster: str
    exit_code: ExitCode
    state: str
    figures: tuple[str, ...] = ()
    expires: str = ""


def show_fleet(console: Console, titles: Sequence[str], lines: Iterable[FleetLine]) -> None:
    """Print a line for each cluster, the worst first; on a screen, those that are well are counted where they are many.

    Args:
        console: Where to print.
        titles: The titles of the further columns.
        lines: The clusters.
    """
    ordered = sorted(lines, key=_badness)
    healthy = [line for line in ordered if line.exit_code is ExitCode.DONE]
    folds = console.is_terminal and len(healthy) >= _FOLD_FROM
    listed = [line for line in ordered if not folds or line.exit_code is not ExitCode.DONE]
    if listed:
        rows = [
            (
                f"{_sign_of(line)} {escape(line.cluster)}",
                escape(line.state, _MAX_STATE),
                *line.figures,
                line.expires[:10] or ("-" if line.figures else ""),
            )
            for line in listed
        ]
        width = max(len(row) for row in rows)
        filled = [(*row[:2], *([""] * (width - len(row))), *row[2:]) for row in rows]
        heads = (*mark_words("  cluster", "state"), *titles, *mark_words("next expiry"))
        number = _count_columns(console, heads, filled)
        print_table(console, heads[:number], _fit_to_screen(console, heads[:number], [row[:number] for row in filled]))
        if left_out := ", ".join(map(translate, heads[number:])):
            print_indented(console, Text(f"Not shown at this width: {left_out}", "dim"), 0)
    if folds:
        soonest = min((line.expires, line.cluster) for line in healthy)
        expiry = f", the first certificate expires {soonest[0][:10]} ({escape(soonest[1])})" if soonest[0] else ""
        print_indented(console, Text(f"{GOOD} {count(len(healthy), 'other cluster')} with nothing to do{expiry}", "green"), 0)


def _count_columns(console: Console, titles: Sequence[str], rows: Sequence[tuple[str, ...]]) -> int:
    """Return how many columns fit on a line of a screen beside a name and a state; in a pipe and on a narrow screen, all of them."""
    number = len(titles)
    if not console.is_terminal or console.width < BLOCKS_BELOW:
        return number
    widths = [max(len(translate(cell)) for cell in column) + _GAP for column in zip(titles, *rows, strict=True)]
    while number > _ALWAYS_SHOWN and sum(widths[2:number]) + _GAP + _MIN_NAME + _MIN_STATE > console.width:
        number -= 1
    return number


def _fit_to_screen(console: Console, titles: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Sequence[tuple[str, ...]]:
    """Return the rows with a long name alone above the rest of its row, and states cut to what fits on one line of a screen.

    The screen of the cluster alone has its state in whole.
    """
    figures = sum(max(len(translate(cell)) for cell in column) + _GAP for column in list(zip(titles, *rows, strict=True))[2:])
    room = console.width - figures - _GAP
    states = [translate(row[1]) for row in rows]
    name_room = max(_MIN_NAME, room - min(max(map(len, states)), _LONG_STATE))
    state_room = room - max(len(row[0]) for row in (titles, *rows) if len(row[0]) <= name_room)
    if not console.is_terminal or state_room < _MIN_STATE or max(len(row[0]) for row in rows) > console.width:
        return rows
    fitting: list[tuple[str, ...]] = []
    for (name, _, *values), state in zip(rows, states, strict=True):
        is_alone = len(name) > name_room
        fitting += [(name, *([""] * (len(values) + 1)))] if is_alone else []
        fitting.append(("" if is_alone else name, Verbatim(_shorten(state, state_room)), *values))
    return fitting


def _shorten(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1].rstrip()}…"


def _badness(line: FleetLine) -> tuple[int, str]:
    return MOST_SERIOUS_FIRST.index(line.exit_code) if line.exit_code in MOST_SERIOUS_FIRST else -1, line.cluster


def _sign_of(line: FleetLine) -> str:
    if line.exit_code is ExitCode.DONE:
        return GOOD
    return "!" if line.exit_code in {ExitCode.NOT_IN_EFFECT, ExitCode.INCOMPLETE, ExitCode.ENDPOINTS_REMAIN} else REFUSED


def describe_failing(forecasts: Sequence[EndpointForecast]) -> str:
    """Return what fails now for the users who miss it most: ``Sign-in fails on 2 of 3 peers``, or on all; empty: nothing does."""
    failing = [forecast for forecast in forecasts if forecast.before.observed and not forecast.before.ok]
    if not failing:
        return ""
    services = {forecast.pair: service_of(forecast.product, forecast.port) or f"Port {forecast.port}" for forecast in failing}
    worst = min(services.values(), key=lambda service: (service_rank(service), service))
    peers = {pair.peer for pair, service in services.items() if service == worst}
    total = len({forecast.peer for forecast in forecasts})
    more = len(set(services.values())) - 1
    besides = f", and {count(more, 'other service')}" if more else ""
    where = f" on {len(peers)} of {count(total, 'peer')}" if len(peers) < total else ""
    return f"{worst} fails{where}{besides}"


def _describe_unseen(plan: Plan, unseen: int) -> str:
    unread = {forecast.peer for forecast in plan.endpoints} - plan.base.keys()
    if unread:
        return f"{count(len(unread), 'peer')} not read"
    return f"{count(unseen, 'check')} not made" if unseen else ""


def verification_line(plan: Plan, views: Mapping[PairId, ClientView], code: ExitCode, waiting: int) -> FleetLine:
    """Return the line of a cluster that was verified.

    Args:
        plan: A plan made now; its "before" is the present verdict.
        views: What clients get.
        code: How the verification of the cluster ends.
        waiting: How many peers are not known to work with what was written to them.
    """
    sums = count_pairs(plan.endpoints)
    views_asked = [view.state for view in views.values() if view.state is not ClientState.NOT_ASKED]
    refused = views_asked.count(ClientState.REFUSED)
    states = [describe_failing(plan.endpoints)]
    states += [f"{count(refused, 'client check')} refused although the list accepts"] if refused else []
    states += [f"{count(waiting, 'peer')} not known to use what was written"] if waiting else []
    states += [_describe_unseen(plan, sums.unseen)]
    clients = f"{views_asked.count(ClientState.REACHED)}/{len(views_asked)}" if views_asked else "not asked"
    expiry = find_next_expiry(plan)
    state = next(filter(None, states), _HEALTHY if code is ExitCode.DONE else "see its details")
    return FleetLine(plan.cluster, code, state, (f"{sums.before}/{sums.pairs}", clients), expiry.at if expiry else "")


def plan_line(plan: Plan, code: ExitCode) -> FleetLine:
    """Return the line of a cluster for which a plan was made."""
    sums = count_pairs(plan.endpoints)
    state = describe_failing(plan.endpoints) or _describe_unseen(plan, sums.unseen) or _HEALTHY
    approvals = len({action.certificate for action in approvals_required(plan)})
    expiry = find_next_expiry(plan)
    figures = (
        f"{sums.before} → {sums.after} of {sums.pairs}",
        summarise_actions(plan).partition(",")[0] or "none",
        str(approvals),
        str(count_undo(plan).by_hand or 0),
    )
    return FleetLine(plan.cluster, code, state, figures, expiry.at if expiry else "")
