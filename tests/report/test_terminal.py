"""The plan on a terminal and in a pipe: complete, within 80 columns, and safe to read."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest

from remediate.model.plan import Plan
from remediate.model.snapshot import DiscoveryGap
from remediate.report.html import plan_page
from remediate.report.markdown import plan_ticket
from remediate.report.terminal import make_console, show_plan
from tests.report.builders import fingerprints_of
from tests.report.screens import HOSTILE, Terminal, on_terminal


def in_pipe(plan: Plan) -> str:
    stream = io.StringIO()
    show_plan(make_console(stream, color=False), plan, every_row=True, explain=True)
    return stream.getvalue()


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
