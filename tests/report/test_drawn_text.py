"""Texts in a drawing: in lines that have room, broken between words and the labels of names."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from remediate.report.drawn_text import width_of, wrap_drawn


def test_a_text_that_has_room_is_one_line() -> None:
    assert wrap_drawn("signed by", 20) == ["signed by"]
    assert wrap_drawn("", 20) == [""]


def test_a_line_is_broken_between_words() -> None:
    assert wrap_drawn("trusted by 10.1.1.1, 10.1.1.2", 14) == ["trusted by 10.1.1.1,", "10.1.1.2"]


def test_a_word_that_is_too_long_is_broken_between_labels() -> None:
    assert wrap_drawn("of cucm-pub.example.test", 10) == ["of", "cucm-pub.", "example.test"]


def test_a_word_without_a_place_to_break_is_broken_anywhere() -> None:
    assert wrap_drawn("M" * 20, 10.6) == ["M" * 10, "M" * 10]


@given(st.text(alphabet="aW .-é漢", max_size=60), st.floats(3, 30))
def test_nothing_is_lost_and_no_line_too_wide(text: str, room: float) -> None:
    lines = wrap_drawn(text, room)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(width_of(line) <= room for line in lines)
