"""Lists and tables at every width: no word is split, no line ends in blanks, and a pipe has whole rows."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console
from rich.text import Text

from remediate.language.messages import use_language
from remediate.model.effect import EffectSource, EffectState, PeerEffect
from remediate.model.identity import Address
from remediate.report.effects import show_effects
from remediate.report.lines import Entry, print_entries, print_heading, print_indented, print_table
from remediate.report.terminal import make_console

PEER = "expressway-c1.communications.example-entreprise.fr"
SENTENCE = f"a request through {PEER} got HTTP 200 from cucm-paris-sub1.communications.example-entreprise.fr:8443"
ENTRIES = (
    Entry(Text(PEER), (Text(SENTENCE), Text("Check it before a restart.")), Text("✓")),
    Entry(Text(""), (Text("short"),), Text("!")),
)
WIDTHS = range(30, 161, 10)


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def console_of(columns: int | None) -> Console:
    """Return a console of a terminal of `columns`; None: of a pipe."""
    console = make_console(io.StringIO() if columns is None else Terminal(), color=False)
    console.width = columns or 80
    return console


def lines_of(console: Console) -> list[str]:
    assert isinstance(console.file, io.StringIO)
    return re.sub(r"\x1b\[[0-9;]*m", "", console.file.getvalue()).splitlines()


def assert_whole(lines: list[str], columns: int | None, words: str) -> None:
    printed = " ".join(lines).split()
    assert all(word in printed for word in words.split())
    assert all(line == line.rstrip() for line in lines)
    assert columns is None or all(len(line) <= columns or len(line.split()) <= 2 for line in lines)


@pytest.mark.parametrize("columns", [None, *WIDTHS])
def test_a_list_splits_no_word_at_any_width(columns: int | None) -> None:
    console = console_of(columns)

    print_entries(console, ENTRIES, 2)

    assert_whole(lines_of(console), columns, f"{PEER} {SENTENCE} ✓ ! short")


def test_a_text_whose_words_need_more_room_stands_below() -> None:
    name = "cucm-paris-sub1.communications.example-entreprise.fr:8443"
    console = console_of(80)

    print_entries(console, [Entry(Text("expressway-c1, expressway-c2, expressway-c3"), (Text(f"no: {name}"),))], 2)

    assert lines_of(console) == ["  expressway-c1, expressway-c2, expressway-c3", f"    no: {name}"]


def test_each_paragraph_of_a_list_is_one_line_in_a_pipe() -> None:
    console = console_of(None)

    print_entries(console, ENTRIES, 2)

    first, advice, second = lines_of(console)
    assert first == f"  ✓ {PEER}  {SENTENCE}"
    assert advice.index("Check") == second.index("short") == first.index("a request")


@pytest.mark.parametrize("columns", [None, *WIDTHS])
def test_a_table_splits_no_cell_at_any_width(columns: int | None) -> None:
    console = console_of(columns)

    print_table(
        console, ("run", "cluster", "ticket"), [("261123-101500-4f2a", PEER, ""), ("261123-101500-4f2b", PEER, "CHG-1")]
    )

    assert_whole(lines_of(console), columns, f"261123-101500-4f2a 261123-101500-4f2b {PEER} CHG-1")


@pytest.mark.parametrize("columns", [None, *WIDTHS])
def test_effects_split_no_address_at_any_width(columns: int | None) -> None:
    console = console_of(columns)

    show_effects(console, [PeerEffect(Address(PEER), EffectState.YES, EffectSource.CLIENT, SENTENCE)])

    assert_whole(lines_of(console), columns, f"{PEER} {SENTENCE}")


@pytest.mark.parametrize("columns", [None, *WIDTHS])
def test_a_heading_splits_no_word_at_any_width(columns: int | None) -> None:
    console = console_of(columns)

    print_heading(console, "How the nodes judge the peers' own certificates")

    assert_whole(lines_of(console), columns, "How the nodes judge the peers' own certificates")


@pytest.mark.parametrize("columns", WIDTHS)
def test_no_line_of_french_begins_with_a_sign(columns: int) -> None:
    use_language("fr")
    console = console_of(columns)

    print_indented(
        console, Text("Le nœud attend : rien ne passe ; est-ce voulu ? Non ! Il dit : « a: b » ; puis plus rien."), 2
    )

    assert not [line for line in lines_of(console) if line.strip()[0] in ":;!?»"]


def test_a_line_of_a_wrapped_sentence_is_not_translated_again() -> None:
    use_language("fr")
    console = console_of(30)

    print_indented(console, Text("Réservé à la page nommée ici Trusted CA certificate."), 0)

    assert " ".join(lines_of(console)) == "Réservé à la page nommée ici Trusted CA certificate."


def test_cells_below_each_other_have_their_titles() -> None:
    console = console_of(30)

    print_table(console, ("peer", "restart", "in effect"), [(PEER, "done after 0:10", "yes")], is_labelled=True)

    assert [line.split() for line in lines_of(console)[1:]] == [
        ["restart"],
        ["done", "after", "0:10"],
        ["in", "effect"],
        ["yes"],
    ]


def test_a_sentence_in_brackets_that_ends_in_a_moment_is_split() -> None:
    console = console_of(40)

    print_indented(
        console, Text("Not tested (two sign-ins were sent, and the next may be sent on Mon 30 Nov 2026 06:54 UTC)."), 0
    )

    assert lines_of(console) == [
        "Not tested (two sign-ins were sent, and",
        "the next may be sent on Mon 30 Nov 2026",
        "06:54 UTC).",
    ]


def test_a_moment_in_utc_is_never_split() -> None:
    console = console_of(40)

    print_indented(console, Text("by ann, Mon 30 Nov 2026 00:10 CET (Sun 29 Nov 23:10 UTC)."), 2)

    assert lines_of(console) == ["  by ann, Mon 30 Nov 2026 00:10 CET", "  (Sun 29 Nov 23:10 UTC)."]
