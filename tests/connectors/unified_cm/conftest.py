"""What stays open until a test ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Yield what is left at the end of the test."""
    with ExitStack() as stack:
        yield stack
