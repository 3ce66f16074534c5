"""Room on a disk, with and without a system call for it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from remediate.machine.system import reserve

LIMITED = """
import os, resource, signal, sys
from remediate.machine.system import reserve
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
if sys.argv[2] == "macOS":
    del os.posix_fallocate
with open(sys.argv[1], "wb") as file:
    try:
        reserve(file.fileno(), 200_000)
    except OSError as error:
        print(error.errno)
"""


@pytest.mark.parametrize("system", ["Linux", "macOS"])
def test_room_is_taken_and_not_only_promised(system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if system == "macOS":
        monkeypatch.delattr(os, "posix_fallocate")

    with (tmp_path / "file").open("wb") as file:
        reserve(file.fileno(), 200_001)

    status = (tmp_path / "file").stat()
    assert status.st_size == 200_001
    assert status.st_blocks * 512 >= 200_001


@pytest.mark.parametrize("system", ["Linux", "macOS"])
def test_a_lack_of_room_is_an_error(system: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "file"), system]
    process = subprocess.run(command, capture_output=True, text=True, check=True)

    assert process.stdout == f"{errno.EFBIG}\n"
