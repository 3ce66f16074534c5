"""Where the corpus of verdict and plan cases is, if it is here. It is not part of the project: its own README says what is in it."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(os.environ.get("REMEDIATE_CORPUS") or Path(__file__).parents[1].parent / "shared" / "corpus")


def cases(name: str) -> Iterator[dict[str, Any]]:
    """The cases of one file of the corpus. Where there is no corpus, the test says so and ends; everything else still runs."""
    file = FOLDER / f"{name}.jsonl.gz"
    if not file.exists():
        pytest.skip(f"the corpus is not here ({file}); set REMEDIATE_CORPUS to its folder")
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)
