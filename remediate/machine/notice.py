"""Notices: one JSON document (`remediate.notice/1`) on the standard input of a command that the inventory names."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any, Final

from remediate.model.masking import mask

NOTICE_FORMAT: Final = "remediate.notice/1"
TIMEOUT_S: Final = 60.0


def deliver_notice(command: Sequence[str], notice: Mapping[str, Any], timeout_s: float = TIMEOUT_S) -> str:
    """Run `command` with `notice` on its standard input; no shell is involved, and secrets are masked.

    Returns:
        What went wrong, as the end of a sentence; empty: it ended well.
    """
    document = mask(json.dumps({"format": NOTICE_FORMAT, **notice}, sort_keys=True, ensure_ascii=False)) + "\n"
    try:
        completed = subprocess.run(
            command,
            input=document.encode(errors="backslashreplace"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=timeout_s,
            check=False,
        )
    except OSError as error:
        return f"cannot be run: {error.strerror}"
    except subprocess.TimeoutExpired:
        return f"took longer than {timeout_s:.0f} s, and was stopped"
    return f"ended with exit code {completed.returncode}" if completed.returncode else ""
