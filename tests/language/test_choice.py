"""Choice of the language."""

from __future__ import annotations

import pytest

from remediate.language.choice import choose_language


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "C"}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "fr_FR.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, "en"),
        ({"LC_MESSAGES": "en_GB.UTF-8", "LC_ALL": "fr_CA@euro"}, "fr"),
        ({"REMEDIATE_LANG": "fr", "LC_ALL": "C"}, "fr"),
        ({"REMEDIATE_LANG": "EN", "LC_ALL": "fr_FR"}, "en"),
        ({"REMEDIATE_LANG": "", "LC_ALL": "fr_FR"}, "fr"),
        ({"LC_ALL": "", "LANG": "fr"}, "fr"),
    ],
)
def test_the_variable_then_the_locale(environment: dict[str, str], language: str) -> None:
    assert choose_language(environment) == language


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="REMEDIATE_LANG is 'klingon'; it can be en or fr"):
        choose_language({"REMEDIATE_LANG": "klingon"})
