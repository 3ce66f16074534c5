"""The same plan on a terminal, as a page and as a ticket: complete, within 80 columns, and safe to read."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from remediate.model.identity import Address
from remediate.model.plan import EndpointForecast, FutureVerdict, Plan, RefreshDiscovery
from remediate.model.snapshot import DiscoveryGap
from remediate.model.verdict import Cause
from remediate.report.html import plan_page
from remediate.report.markdown import plan_ticket
from remediate.report.terminal import make_console, show_plan
from remediate.report.view import arrange_matrix, count_pairs, summarise_actions
from tests.report.builders import GOOD, PEERS, fingerprints_of, plan_with, refused

HOSTILE = "[bold red]x[/] \x1b[2J\u202e <script>alert(1)</script> {{7*7}} `|*_ \r\n# Approved"


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def on_terminal(plan: Plan, *, columns: int = 80, every_row: bool = True) -> str:
    """Return what a terminal of so many columns shows, without colour and weight."""
    stream = Terminal()
    console = make_console(stream, color=False)
    console.width = columns
    show_plan(console, plan, every_row=every_row, explain=True)
    return re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue())


def in_pipe(plan: Plan) -> str:
    stream = io.StringIO()
    show_plan(make_console(stream, color=False), plan, every_row=True, explain=True)
    return stream.getvalue()


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_with()


def test_the_terminal_view_fits_80_columns(plan: Plan) -> None:
    assert max(map(len, on_terminal(plan).splitlines())) <= 80


def test_the_terminal_view_says_everything_that_decides(plan: Plan) -> None:
    view = on_terminal(plan)

    for word in (
        "Incomplete",
        "expc1 expc2 expc3",
        "✗→✓",
        "name-mismatch",
        "needs your approval",
        "by hand",
        "expires in 20 days",
    ):
        assert word in view
    assert "3 of 12 checks pass now, 9 after this plan." in view
    assert "2001:db8::9" in view
    assert "[2001:db8::9]:8443" in in_pipe(plan)
    assert "--ciphers prefer-rsa" in view


def test_every_view_says_what_makes_a_plan_incomplete(plan: Plan) -> None:
    words = "AXL on cucm.steven.lab says: " + " ".join(f"reason{number}" for number in range(100))
    gap = DiscoveryGap("cucm.steven.lab", "axl", "not-asked", incomplete=True, message=words)
    blind = replace(plan, undiscovered=(gap, replace(gap, incomplete=False, message="harmless")))

    for view in (on_terminal(blind), plan_ticket(blind), plan_page(blind)):
        assert "Incomplete" in view
        assert words in " ".join(view.replace("•", " ").split())
        assert "harmless" not in view.partition("reason99")[0]


def test_every_view_groups_what_the_calendar_changes(plan: Plan) -> None:
    root = plan.certificates[next(iter(plan.certificates))]
    at = root.not_after
    assert at is not None
    changes = tuple(
        FutureVerdict(at, Address(f"cucm{number}.lab"), 8443, PEERS[0], False, Cause.EXPIRED, (root.fingerprint,))
        for number in range(5)
    )
    dated = replace(plan, future=changes)

    for view in (on_terminal(dated), plan_ticket(dated), plan_page(dated)):
        words = " ".join(view.replace("•", " ").replace("\\", "").split())
        assert f"{at:%Y-%m-%d %H:%M} UTC: {PEERS[0]} refuses (expired) cucm0.lab:8443" in words
        assert f"{root.common_name} ends" in words
        assert words.count("refuses (expired)") == 1


def test_an_empty_future_is_said_and_an_unknown_one_is_not(plan: Plan) -> None:
    for view in (on_terminal, plan_ticket, plan_page):
        assert "No verdict changes within the horizon" in view(replace(plan, future=()))
        assert "horizon" not in view(plan)


def test_what_a_fault_says_is_shown_and_not_obeyed(plan: Plan) -> None:
    gap = DiscoveryGap("x", "axl", "not-asked", incomplete=True, message=HOSTILE)
    blind = replace(plan, undiscovered=(gap,))

    assert plan_page(blind).count("<script") == 1
    for view in (on_terminal(blind), plan_ticket(blind), plan_page(blind)):
        assert not {"\x1b", "\u202e", "\r"} & set(view)
    assert "\n# Approved" not in plan_ticket(blind)


def test_a_fingerprint_to_approve_is_whole_and_on_one_line(plan: Plan) -> None:
    required = fingerprints_of(plan)[1]

    assert f"  {required}\n" in on_terminal(plan)
    assert f"  {required}\n" in on_terminal(plan, columns=40)


def test_rows_that_verify_everywhere_are_counted_not_listed(plan: Plan) -> None:
    stream = io.StringIO()
    show_plan(make_console(stream, color=False), plan)

    assert "✓ 1 other endpoint passes through every peer" in stream.getvalue()
    assert "cucm.steven.lab:8443  " not in stream.getvalue()


def test_colour_is_off_on_request_and_without_a_terminal(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in in_pipe(plan)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    show_plan(make_console(stream, color=True), plan)
    assert "\x1b[32m" not in stream.getvalue()


def test_the_verdict_comes_first(plan: Plan) -> None:
    lines = in_pipe(replace(plan, complete=True)).splitlines()

    assert lines[1] == (
        "9 of 12 checks fail, on all 3 peers. This plan fixes 6 of them. 1 certificate needs your approval. "
        "1 endpoint needs other work."
    )


def test_a_pipe_has_whole_names_one_endpoint_a_line(plan: Plan) -> None:
    view = in_pipe(plan)

    assert not any(line != line.rstrip() for line in view.splitlines())
    assert re.search(r"^cucm\.steven\.lab:6972 +✗→✓ +✗→✓ +✗→✓ .*self-signed-untrusted$", view, re.MULTILINE)


def test_hostile_names_are_shown_and_interpreted_nowhere() -> None:
    hostile = plan_with(HOSTILE[:60], advice=HOSTILE, note=HOSTILE, error=HOSTILE, cluster=HOSTILE)

    terminal, ticket, page = on_terminal(hostile), plan_ticket(hostile), plan_page(hostile)

    assert "[bold red]x[/]" in terminal
    for view in (terminal, ticket, page):
        assert "\x1b" not in view
        assert "\u202e" not in view
        assert "\\u{1b}[2J" in view.replace("\\\\", "\\").replace("\\[", "[")
        assert "\n# Approved" not in view
    assert page.count("<script") == 1
    assert "&lt;script&gt;" in page
    assert "{{7*7}}" in page
    assert "\\<script\\>" in ticket


def test_the_page_is_well_formed_and_loads_nothing(plan: Plan) -> None:
    page = plan_page(plan)
    tags = _Tags()
    tags.feed(page)

    assert not tags.open
    assert tags.seen.isdisjoint({"link", "img", "iframe", "object"})
    assert page.count("<script>") == 1
    assert " style=" not in page
    assert "http://" not in page
    assert "https://" not in page
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
    for fingerprint in fingerprints_of(plan):
        assert fingerprint in page
    assert "needs approval" in page


def test_the_ticket_lists_every_change_under_its_peer(plan: Plan) -> None:
    ticket = plan_ticket(plan)
    first = ticket.index("### `expc1.example.test`")
    second = ticket.index("### `expc2.example.test`")

    assert first < ticket.index("**a6**") < second
    assert plan.id in ticket
    for section in ("## Impact", "## Verification", "## Rollback", "## Approvals needed", "## Not fixed by this change"):
        assert section in ticket
    for fingerprint in fingerprints_of(plan):
        assert fingerprint in ticket


@pytest.mark.parametrize("view", [plan_ticket, plan_page])
def test_the_workaround_is_offered_only_where_it_was_seen(view: Callable[[Plan], str], plan: Plan) -> None:
    offered = {peer: replace(base, offers_workaround=True) for peer, base in plan.base.items()}
    partly = {**offered, next(iter(plan.base)): next(iter(plan.base.values()))}

    assert "remediate workaround on" in view(replace(plan, base=offered))
    for base in (plan.base, partly, {}):
        assert "remediate workaround on" not in view(replace(plan, base=base))
        assert "was not seen on every peer" in view(replace(plan, base=base))


def test_every_view_says_what_a_refresh_costs_and_needs(plan: Plan) -> None:
    warned = tuple(
        replace(action, warning="Do not refresh yet.") if isinstance(action, RefreshDiscovery) else action
        for action in plan.actions
    )

    cautioned = replace(plan, actions=warned)
    for text in (on_terminal(cautioned), plan_ticket(cautioned), plan_page(cautioned)):
        words = " ".join(text.split())
        assert "Sign-in over MRA is down for 5 to 45 seconds" in words
        assert "Do not refresh yet" in words


def test_a_plan_is_summed_up_in_counts(plan: Plan) -> None:
    assert summarise_actions(plan) == (
        "2 certificates to trust and 1 certificate to remove on 3 peers, 1 cipher list to set, discovery of 1 publisher to refresh, "
        "3 peers to restart if needed"
    )
    assert summarise_actions(replace(plan, actions=())) == ""


def test_the_matrix_keeps_order_and_holes() -> None:
    mismatch = refused(Cause.NAME_MISMATCH)
    address = plan_with().endpoints[0].address
    forecasts = [EndpointForecast(address, 1, PEERS[0], mismatch, mismatch), EndpointForecast(address, 2, PEERS[1], GOOD, GOOD)]

    matrix = arrange_matrix(forecasts)

    assert matrix.labels == ("expc1", "expc2")
    assert [tuple(cell is not None for cell in row.cells) for row in matrix.rows] == [(True, False), (False, True)]
    assert [row.causes for row in matrix.rows] == [("name-mismatch",), ()]
    assert (count_pairs(forecasts).pairs, count_pairs(forecasts).after) == (2, 1)


class _Tags(HTMLParser):
    _VOID = frozenset({"meta", "br", "input", "wbr"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self.seen.add(tag)
        if tag not in self._VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
