"""Streams whose reader may go away."""

from __future__ import annotations

import os
from typing import IO


def drain(stream: IO[str]) -> None:
    """Let whatever is still written to `stream` vanish: its reader has gone away (``| head``), which is no error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
