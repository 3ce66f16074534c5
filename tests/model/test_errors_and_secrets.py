"""Errors know their exit code and their next step; secrets never become text."""

from __future__ import annotations

import json
import pickle

import pytest

from remediate.model import errors
from remediate.model.canonical import parse_rfc3339, rfc3339
from remediate.model.errors import RemediateError
from remediate.model.exit_codes import most_serious
from remediate.model.secret import Secret
from tests.pki import NOW


def every_error() -> list[type[RemediateError]]:
    return [var for var in vars(errors).values() if isinstance(var, type) and issubclass(var, RemediateError)]


@pytest.mark.parametrize("kind", every_error())
def test_every_error_has_a_code_of_the_contract_and_a_next_step(kind: type[RemediateError]) -> None:
    error = kind("something happened")
    assert error.exit_code in {1, 3, 4, 5, 6, 7, 8, 64, 70, 130}
    assert error.next_step.endswith(".")
    assert kind("x", next_step="Do this.").next_step == "Do this."


def test_the_most_serious_code_wins() -> None:
    assert most_serious([]) == 0
    assert most_serious([0, 2, 10]) == 10
    assert most_serious([8, 70, 3, 1, 4, 6, 5, 7, 9, 10, 2, 0]) == 8
    assert most_serious([2, 4, 10]) == 4
    assert most_serious([8, 130]) == 130


def test_no_way_to_text_shows_the_secret() -> None:
    secret = Secret("canary-3141")
    for text in (str(secret), repr(secret), f"{secret}", f"{secret!r:>20}", "%s" % secret, str([secret]), str({"a": secret})):  # noqa: UP031
        assert "canary" not in text
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    assert secret.reveal() == "canary-3141"
    assert secret == Secret("canary-3141") != Secret("other")
    assert len({secret, Secret("canary-3141")}) == 1


def test_times() -> None:
    assert parse_rfc3339(rfc3339(NOW)) == NOW
    with pytest.raises(ValueError, match="no time zone"):
        parse_rfc3339("2026-11-23T10:00:00")
