"""Self-contained HTML pages, such as a plan: nothing is loaded, dark and light, on a phone and on paper, whole without its script."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from remediate.language.choice import ENGLISH
from remediate.language.messages import Verbatim, current_language, translate, translate_for_page
from remediate.model.plan import EndpointForecast, Plan
from remediate.model.text import count, escape
from remediate.report.cards import count_undo, list_cards
from remediate.report.causes import describe_cause
from remediate.report.chain_drawing import WIDTH, draw_chains
from remediate.report.check_counts import count_passing
from remediate.report.cipher_diff import compare_ciphers
from remediate.report.moments import format_moment
from remediate.report.names import ShortNames, name_peers, service_of, service_rank, shorten_endpoints
from remediate.report.page_matrix import PageMatrix, Status, arrange_page, planned_cell
from remediate.report.peer_changes import count_by_peers, group_by_peers
from remediate.report.toward_nodes import TOWARD_NODES, describe_toward_nodes
from remediate.report.view import (
    NO_CHANGE_AHEAD,
    approvals_required,
    count_pairs,
    describe_approval,
    describe_future,
    group_unresolved,
    headline,
    incompleteness_of,
    last_resort,
    manual_page,
    peers_of,
    reasons_of,
    refresh_notes,
    summarise_verdicts,
)

MAX_TEXT = 20_000
_LONG_WORD = re.compile(r"(\S{25,})")
_AFTER_DOT = re.compile(r"(?<=\w[./])(?=\w)")
MAX_DRAWINGS = 60
"""How many chains a page draws; clusters have a few."""


@dataclass(frozen=True, slots=True)
class Tile:
    """The checks of one service: how many pass before and after."""

    heading: str
    before: int
    after: int
    total: int

    @property
    def before_share(self) -> int:
        """The passing checks before, in percent."""
        return 100 * self.before // self.total

    @property
    def after_share(self) -> int:
        """The passing checks after, in percent."""
        return 100 * self.after // self.total


@dataclass(frozen=True, slots=True)
class Chip:
    """A choice of rows of the matrix."""

    status: Status | str
    label: str
    count: int


def plan_page(plan: Plan, next_step: str = "", *, version: str = "") -> str:
    """Return the page of `plan`; `next_step` is what to do with it, `version` that of remediate."""
    sums = count_pairs(plan.endpoints)
    matrix = arrange_page(plan.endpoints, {"": planned_cell}, plan.system_names)
    short = name_endpoints(plan)
    drawings = draw_chains(plan, short)
    return render_page(
        "plan.html.j2",
        with_script=True,
        title=f"Plan for {plan.cluster}",
        plan=plan,
        next_step=next_step,
        version=version,
        tone="warn" if sums.after < sums.pairs else "bad" if plan.alarms else "good",
        made_at=format_moment(plan.made_at),
        versions=describe_versions(plan),
        counts=f"{count(len(plan.base), 'peer')}, {count(sum(matrix.counts.values()), 'endpoint')}",
        verdict=summarise_verdicts(plan),
        cards=list_cards(plan, short),
        short=short,
        tiles=list_tiles(plan.endpoints),
        sentence_of_counts=f"{count_passing(sums.before, sums.pairs)} now, {sums.after} after this plan.",
        matrix=matrix,
        chips=list_chips(matrix, {"fail": "Still fail", "unseen": "Not checked", "fixed": "Fixed", "pass": "Pass now"}),
        drawings=drawings[:MAX_DRAWINGS],
        undrawn=len(drawings[MAX_DRAWINGS:]),
        changes=group_by_peers(plan),
        changes_by_peer=count_by_peers(plan),
        peers=name_peers(plan.base, plan.system_names),
        required=approvals_required(plan),
        left=group_unresolved(plan.unresolved),
        incompleteness=incompleteness_of(plan),
        toward_nodes=describe_toward_nodes(plan),
        future=None if plan.future is None else describe_future(plan) or (NO_CHANGE_AHEAD,),
        undo=count_undo(plan),
        last_resort=last_resort(plan),
    )


def name_endpoints(plan: Plan) -> ShortNames:
    """Return the names of the endpoints of `plan`, without what its legend says once."""
    return shorten_endpoints((forecast.address, forecast.port) for forecast in plan.endpoints)


def describe_versions(plan: Plan) -> str:
    """Return what the peers of `plan` run."""
    versions = sorted({base.version for base in plan.base.values() if base.version})
    return f"Expressway-C {', '.join(versions)}" if versions else "Expressway-C of a version not known"


def list_tiles(forecasts: Iterable[EndpointForecast]) -> tuple[Tile, ...]:
    """Return the checks of each service, in the order in which users miss them."""
    alike = Counter((forecast.product, forecast.port, forecast.before.ok, forecast.after.ok) for forecast in forecasts)
    checks: dict[tuple[int, str], Counter[str]] = {}
    for (product, port, before, after), number in alike.items():
        service = service_of(product, port)
        checks.setdefault((service_rank(service), service or f"Port {port}"), Counter()).update(
            before=before * number, after=after * number, total=number
        )
    return tuple(Tile(name, sums["before"], sums["after"], sums["total"]) for (_, name), sums in sorted(checks.items()))


def list_chips(matrix: PageMatrix, labels: dict[Status, str]) -> tuple[Chip, ...]:
    """Return the choices of rows that `matrix` has; all of them first."""
    return (
        Chip("all", "All", sum(matrix.counts.values())),
        *(Chip(status, label, matrix.counts[status]) for status, label in labels.items() if matrix.counts[status]),
    )


def render_page(name: str, *, with_script: bool, **values: Any) -> str:
    """Return the page that the template `name` makes of `values`; whatever it prints is escaped."""
    style, script = _read_asset("style.css"), _read_asset("filter.js") if with_script else Markup()
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; base-uri 'none'; form-action 'none'"
    )
    template = _environment().get_template(name)
    allowed = Markup(policy)  # noqa: S704 - digests
    return template.render(language=current_language(), style=style, script=script, policy=allowed, **values)


@cache
def _read_asset(name: str) -> Markup:
    """Return a file of ours that goes into the page as it is."""
    environment = _environment()
    source, _, _ = environment.loader.get_source(environment, name) if environment.loader else ("", None, None)
    return Markup(source)  # noqa: S704 - our own file, nothing of a cluster is in it


def _digest(text: str) -> str:
    """Return the digest by which a content security policy allows exactly `text` (CSP Level 3, section 2.3.1)."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _environment() -> Environment:
    # `finalize` receives every value that the template prints: the one place where untrusted text is escaped, and text translated.
    environment = Environment(
        loader=PackageLoader("remediate.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_escape_value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(toward_nodes_title=TOWARD_NODES, headline=headline, manual_page=manual_page)
    environment.globals.update(peers_of=peers_of, reasons_of=reasons_of, refresh_notes=refresh_notes)
    # What is constant in a template does not pass `finalize`, so it is translated by itself.
    environment.globals.update(
        translate=translate,
        verbatim=Verbatim,
        plain=_write_plain,
        mark_commands=_mark_commands,
        is_english=lambda: current_language() == ENGLISH,
    )
    environment.globals.update(
        describe_cause=describe_cause, describe_approval=describe_approval, compare_ciphers=compare_ciphers, width=WIDTH
    )
    return environment


def _escape_value(value: object) -> object:
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    text = escape(value, MAX_TEXT)
    return _let_break(text if isinstance(value, Verbatim) else translate_for_page(text))


def _let_break(text: str) -> str:
    """Return a text in which a long name may be broken after its dots, and not only in the middle of a word."""
    if not _LONG_WORD.search(text):
        return text
    return Markup().join(Markup("<wbr>").join(_AFTER_DOT.split(part)) for part in _LONG_WORD.split(text))


def _mark_commands(text: str) -> Markup:
    """Return a message in which what stands between backticks is code."""
    parts = translate_for_page(escape(text, MAX_TEXT)).split("`")
    marked = (
        Markup("<code>{}</code>").format(_let_break(part)) if number % 2 else _let_break(part)
        for number, part in enumerate(parts)
    )
    return Markup().join(marked)


def _write_plain(text: str) -> Markup:
    """Return a text of others for a place in which HTML has no elements, such as a title or a line of a drawing."""
    return Markup.escape(escape(text, MAX_TEXT))
