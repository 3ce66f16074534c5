"""No core file of a process that holds passwords."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import resource
from remediate.machine.core_dumps import forbid_core_dumps
forbid_core_dumps()
print(resource.getrlimit(resource.RLIMIT_CORE))
"""


def test_a_process_and_its_children_write_no_core_file() -> None:
    output = subprocess.run([sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True).stdout
    assert output.strip() == "(0, 0)"
