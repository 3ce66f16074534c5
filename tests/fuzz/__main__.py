"""``make fuzz``: damaged certificates and files with certificates, through every call into OpenSSL, for some minutes.

`REMEDIATE_FUZZ_S` says for how many seconds, `REMEDIATE_SEED` with which seed to begin. A finding is printed with its seed, and its
input is kept in `fuzz-findings/`.
"""

from __future__ import annotations

import hashlib
import os
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fuzz.campaign import Finding, draw_batch, run
from tests.fuzz.samples import made_here, of_the_corpus

_SECONDS = float(os.environ.get("REMEDIATE_FUZZ_S", "300"))
_FOLDER = Path("fuzz-findings")


def _keep_finding(seed: int, finding: Finding) -> None:
    """Keep the input of `finding`, and say where."""
    kind, content = finding.input
    _FOLDER.mkdir(exist_ok=True)
    path = _FOLDER / f"{hashlib.sha256(content).hexdigest()[:16]}.{'file' if kind == b'f' else 'der'}"
    path.write_bytes(content)
    sys.stdout.write(f"seed {seed}: {finding.how}: {path}\n")


def main() -> int:
    """Fuzz until the time is over. Return 1 where there was a finding."""
    samples = [certificate.der for certificate in (*made_here(), *of_the_corpus())]
    first = int(os.environ.get("REMEDIATE_SEED") or random.SystemRandom().randrange(2**32))
    ends, inputs, findings, seed = time.monotonic() + _SECONDS, 0, 0, first
    workers = os.cpu_count() or 1
    sys.stdout.write(f"{len(samples)} certificates to begin with, seed {first}, {_SECONDS:g} s, {workers} at once\n")
    with ThreadPoolExecutor(workers) as pool:
        while time.monotonic() < ends:
            seeds = range(seed, seed + workers)
            seed += workers
            batches = [draw_batch(number, samples) for number in seeds]
            inputs += sum(map(len, batches))
            for number, batch_findings in zip(seeds, pool.map(lambda batch: list(run(batch)), batches), strict=True):
                findings += len(batch_findings)
                for finding in batch_findings:
                    _keep_finding(number, finding)
    sys.stdout.write(f"{inputs} inputs, {findings} findings\n")
    return min(1, findings)


if __name__ == "__main__":
    sys.exit(main())
