"""Hostile text cannot steer, hide in, or reorder what a person reads."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediate.model.identity import Fingerprint
from remediate.model.text import count, escape
from remediate.report.text import short_fingerprint

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


@pytest.mark.parametrize(("text", "shown"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_characters_become_escapes(text: str, shown: str) -> None:
    assert escape(text) == shown


def test_honest_text_of_any_script_stays_as_it_is() -> None:
    text = "CN=Żółć Straße 東京 [bold]{{x}} <b>"

    assert escape(text) == text


def test_a_name_without_end_is_cut() -> None:
    assert escape("x" * 100_000, limit=10) == "x" * 10 + "…"


@given(st.text())
def test_whatever_comes_in_is_one_printable_line(text: str) -> None:
    shown = escape(text)

    assert shown.isprintable()
    assert not any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in shown)
    shown.encode("utf-8")


def test_a_short_fingerprint_keeps_both_ends() -> None:
    assert short_fingerprint(Fingerprint("sha256:" + "ab" * 31 + "cd")) == "sha256:abababab…ababcd"


def test_counts_agree_with_their_noun() -> None:
    assert (count(1, "peer"), count(2, "peer"), count(0, "entry", "entries")) == ("1 peer", "2 peers", "0 entries")
