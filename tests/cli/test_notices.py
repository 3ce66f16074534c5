"""What nobody may miss: at once under -q, once each, in the result's notes, and also when there is no result."""

from __future__ import annotations

from contextlib import suppress

import pytest

from remediate.cli.notices import NoticeCollector
from remediate.cli.session import Session
from remediate.model.events import Event, silent

PRESS = "On the primary, press it."
DELETE = "On expc1, delete it."


def tell(notices: NoticeCollector) -> None:
    notices(Event("step", "5 journal", "edge"))
    notices(Event("reminder", "The workaround is on.", "edge"))
    notices(Event("reminder", "The workaround is on.", "edge"))
    notices(Event("manual-step", PRESS, "edge", {"open": False}))
    notices(Event("manual-step", DELETE, "edge", {"open": True}))


def test_open_steps_of_the_result_are_not_printed_twice(capsys: pytest.CaptureFixture[str]) -> None:
    with NoticeCollector(Session(quiet=True), silent) as notices:
        tell(notices)
        notes = notices.notes_besides([DELETE])

    assert notes == ["The workaround is on.", PRESS]
    assert capsys.readouterr().err == f"edge: The workaround is on.\nedge: {PRESS}\n"


def test_manual_steps_of_a_run_that_fails_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with suppress(KeyboardInterrupt), NoticeCollector(Session(quiet=True), silent) as notices:
        tell(notices)
        raise KeyboardInterrupt

    assert capsys.readouterr().err == f"edge: The workaround is on.\nedge: {PRESS}\nedge: {DELETE}\n"


def test_a_notice_shown_as_progress_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    with NoticeCollector(Session(), silent) as notices:
        tell(notices)

    assert notices.notes_besides([]) == ["The workaround is on.", PRESS, DELETE]
    assert capsys.readouterr().err == ""


def test_what_a_restart_may_settle_is_printed_and_no_note(capsys: pytest.CaptureFixture[str]) -> None:
    with NoticeCollector(Session(quiet=True), silent) as notices:
        notices(Event("not-in-effect", "Not in effect on expc1.", "edge"))

    assert notices.notes_besides([]) == []
    assert capsys.readouterr().err == "edge: Not in effect on expc1.\n"
