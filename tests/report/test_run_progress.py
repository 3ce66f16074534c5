"""A run while it goes on: a table of peers on a terminal, dated lines elsewhere."""

from __future__ import annotations

import io
import re
import time
from dataclasses import replace
from datetime import UTC, datetime

from rich.console import Console

from remediate.language.messages import use_language
from remediate.model.events import Event
from remediate.report.run_progress import ExpectedWork, RunProgress
from remediate.report.terminal import make_console

PEERS = ("expc1.example.test", "expc2.example.test", "expc3.example.test")
WORK = ExpectedWork(PEERS, dict.fromkeys(PEERS, 2), lambda run: f"remediate rollback {run}")
SHA = "sha256:" + "9b" * 32


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def noon() -> datetime:
    return datetime(2026, 11, 29, 12, tzinfo=UTC)


def change(kind: str, peer: str, change_kind: str = "trust-certificate") -> Event:
    return Event(
        kind,
        f"{kind} of CN=imp on {peer}.",
        "edge",
        {"peer": peer, "change": change_kind, "certificate": SHA, "subject": "CN=imp"},
    )


def table_of(progress: RunProgress, columns: int) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=columns, color_system=None).print(progress.render())
    return stream.getvalue().splitlines()


def progress_on(
    stream: io.StringIO, *, terminal: bool, work: ExpectedWork = WORK, clock: Clock | None = None, columns: int = 80
) -> RunProgress:
    console = (
        Console(file=stream, force_terminal=True, width=columns, color_system=None)
        if terminal
        else make_console(stream, color=True)
    )
    return RunProgress(console, work, now=noon, clock=clock or Clock())


def wait_for(text: str, stream: io.StringIO) -> None:
    deadline = time.monotonic() + 30
    while text not in stream.getvalue() and time.monotonic() < deadline:
        time.sleep(0.05)


def test_in_a_pipe_each_write_has_one_dated_line() -> None:
    stream = io.StringIO()

    with progress_on(stream, terminal=False) as progress:
        for event in (
            Event("step", "5 journal the intent", "edge", {"step": 5}),
            Event("endpoint-probed", "cucm:8443: presents rsa.", "edge"),
            change("change-start", PEERS[0]),
            change("change-complete", PEERS[0]),
        ):
            progress(event)

    assert stream.getvalue() == "2026-11-29T12:00:00Z edge: expc1: added CN=imp (sha256:9b9b9b9b…9b9b9b), confirmed.\n"


def test_a_dumb_terminal_gets_lines_and_no_table() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=60, height=25, color_system=None, _environ={"TERM": "dumb"})

    with RunProgress(console, WORK, now=noon) as progress:
        progress(change("change-complete", PEERS[0]))

    assert re.fullmatch(r"\d\d:00:00  expc1: added CN=imp .*,\n {10}confirmed\.\n", stream.getvalue())
    assert "\x1b" not in stream.getvalue()


def test_the_table_shows_what_each_peer_has_so_far() -> None:
    clock = Clock()
    progress = progress_on(io.StringIO(), terminal=True, clock=clock)

    for event in (change("change-start", PEERS[0]), change("change-complete", PEERS[0]), change("nothing-to-do", PEERS[0])):
        progress(event)
    clock.seconds = 19
    progress(change("change-start", PEERS[1]))
    progress(change("change-complete", PEERS[1]))
    clock.seconds = 30

    head, _, *rows, _ = [*table_of(progress, 80), ""]
    assert head == "edge  3 of 6 list changes  0:30"
    assert rows[0].split() == [
        "expc1",
        "████████████",
        "2/2",
        "0:19",
    ]
    assert rows[1].split() == ["▸", "expc2", "██████░░░░░░", "1/2", "0:11"]
    assert rows[2].split() == ["expc3", "░░░░░░░░░░░░", "0/2"]


def test_what_is_waited_for_is_counted_down() -> None:
    clock = Clock()
    progress = progress_on(io.StringIO(), terminal=True, clock=clock)

    progress(Event("run-state", "Run r1 is in the journal.", "edge", {"state": "running", "run": "r1"}))
    progress(Event("waiting", "expc1 restarts.", "edge", {"peer": PEERS[0], "seconds": 180, "run": "r1"}))
    clock.seconds = 9

    assert "expc1 restarts. Up to 2:51 left." in table_of(progress, 80)
    assert table_of(progress, 80)[-1] == "Ctrl-C finishes this step. Undo: remediate rollback r1"


def test_a_wait_ends_with_what_was_waited_for() -> None:
    progress = progress_on(io.StringIO(), terminal=True)

    progress(Event("waiting", "expc1 restarts.", "edge", {"peer": PEERS[0], "seconds": 180}))
    progress(change("change-complete", PEERS[0], "restart-peer"))

    assert not any("left" in line for line in table_of(progress, 80))


def test_no_line_of_the_table_is_wider_than_the_terminal() -> None:
    for columns in (40, 60, 64, 80, 120, 200):
        progress = progress_on(io.StringIO(), terminal=True, columns=columns)
        progress(change("change-start", PEERS[0]))
        progress(Event("waiting", "word " * 60, "edge", {"peer": PEERS[0], "seconds": 180}))

        lines = table_of(progress, columns)
        assert max(map(len, lines)) <= columns
        assert sum("expc" in line for line in lines) == 3


