"""`remediate show --html` of 6 peers and 5,000 endpoints: CPU beside what only parses the plan, memory, and seconds to open it."""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.anchors import VERDICTS, measure_c
from benchmarks.measured import measure
from remediate.formats import plan_document, plan_id
from tests.report.large_plan import large_plan

ENDPOINTS = 5_000
ROUNDS = 5
_PARSE = "import json, sys; json.loads(open(sys.argv[1]).read())"
_TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def run() -> None:
    """Print CPU seconds and memory of the whole command, those of the parser, and the seconds until the page is drawn."""
    with tempfile.TemporaryDirectory() as folder:
        plan, page = Path(folder) / "plan.json", Path(folder) / "plan.html"
        value = large_plan(ENDPOINTS)
        plan.write_text(replace(value, id=plan_id(plan_document(value))).to_json(), encoding="utf-8")
        cpu, megabytes = _measure(["-m", "remediate", "show", str(plan), "--html", str(page), "-q"])
        floor, _ = _measure(["-c", _PARSE, str(plan)])
        opened = _time_opening(page)
        size = f"{page.stat().st_size / 1e6:.2f} MB"
    anchor = measure_c()
    beside = f", {VERDICTS:,} verdicts in C {anchor:.2f} s" if anchor else ""
    beside += f"; json.loads of the plan {floor:.2f} s, ratio {cpu / floor:.1f}"
    print(f"page: 6 x {ENDPOINTS:,}: {cpu:.2f} s CPU, {megabytes:.0f} MB{beside}")
    print(f"page: {size}, drawn after {opened:.2f} s" if opened else "page: not opened: chromium is not installed")


def _measure(arguments: Sequence[str]) -> tuple[float, float]:
    """Return the least CPU seconds, and the peak MB, of a few runs of Python."""
    spent = [measure([sys.executable, *arguments]) for _ in range(ROUNDS)]
    return min(run.cpu_s for run in spent), max(run.megabytes for run in spent)


def _time_opening(page: Path) -> float | None:
    """Return the median of the wall seconds until a page is loaded and drawn; None without Chromium."""
    program = shutil.which("chromium")
    if program is None:
        return None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, chromium_sandbox=False, args=["--disable-gpu"])
        seconds = statistics.median(_time_once(browser, page) for _ in range(ROUNDS))
        browser.close()
    return seconds


def _time_once(browser: Browser, path: Path) -> float:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    started = time.monotonic()
    page.goto(path.as_uri())
    page.evaluate(_TWO_FRAMES)
    seconds = time.monotonic() - started
    page.close()
    return seconds
