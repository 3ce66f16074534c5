"""A command that gets one JSON document, whatever it does with it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from remediate.machine.notice import deliver_notice
from remediate.model.masking import remember


def test_the_command_gets_a_document_without_a_secret(tmp_path: Path) -> None:
    remember("hunter2-and-more")
    received = tmp_path / "notice.json"

    assert deliver_notice(("tee", str(received)), {"message": "hunter2-and-more was refused"}) == ""

    document = json.loads(received.read_text())
    assert document["format"] == "remediate.notice/1"
    assert "hunter2" not in document["message"]


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ((sys.executable, "-c", "raise SystemExit(3)"), "ended with exit code 3"),
        (("/nowhere/notify",), "cannot be run: No such file or directory"),
        ((sys.executable, "-c", "import time; time.sleep(30)"), "took longer than 1 s, and was stopped"),
    ],
)
def test_what_went_wrong_is_the_end_of_a_sentence(command: tuple[str, ...], problem: str) -> None:
    assert deliver_notice(command, {}, timeout_s=1) == problem
