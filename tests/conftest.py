"""What holds for every test: none knows the passwords of another, which would be masked in its messages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from remediate.model import masking


@pytest.fixture(autouse=True)
def _no_secrets_of_another_test() -> Iterator[None]:
    yield
    masking.forget()
