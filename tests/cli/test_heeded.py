"""What nobody may miss: at once under -q, once each, in the result's notes, and also when there is no result."""

from __future__ import annotations

from contextlib import suppress

import pytest

from remediate.cli.notices import Heeded
from remediate.cli.session import Session
from remediate.model.events import Event, silent

PRESS = "On the primary, press it."
DELETE = "On expc1, delete it."


def tell(heeded: Heeded) -> None:
    heeded(Event("step", "5 journal", "edge"))
    heeded(Event("reminder", "The workaround is on.", "edge"))
    heeded(Event("reminder", "The workaround is on.", "edge"))
    heeded(Event("manual-step", PRESS, "edge", {"open": False}))
    heeded(Event("manual-step", DELETE, "edge", {"open": True}))


def test_what_the_result_names_as_open_is_not_said_twice(capsys: pytest.CaptureFixture[str]) -> None:
    with Heeded(Session(quiet=True), silent) as heeded:
        tell(heeded)
        notes = heeded.beside([DELETE])

    assert notes == ["The workaround is on.", PRESS]
    assert capsys.readouterr().err == f"edge: The workaround is on.\nedge: {PRESS}\n"


def test_a_run_that_ends_with_an_error_leaves_its_steps_with_the_person(capsys: pytest.CaptureFixture[str]) -> None:
    with suppress(KeyboardInterrupt), Heeded(Session(quiet=True), silent) as heeded:
        tell(heeded)
        raise KeyboardInterrupt

    assert capsys.readouterr().err == f"edge: The workaround is on.\nedge: {PRESS}\nedge: {DELETE}\n"


def test_where_progress_is_shown_nothing_is_said_again(capsys: pytest.CaptureFixture[str]) -> None:
    with Heeded(Session(), silent) as heeded:
        tell(heeded)

    assert heeded.beside([]) == ["The workaround is on.", PRESS, DELETE]
    assert capsys.readouterr().err == ""