def test_the_mark_and_the_time_are_those_of_the_peer_at_work() -> None:
    clock = Clock()
    progress = progress_on(io.StringIO(), terminal=True, clock=clock)

    progress(change("change-start", PEERS[0]))
    clock.seconds = 5
    progress(Event("waiting", "Testing.", "edge", {"peer": PEERS[1], "seconds": 20}))
    progress(Event("peer-read", "expc3: read.", "edge", {"peer": PEERS[2]}))
    clock.seconds = 9
    progress(Event("step", "12 verify", "edge", {"step": 12}))
    clock.seconds = 60

    _, _, *rows, _ = table_of(progress, 80)
    assert [row.split()[-1] for row in rows] == ["0:05", "0/2", "0/2"]
    assert not any("▸" in row for row in rows)


def test_each_effect_has_its_sign() -> None:
    progress = progress_on(io.StringIO(), terminal=True)

    for kind, peer in zip(("in-effect", "not-in-effect", "effect-not-known"), PEERS, strict=True):
        progress(Event(kind, "Said so.", "edge", {"peer": peer}))

    assert [row.split()[-1] for row in table_of(progress, 80)[2:5]] == ["✓", "✗", "?"]


def test_what_is_undone_after_a_failure_is_taken_off_the_progress() -> None:
    progress = progress_on(io.StringIO(), terminal=True)
    undone = change("change-complete", PEERS[0], "remove-certificate")

    progress(change("change-complete", PEERS[0]))
    progress(replace(undone, fields={**undone.fields, "undoes": 1}))

    assert "0/2" in table_of(progress, 80)[2]


def test_a_table_is_not_higher_than_its_terminal() -> None:
    peers = tuple(f"expc{number:02}.example.test" for number in range(1, 61))
    for columns in (40, 80):
        progress = progress_on(io.StringIO(), terminal=True, work=ExpectedWork(peers), columns=columns)
        progress(change("change-start", peers[40]))

        lines = table_of(progress, columns)
        assert len(lines) < 25
        assert any("▸ expc41" in line for line in lines)
        assert any("other peers" in line for line in lines)


def test_a_narrow_table_keeps_its_progress_and_its_time() -> None:
    progress = progress_on(io.StringIO(), terminal=True, columns=40)

    progress(Event("run-state", "", "edge-production", {"state": "running", "run": "261130-090023-a737"}))

    assert table_of(progress, 40)[:2] == ["edge-production  run 261130-090023-a737", "0 of 6 list changes  0:00"]


def test_a_narrower_terminal_keeps_nothing_of_the_old_table() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100, height=20, color_system=None)
    scrolled_away = "\n" * 20 + "\x1b[H"

    with RunProgress(console, WORK, now=noon):
        wait_for("in effect", stream)
        console.width = 60
        wait_for(scrolled_away, stream)

    assert stream.getvalue().count(scrolled_away) == 1


def test_a_path_in_the_last_line_is_whole_or_left_out() -> None:
    work = ExpectedWork(PEERS, undo=lambda run: f"remediate rollback {run} -i /etc/remediate/inventories/production.yml")
    progress = progress_on(io.StringIO(), terminal=True, work=work, columns=60)

    progress(Event("run-state", "Run r1.", "edge", {"state": "running", "run": "r1"}))

    assert table_of(progress, 60)[-2:] == ["Ctrl-C finishes this step.", "Undo: remediate rollback r1 -i …"]


def test_a_dry_run_that_is_listed_at_its_end_is_not_shown_twice() -> None:
    stream = io.StringIO()

    with progress_on(stream, terminal=False, work=ExpectedWork(PEERS, is_listed=True)) as progress:
        progress(Event("would-change", "Would trust CN=imp.", "edge", {"peer": PEERS[0]}))
        progress(Event("warning", "No removal.", "edge"))

    assert stream.getvalue() == "2026-11-29T12:00:00Z edge: No removal.\n"


def guard(peer: str, name: str, state: str) -> Event:
    return Event(
        "guard",
        f"{peer}: {name} {state}: Said so.",
        "edge",
        {"peer": peer, "guard": name, "state": state, "assumed": False, "rehearsed": True},
    )


def test_guards_of_a_dry_run_that_hold_are_one_line_a_peer() -> None:
    stream = io.StringIO()

    with progress_on(stream, terminal=False) as progress:
        for peer, state in ((PEERS[0], "holds"), (PEERS[1], "fails")):
            progress(guard(peer, "peers-up", "holds"))
            progress(guard(peer, "alarms", state))
        progress(Event("warning", "The last word.", "edge"))

    assert [line.removeprefix("2026-11-29T12:00:00Z edge: ") for line in stream.getvalue().splitlines()] == [
        "expc1: 2 guards hold: peers-up, alarms.",
        "expc2: 1 guard holds: peers-up.",
        "expc2.example.test: alarms fails: Said so.",
        "The last word.",
    ]


def test_guards_that_come_last_are_shown_at_the_end() -> None:
    stream = io.StringIO()
    with progress_on(stream, terminal=False) as progress:
        progress(guard(PEERS[0], "peers-up", "holds"))
    assert "expc1: 1 guard holds: peers-up." in stream.getvalue()


def test_the_french_table_is_in_columns() -> None:
    use_language("fr")
    progress = progress_on(io.StringIO(), terminal=True, columns=110)
    progress(change("change-start", PEERS[0]))
    progress(change("change-complete", PEERS[0]))
    progress(Event("in-effect", "In effect.", "edge", {"peer": PEERS[0]}))
    _, titles, first, *_ = table_of(progress, 110)
    assert titles.split("  ")[1] == "homologue"
    assert first.index("✓") == titles.index("en vigueur")
    assert first.index("0:00") == titles.index("durée")
