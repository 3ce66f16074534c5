"""JSON documents: a value finds its form without anybody loading it first."""

from __future__ import annotations

import subprocess
import sys

from remediate.model.snapshot import Snapshot
from tests.planner.build import snapshot

READ_AND_WRITE = """
import sys
from remediate.model.snapshot import Snapshot
assert "remediate.formats" not in sys.modules
sys.stdout.write(Snapshot.from_json(sys.stdin.read()).to_json())
"""


def test_a_document_loads_its_form_by_itself() -> None:
    text = snapshot([], [], []).to_json()

    command = [sys.executable, "-c", READ_AND_WRITE]
    output = subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout

    assert output == text
    assert Snapshot.from_json(text.encode()) == Snapshot.from_json(text)
