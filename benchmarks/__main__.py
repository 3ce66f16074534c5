"""Run every benchmark: ``python -m benchmarks``."""

from __future__ import annotations

from benchmarks import planning, probing, reading, starting, verdicts

for benchmark in (starting, verdicts, probing, planning, reading):
    benchmark.run()
