"""Inputs in batches, each batch in a child process; what ends the child is a finding, with its seed and its input."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.child import CERTIFICATE, FILE, packed
from tests.fuzz.mutations import mutate_certificate, mutate_file

Input = tuple[bytes, bytes]
"""Kind and content."""

_ROOT = Path(__file__).parents[2]
_BATCH = 400
_BATCH_S = 300


@dataclass(frozen=True)
class Finding:
    """An input that the tool does not get over.

    Attributes:
        how: the signal, or the last line of the traceback.
    """

    input: Input
    how: str


def draw_batch(seed: int, samples: Sequence[bytes], count: int = _BATCH) -> list[Input]:
    """The inputs of `seed`: always the same for the same samples."""
    draw = random.Random(seed)  # noqa: S311 - the same inputs for the same seed
    inputs: list[Input] = []
    for _ in range(count):
        if draw.random() < 0.75:
            inputs.append((CERTIFICATE, mutate_certificate(draw.choice(samples), draw.choice(samples), draw)))
        else:
            inputs.append((FILE, mutate_file([draw.choice(samples) for _ in range(draw.randint(1, 3))], draw)))
    return inputs


def run(inputs: Sequence[Input]) -> Iterator[Finding]:
    """Look at all of `inputs` in child processes, one after the other: the next goes on behind a finding."""
    waiting = list(inputs)
    while waiting:
        begun, how = _run_once(waiting)
        if how is None:
            return
        yield Finding(waiting[begun], how)
        waiting = waiting[begun + 1 :]


def _run_once(inputs: Sequence[Input]) -> tuple[int, str | None]:
    """The number of the last input that was begun, and what ended the child; None: it came to its end."""
    with tempfile.NamedTemporaryFile(suffix=".inputs") as file:
        file.write(packed(inputs))
        file.flush()
        command = [sys.executable, "-m", "tests.fuzz.child", file.name]
        try:
            process = subprocess.run(command, cwd=_ROOT, capture_output=True, check=False, timeout=_BATCH_S)
        except subprocess.TimeoutExpired as error:
            return _last(error.stdout or b""), f"no end within {_BATCH_S} s"
    if process.returncode == 0:
        return len(inputs) - 1, None
    lines = process.stderr.decode(errors="replace").splitlines()
    how = f"signal {-process.returncode}" if process.returncode < 0 else (lines or ["no word"])[-1]
    return _last(process.stdout), how


def _last(output: bytes) -> int:
    return int(output.split()[-1]) if output.split() else 0
