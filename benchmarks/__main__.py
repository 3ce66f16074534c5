"""Run every benchmark: ``python -m benchmarks``."""

from __future__ import annotations

from benchmarks import planning, starting, verdicts

for benchmark in (starting, verdicts, planning):
    benchmark.run()
