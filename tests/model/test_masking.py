"""A secret is masked in whatever spelling a system gives it back, and nothing else is."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from remediate.connectors.text import parse_address
from remediate.model.errors import ObservationError
from remediate.model.events import Event
from remediate.model.masking import Mask
from remediate.model.secret import Secret
from remediate.model.text import mask_and_escape
from tests.timing import assert_done_within, assert_grows_in_proportion

PASSWORD = 'Pä55/wörd+"<x>&'
SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "upper case": str.upper,
    "lower case": str.lower,
    "base64": lambda password: base64.b64encode(password.encode()).decode(),
    "URL-safe base64": lambda password: base64.urlsafe_b64encode(password.encode()).decode(),
    "Basic": lambda password: base64.b64encode(f"admin:{password}".encode()).decode(),
    "Basic, another user": lambda password: base64.b64encode(f"an.operator:{password}".encode()).decode(),
    "base64 of more": lambda password: base64.b64encode(f"<password>{password}</password>".encode()).decode(),
    "Basic in Latin-1": lambda password: base64.b64encode(f"admin:{password}".encode("latin-1", errors="ignore")).decode(),
    "JSON": json.dumps,
    "JSON, not ASCII": lambda password: json.dumps(password, ensure_ascii=False),
    "JSON in JSON": lambda password: json.dumps(json.dumps(password)),
    "JSON, slashes escaped": lambda password: json.dumps(password).replace("/", "\\/"),
    "URL": lambda password: quote(password, safe=""),
    "URL, lower case": lambda password: quote(password, safe="").lower(),
    "URL path": quote,
    "URL form": quote_plus,
    "URL, every byte": lambda password: "".join(f"%{byte:02X}" for byte in password.encode()),
    "HTML": html.escape,
    "HTML, quotation marks as they are": lambda password: html.escape(password, quote=False),
    "XML": lambda password: html.escape(password).replace("&#x27;", "&apos;"),
    "hexadecimal": lambda password: password.encode().hex(),
    "HEXADECIMAL": lambda password: password.encode().hex().upper(),
    "hexadecimal with colons": lambda password: password.encode().hex(":"),
    "Python": repr,
    "Python bytes": lambda password: repr(password.encode()),
    "a shell's word": shlex.quote,
}
passwords = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x17F, exclude_categories=["C", "Z"]), min_size=6, max_size=20
)


@pytest.fixture
def password_mask() -> Mask:
    """A mask that knows one password."""
    mask = Mask()
    mask.remember(PASSWORD)
    return mask


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_is_masked(spelling: str, password_mask: Mask) -> None:
    spelled = SPELLINGS[spelling](PASSWORD)
    masked = password_mask.mask(f"The peer says: [{spelled}] and goes on.")
    # What is beside the secret in the same word may go too
    assert masked.startswith("The peer says: [")
    assert masked.endswith("] and goes on.")
    assert "***" in masked
    assert spelled.strip("\"'") not in masked


@settings(max_examples=60, deadline=None)
@example("Straße-ﬁn", "upper case", "", "")
@example("İstanbul", "lower case", "", "")
@given(passwords, st.sampled_from(sorted(SPELLINGS)), st.text(max_size=20), st.text(max_size=20))
def test_no_password_has_a_spelling_that_is_not_masked(password: str, spelling: str, before: str, after: str) -> None:
    assume(spelling != "Basic in Latin-1" or all(ord(letter) < 256 for letter in password))
    mask = Mask()
    mask.remember(password)
    # The quotation marks of a spelling are no part of the secret; those at the ends of a password are.
    marks = "" if password.strip("\"'") != password else "\"'"
    spelled = SPELLINGS[spelling](password).strip(marks)
    assume(spelled not in before + after)
    assert spelled not in mask.mask(f"{before} {spelled} {after}")


@pytest.mark.parametrize("spelling", sorted(SPELLINGS.keys() - {"URL, lower case"}))
def test_a_secret_of_kilobytes_is_masked_at_once(spelling: str) -> None:
    password, mask = PASSWORD * 300, Mask()
    assert_done_within(5, lambda: mask.remember(password, "admin"))
    message = f"The peer says: {SPELLINGS[spelling](password)}."
    assert_done_within(5, lambda: mask.mask(message))
    masked = mask.mask(message)
    assert len(masked) < 60
    assert "***" in masked


@settings(deadline=None)
@given(st.text(max_size=200))
def test_what_holds_no_secret_stays_as_it_is(text: str) -> None:
    mask = Mask()
    mask.remember("correct horse battery staple")
    assert mask.mask(text) == text


@pytest.mark.parametrize("short", ["a", "ab", "abc"])
def test_a_short_secret_is_masked_as_a_word_and_destroys_no_text(short: str) -> None:
    mask = Mask()
    mask.remember(short, "admin")
    basic = base64.b64encode(f"admin:{short}".encode()).decode()
    assert mask.mask("an abacus abroad, abcd, sha256:abcabc") == "an abacus abroad, abcd, sha256:abcabc"
    assert mask.mask(f"password={short}; Basic {basic}") == "password=***; Basic ***"


def test_the_time_grows_with_the_text_and_no_faster(password_mask: Mask) -> None:
    core = base64.b64encode(PASSWORD.encode()).decode()
    for piece in (core[:-3], "A" * 64, PASSWORD[:-1], f"{core} ", "50c3a4" * 8):
        assert_grows_in_proportion(lambda times: password_mask.mask(piece * times), 2_000, 4)  # noqa: B023 - called at once


def test_a_thousandth_secret_costs_what_the_first_did() -> None:
    passwords = [f"Pw-{number:05}-of-a-cluster" for number in range(1_000)]

    def remember(count: int) -> Mask:
        mask = Mask()
        for password in passwords[:count]:
            mask.remember(password, "admin")
        return mask

    assert_grows_in_proportion(remember, 250, 4)
    mask = remember(1_000)
    assert_done_within(1, lambda: [mask.mask(f"peer {number} answered with 502 Bad Gateway") for number in range(1_000)])
    assert mask.mask(f"both {passwords[3]} and {passwords[999]}") == "both *** and ***"


def test_what_re_takes_for_the_same_letter_is_masked() -> None:
    characters = "".join(chr(number) for number in range(0x110000) if not 0xD800 <= number < 0xE000)
    for letter in "abcdefghijklmnopqrstuvwxyzßäµ":
        mask = Mask()
        mask.remember(f"correct-{letter}-horse")
        for alike in re.findall(f"(?i:{letter})", characters):
            assert mask.mask(f"<CORRECT-{alike}-horse>") == "<***>", alike


def test_a_long_answer_full_of_secrets_is_cut_without_half_a_secret() -> None:
    # Given a password of some length, repeated again and again, so that wherever the answer is cut, it is cut in a password
    password = "".join(f"{number:04}-horse-" for number in range(200))
    Secret(password)
    for shift in range(0, 400, 40):
        masked = mask_and_escape("x" * shift + password * 500, 120)
        assert "horse" not in masked
        assert len(masked) <= 120


def test_messages_are_masked_before_they_are_cut() -> None:
    secret = Secret("wrong-horse-battery")
    login = base64.b64encode(f"admin:{secret.reveal()}".encode()).decode()
    for text in (
        str(ObservationError(f"It answers {login}.", next_step=login)),
        ObservationError("", next_step=f"Ask for {login}.").next_step,
        Event("warning", f"It answers {login}.").message,
        str(Event("warning", "", fields={"answer": login}).fields["answer"]),
        # Cut in the middle of the secret, its first half would be shown.
        mask_and_escape(f"It answers wrong-horse-battery {login}", 25),
    ):
        assert "***" in text
        assert "wrong" not in text
        assert login[:20] not in text
    assert parse_address("node-wrong-horse-battery.example.test") is None
