"""Make the pictures of docs/images: ``python -m scripts.pictures`` draws the terminal and the report in Chromium.

What they show is the plan and the run that the tests of the report use, so a picture never shows what no test looks at.
"""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.terminal_theme import MONOKAI

from remediate.report.html import plan_page
from remediate.report.terminal import show_plan
from tests.pages.conftest import QUIET
from tests.report.large_plan import large_plan
from tests.report.run_examples import page_of_a_run, print_end_of_a_run

FOLDER = Path(__file__).parents[1] / "docs/images"
_TERMINAL = """<!doctype html><meta charset="utf-8"><style>body{{margin:0;background:#14191f;padding:14px;display:inline-block}}
pre{{margin:0;color:#d7dde4;font:14px/1.3 "DejaVu Sans Mono",monospace}}</style><pre>{code}</pre>"""
_PAPER = 703
"""Pixels between the margins of an A4 sheet."""


def main() -> None:
    """Make every picture."""
    program = shutil.which("chromium")
    if program is None:
        sys.exit("There is no `chromium`: scripts/install-judge.sh --with-browser installs it.")
    plan = large_plan(60)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, chromium_sandbox=False, args=list(QUIET))
        _draw_terminal(browser, "terminal-plan", lambda console: show_plan(console, plan))
        _draw_terminal(browser, "terminal-apply", print_end_of_a_run)
        page = plan_page(plan)
        _draw_page(browser, "report-laptop", page, 1280, 1500)
        _draw_page(browser, "report-phone", page, 390, 1500)
        _draw_page(browser, "report-dark", page, 1280, 900, scheme="dark")
        _draw_page(browser, "report-print", page, _PAPER, 1020, media="print")
        _draw_page(browser, "report-run", page_of_a_run(), 1280, 1300)
        browser.close()


def _draw_terminal(browser: Browser, name: str, show: Callable[[Console], None]) -> None:
    """Draw what a terminal of 80 columns shows."""
    console = Console(
        file=io.StringIO(), force_terminal=True, width=80, record=True, markup=False, emoji=False, highlight=False
    )
    show(console)
    page = browser.new_page(viewport={"width": 760, "height": 400})
    page.set_content(console.export_html(theme=MONOKAI, inline_styles=True, code_format=_TERMINAL))
    page.locator("body").screenshot(path=FOLDER / f"{name}.png")
    page.close()


def _draw_page(
    browser: Browser, name: str, html: str, width: int, height: int, *, scheme: str = "light", media: str = "screen"
) -> None:
    """Draw the top of a page."""
    page = browser.new_page(viewport={"width": width, "height": height})
    page.emulate_media(media="print" if media == "print" else "screen", color_scheme="dark" if scheme == "dark" else "light")
    page.set_content(html)
    page.screenshot(path=FOLDER / f"{name}.png")
    page.close()


if __name__ == "__main__":
    main()
