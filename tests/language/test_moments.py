"""Moments in messages, as a person reads them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from remediate.language.messages import Verbatim, translate, translate_for_page, use_language
from remediate.language.moments import DAY_WORDS, spell_moment, spell_moments

DEADLINE = "Confirm it by 2026-11-29T02:00:00Z."


@pytest.fixture(autouse=True)
def paris(set_local_zone: Callable[[str], None]) -> None:
    set_local_zone("Europe/Paris")


def spell(text: str) -> str:
    return spell_moments(text, str)


def test_a_moment_in_a_message_is_local_and_utc() -> None:
    assert translate(DEADLINE) == "Confirm it by Sun 29 Nov 2026 03:00 CET (02:00 UTC)."
    assert translate_for_page(DEADLINE) == translate(DEADLINE)


def test_seconds_are_kept_where_there_are_any() -> None:
    assert spell("2026-07-01T22:59:31Z") == "Thu 02 Jul 2026 00:59:31 CEST (Wed 01 Jul 22:59:31 UTC)"


def test_days_are_in_the_language_in_use() -> None:
    use_language("fr")
    assert translate("started 2026-02-01T02:00:00Z") == "démarrée le dim. 01 févr. 2026 03:00 CET (02:00 UTC)"
    assert translate(translate("2026-02-01T02:00:00Z")) == "dim. 01 févr. 2026 03:00 CET (02:00 UTC)"


@pytest.mark.parametrize(
    "text",
    [
        "`remediate explain --at 2026-11-29T02:00:00Z`",
        "2026-11-29T02:00:00.5Z",
        "2026-11-29",
        "2026-11-29T02:00:00Zulu",
        "x2026-11-29T02:00:00Z",
        "9999-13-41T02:00:00Z",
        "9999-12-31T23:59:59Z",
    ],
)
def test_what_is_no_moment_of_ours_stays(text: str) -> None:
    assert spell(text) == text


def test_what_is_verbatim_stays_as_it_stands() -> None:
    assert translate(Verbatim(DEADLINE)) == DEADLINE
    assert translate_for_page(Verbatim(DEADLINE)) == DEADLINE


def test_each_day_and_month_has_its_word() -> None:
    days = [datetime(2026, 1, 5 + number, tzinfo=ZoneInfo("UTC")) for number in range(7)]
    months = [datetime(2026, number, 1, tzinfo=ZoneInfo("UTC")) for number in range(1, 13)]
    words = [spell_moment(day, str).split()[0] for day in days] + [spell_moment(month, str).split()[2] for month in months]
    assert tuple(words) == DAY_WORDS
