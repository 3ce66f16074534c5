"""Hostile text cannot steer, hide in, or reorder what a person reads."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediate.model.text import count, escape, escape_ascii, first_few, group_ports, join_words, mask_and_escape, quote

HOSTILE = {
    "clears the screen": ("a\x1b[2Jb", "a\\u{1b}[2Jb"),
    "sets the title": ("\x1b]0;x\x07", "\\u{1b}]0;x\\u{7}"),
    "8-bit CSI": ("a\x9b2Jb", "a\\u{9b}2Jb"),
    "new line": ("ok\r\nremediate: done", "ok\\u{d}\\u{a}remediate: done"),
    "line separator": ("a\u2028b", "a\\u{2028}b"),
    "bidi override": ("a\u202egnp.b", "a\\u{202e}gnp.b"),
    "bidi isolate": ("\u2066x\u2069", "\\u{2066}x\\u{2069}"),
    "zero width": ("a\u200bb\ufeffc", "a\\u{200b}b\\u{feff}c"),
    "NUL": ("good.test\x00.evil.test", "good.test\\u{0}.evil.test"),
    "lone surrogate": ("a\ud800b", "a\\u{d800}b"),
    "blank that is no space": ("a\u3164b\u2800c\u00a0d", "a\\u{3164}b\\u{2800}c\\u{a0}d"),
    "tag characters": ("a\U000e0041b", "a\\u{e0041}b"),
}


@pytest.mark.parametrize(("text", "escaped"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_characters_become_escapes(text: str, escaped: str) -> None:
    assert escape(text) == escaped


def test_honest_text_of_any_script_stays_as_it_is() -> None:
    text = "CN=Żółć Straße 東京 [bold]{{x}} <b>"

    assert escape(text) == text


def test_a_name_without_end_is_cut() -> None:
    assert escape("x" * 100_000, limit=10) == "x" * 10 + "…"


@given(st.text())
def test_whatever_comes_in_is_one_printable_line(text: str) -> None:
    escaped = escape(text)

    assert escaped.isprintable()
    assert not any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in escaped)
    escaped.encode("utf-8")


def test_counts_agree_with_their_noun() -> None:
    assert (count(1, "peer"), count(2, "peer"), count(0, "entry", "entries")) == ("1 peer", "2 peers", "0 entries")


@pytest.mark.parametrize("text", [text for text, _ in HOSTILE.values()], ids=HOSTILE)
@pytest.mark.parametrize("notation", [escape_ascii, mask_and_escape])
def test_every_notation_leaves_one_printable_line(text: str, notation: Callable[[str], str]) -> None:
    assert notation(text).isprintable()


def test_python_escapes_stay_as_they_are_in_stored_messages() -> None:
    assert mask_and_escape("a\x1b\u202eb") == escape_ascii("a\x1b\u202eb") == r"a\x1b\u202eb"


def test_what_a_system_said_is_in_quotation_marks() -> None:
    assert quote("no such\ntable") == "“no such\\ntable”"
    assert quote("x" * 9, 5) == "“xxxx…”"
    assert quote("a ” b") == '“a " b”'


def test_the_first_few_are_named_and_the_rest_counted() -> None:
    assert [first_few("abcd"[:number], 3) for number in range(5)] == ["", "a", "a, b", "a, b, c", "a, b, c and 1 more"]


def test_the_ports_of_one_address_are_listed_together() -> None:
    assert group_ports(["a.test:443", "[2001:db8::1]:5061", "a.test:5061"]) == "a.test (443, 5061), [2001:db8::1]:5061"


def test_addresses_with_the_same_ports_are_listed_together() -> None:
    endpoints = [f"{name}.test:{port}" for name in "abcde" for port in (5061, 5091)]
    assert group_ports([*endpoints, "imp.test:7400"]) == "a.test, b.test, c.test and 2 more (5061, 5091), imp.test:7400"


def test_the_last_two_words_are_joined_by_and() -> None:
    assert [join_words("abcd"[:number], 3) for number in range(5)] == ["", "a", "a and b", "a, b and c", "a, b, c and 1 more"]
