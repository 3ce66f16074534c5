"""The same plan on a terminal, as a page and as a ticket: complete, within 80 columns, and safe to read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from remediate.language.messages import translate
from remediate.model.canonical import rfc3339
from remediate.model.identity import Address
from remediate.model.plan import FutureVerdict, Plan, RefreshDiscovery
from remediate.model.snapshot import DiscoveryGap
from remediate.model.verdict import Cause
from remediate.report.html import plan_page
from remediate.report.markdown import plan_ticket
from tests.report.builders import PEERS, plan_with
from tests.report.screens import HOSTILE, on_terminal


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
        assert f"{translate(rfc3339(at))}: {PEERS[0]} refuses (expired) cucm0.lab:8443" in words
        assert f"{root.common_name} ends" in words
        assert words.count("refuses (expired)") == 1


def test_an_empty_future_is_reported_and_an_unknown_one_is_not(plan: Plan) -> None:
    for view in (on_terminal, plan_ticket, plan_page):
        assert "No verdict changes within the horizon" in view(replace(plan, future=()))
        assert "horizon" not in view(plan)


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


@pytest.mark.parametrize("view", [plan_ticket, plan_page])
def test_the_workaround_is_offered_only_where_it_was_seen(view: Callable[[Plan], str], plan: Plan) -> None:
    offered = {peer: replace(base, offers_workaround=True) for peer, base in plan.base.items()}
    partly = {**offered, next(iter(plan.base)): next(iter(plan.base.values()))}

    assert "remediate workaround on" in view(replace(plan, base=offered))
    for base in (plan.base, partly, {}):
        assert "remediate workaround on" not in view(replace(plan, base=base))
        assert "Not every peer was seen to offer the workaround" in view(replace(plan, base=base))


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
