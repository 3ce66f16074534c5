"""Every view on a terminal of 40 to 200 columns, on a dumb one, and in a pipe: nothing is split, nothing trails."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping

import pytest
from rich.console import Console

from remediate.model.effect import ClientState, ClientView
from remediate.model.verdict import Cause, Verdict
from remediate.report.plain_symbols import write_plain
from remediate.report.run_text import show_run
from remediate.report.terminal import make_console, show_matrix, show_plan
from remediate.report.verdict import draw_chain, show_verdict
from remediate.report.verification import show_verification
from tests.report.builders import authority, plan_with
from tests.report.large_plan import large_plan
from tests.report.run_examples import measured_pairs, record_of_a_run

COLUMNS = (40, 60, 79, 80, 100, 140, 200)
LARGE, SMALL = large_plan(60), plan_with()
VIEWS_OF_CLIENTS = {
    forecast.pair: ClientView((ClientState.REACHED, ClientState.REFUSED)[number % 2], "said")
    for number, forecast in enumerate(LARGE.endpoints)
}
REFUSED = Verdict(False, Cause.ISSUER_UNKNOWN, "unable to get local issuer certificate", 20, 0)
LEAF = authority("cucm-bruxelles-publisher-secondary.communications.example.fr", "An issuing CA with quite a long name")


def print_verdict(console: Console) -> None:
    advice = [f"Add the certificate of {LEAF.issuer} to the list of expressway-c1.communications.example-entreprise.fr."]
    show_verdict(console, "cucm-bruxelles-publisher-secondary.communications.example.fr:8443", REFUSED,
                 draw_chain([LEAF], [], REFUSED), advice)  # fmt: skip


VIEWS: Mapping[str, Callable[[Console], None]] = {
    "plan": lambda console: show_plan(console, LARGE),
    "whole plan": lambda console: show_plan(console, LARGE, every_row=True, explain=True),
    "small plan": lambda console: show_plan(console, SMALL, every_row=True, explain=True),
    "end of an apply": lambda console: show_matrix(console, LARGE.endpoints, tense="measured"),
    "verification": lambda console: show_verification(console, LARGE.endpoints, VIEWS_OF_CLIENTS),
    "verdict": print_verdict,
    "run": lambda console: show_run(console, record_of_a_run(), {}, LARGE, measured_pairs()),
}


@pytest.fixture(params=list(VIEWS))
def view(request: pytest.FixtureRequest) -> Callable[[Console], None]:
    return VIEWS[request.param]


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def on_screen(view: Callable[[Console], None], columns: int) -> list[str]:
    stream = Terminal()
    console = make_console(stream, color=True)
    console.width = columns
    view(console)
    return re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue()).splitlines()


@pytest.mark.parametrize("columns", COLUMNS)
def test_only_a_word_that_is_longer_than_a_screen_leaves_it(view: Callable[[Console], None], columns: int) -> None:
    # A command is copied as one line.
    long = [line for line in on_screen(view, columns) if len(line) > columns and "`remediate " not in line]

    assert [line for line in long if len(line.split()) > 2] == []


@pytest.mark.parametrize("columns", COLUMNS)
def test_no_address_cause_or_fingerprint_is_split(columns: int) -> None:
    stream = io.StringIO()
    show_plan(make_console(stream, color=False), SMALL, every_row=True, explain=True)
    words = {word for word in stream.getvalue().split() if re.search(r"sha256:|-untrusted|-mismatch|\.test$|\.lab", word)}

    screen = " ".join(on_screen(lambda console: show_plan(console, SMALL, every_row=True, explain=True), columns))

    names = {re.sub(r":\d+$|\.steven\.lab.*$|\.example\.test$", "", word) for word in words}
    assert [name for name in names if name not in screen] == []


def test_on_a_screen_no_line_ends_in_blanks(view: Callable[[Console], None]) -> None:
    for columns in COLUMNS:
        lines = on_screen(view, columns)
        assert lines == [line.rstrip() for line in lines]


def test_in_a_pipe_no_line_ends_in_blanks_or_is_wrapped(
    view: Callable[[Console], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = []
    for columns in ("40", "200"):
        monkeypatch.setenv("COLUMNS", columns)
        stream = io.StringIO()
        view(make_console(stream, color=True))
        outputs.append(stream.getvalue())

    assert outputs[0] == outputs[1]
    assert "\x1b" not in outputs[0]
    lines = outputs[0].splitlines()
    assert lines == [line.rstrip() for line in lines]


def test_a_dumb_terminal_and_one_without_colour_get_no_colour(
    view: Callable[[Console], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("TERM", "dumb"), ("NO_COLOR", "1")):
        with monkeypatch.context() as environment:
            environment.setenv(name, value)
            stream = Terminal()
            view(make_console(stream, color=True))
        assert not re.search(r"\x1b\[[0-9;]*3[0-9]", stream.getvalue())


def test_plain_characters_keep_the_columns(view: Callable[[Console], None]) -> None:
    lines = []
    for is_plain in (False, True):
        data = io.BytesIO()
        stream = io.TextIOWrapper(data, encoding="utf-8")
        if is_plain:
            write_plain(stream)
        view(make_console(stream, color=True))
        stream.flush()
        lines.append(data.getvalue().decode().splitlines())

    assert "\\u" not in "".join(lines[1])
    assert "".join(lines[1]).isascii()
    assert [len(line) for line in lines[1]] == [len(line) for line in lines[0]]


def test_a_plan_of_6_by_60_is_at_most_80_lines_of_80_columns() -> None:
    assert len(on_screen(VIEWS["plan"], 80)) <= 80
