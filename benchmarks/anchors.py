"""The anchor of the run: 10,000 verdicts in C, so that CPU seconds of one machine can be compared with those of another."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from benchmarks.fleet import NOW, certificate

VERDICTS = 10_000
SOURCE = Path(__file__).with_name("verify.c")


@cache
def measure_c() -> float | None:
    """Return the CPU seconds of 10,000 verdicts in C (P-256 throughout, parsing included); None without a compiler or headers."""
    root = certificate("Root", "Root", ca=True).der
    issuing = certificate("Issuing", "Root", ca=True).der
    leaves = [certificate(f"node{number}.bench", "Issuing", (f"node{number}.bench",)).der for number in range(VERDICTS)]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for name, content in (("root.der", root), ("issuing.der", issuing), ("leaves", b"".join(leaves))):
            (place / name).write_bytes(content)
        try:
            compiler = [shutil.which("cc") or "cc", "-O2", "-o", str(place / "verify"), str(SOURCE), "-lcrypto"]
            subprocess.run(compiler, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        command = [*(str(place / name) for name in ("verify", "root.der", "issuing.der", "leaves")), str(int(NOW.timestamp()))]
        verified, seconds = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert int(verified) == VERDICTS
    return float(seconds)


def run() -> None:
    """Print the anchor."""
    seconds = measure_c()
    if seconds is None:
        print(
            "anchor: no C compiler with OpenSSL's headers (build-essential, libssl-dev), so no floor beside the numbers below"
        )
    else:
        print(f"anchor: {VERDICTS:,} verdicts in C take {seconds:.2f} s CPU ({VERDICTS / seconds:,.0f}/s)")
