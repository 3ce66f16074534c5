"""Errors know their exit code and their next step."""

from __future__ import annotations

import pytest

from remediate.model import errors
from remediate.model.errors import RemediateError


def every_error() -> list[type[RemediateError]]:
    return [var for var in vars(errors).values() if isinstance(var, type) and issubclass(var, RemediateError)]


@pytest.mark.parametrize("kind", every_error())
def test_every_error_has_a_code_of_the_contract_and_a_next_step(kind: type[RemediateError]) -> None:
    error = kind("something happened")
    assert error.exit_code in {1, 3, 4, 5, 6, 7, 8, 64, 70, 130}
    assert error.next_step.endswith(".")
    assert kind("x", next_step="Do this.").next_step == "Do this."
