"""The last screen of a run."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from remediate.language.messages import use_language
from remediate.report.ending import Ending, print_ending, print_manual_steps
from remediate.report.terminal import make_console

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
PAGE = "Maintenance > Security > Trusted CA certificate"


def delete(peer: str, name: str) -> str:
    return f"On {peer}, open {PAGE} and delete {name} (sha256:{name[-1] * 64})."


def steps_in_pipe(steps: dict[str, list[str]]) -> str:
    stream = io.StringIO()
    print_manual_steps(make_console(stream, color=False), steps)
    return stream.getvalue()


def test_a_page_and_each_step_are_named_once() -> None:
    text = steps_in_pipe(
        {peer: [delete(peer, "CN=a"), delete(peer, "CN=b"), delete(peer, "CN=a")] for peer in ("expc1", "expc2")}
    )

    assert text.count(PAGE) == 1
    assert text.count("CN=a") == text.count("CN=b") == 1
    assert text.startswith("By hand on expc1, expc2:\n")


def test_what_steps_end_with_is_named_once() -> None:
    reason = "expc1 could not be opened: it is down, or no longer a peer of this cluster."
    names = [f"{name} (sha256:{name[-1] * 64})" for name in ("CN=a", "CN=b")]

    text = steps_in_pipe({"expc1": [f"Still to do: remove {name} from the list of expc1. {reason}" for name in names]})

    assert text.splitlines() == [
        "By hand on expc1:",
        f"  Still to do: remove … from the list of expc1. {reason[:-1]}:",
        *(f"    ! {name}" for name in names),
    ]


def test_steps_by_hand_are_in_french() -> None:
    use_language("fr")

    text = steps_in_pipe({"expc1": [delete("expc1", "CN=a"), delete("expc1", "CN=b")]})

    assert text.startswith(f"À la main sur expc1 :\n  ouvrez {PAGE} et supprimez :\n    ! CN=a (sha256:")


def test_steps_that_differ_stay_whole() -> None:
    text = steps_in_pipe({"expc1": ["Restart it.", "Wait."], "": ["End the workaround."]})

    assert text == "By hand on expc1:\n  ! Restart it.\n  ! Wait.\nBy hand:\n  ! End the workaround.\n"


def test_in_a_pipe_the_deadline_is_a_line_with_both_times(set_local_zone: Callable[[str], None]) -> None:
    set_local_zone("Europe/Paris")
    stream = io.StringIO()
    ending = Ending(252.0, "run.html", "remediate rollback r1", "remediate confirm r1", NOW + timedelta(minutes=2, seconds=51))

    print_ending(make_console(stream, color=False), ending, NOW)

    assert stream.getvalue().splitlines() == [
        "Duration: 4:12",
        "Report:   run.html",
        "Undo:     remediate rollback r1",
        "CONFIRM before Sun 29 Nov 2026 13:02 CET (12:02 UTC), in 2 min 51 s, or the run is rolled back.",
        "  remediate confirm r1",
    ]


def test_what_is_too_long_for_its_line_stands_alone_on_one() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=40, color_system=None)
    path = "/var/lib/remediate/reports/261129-004712-4d70.html"

    print_ending(console, Ending(252.0, path, "remediate rollback r1"), NOW)

    assert stream.getvalue().splitlines() == [
        "Duration: 4:12", "Report:", f"  {path}", "Undo:     remediate rollback r1",
    ]  # fmt: skip


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_on_a_terminal_the_deadline_is_in_a_box_that_fits(columns: int) -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=columns, color_system=None)

    print_ending(console, Ending(confirm="remediate confirm r1", confirm_by=NOW), NOW)

    lines = stream.getvalue().splitlines()
    assert lines[0].startswith("┌")
    assert max(map(len, lines)) <= columns
    assert lines[-1] == "  remediate confirm r1"
