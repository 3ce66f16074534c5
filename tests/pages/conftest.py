"""A headless Chromium, and pages in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

QUIET = ("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync")  # fmt: skip
OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None and "CI" in os.environ:
        pytest.fail("There is no `chromium`: scripts/install-judge.sh installs it.")
    if program is None:
        pytest.skip("`chromium` is not installed: scripts/install-judge.sh installs it")
    with sync_playwright() as playwright:
        # Chromium's sandbox does not work for root, who runs CI.
        chromium = playwright.chromium.launch(executable_path=program, chromium_sandbox=False, args=list(QUIET))
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[OpenPage]:
    """Yield what opens a page of HTML at a width, in a colour scheme, on a screen or on paper."""
    with ExitStack() as stack:

        def open_html(
            html: str,
            *,
            width: int = 1280,
            scheme: Literal["light", "dark"] = "light",
            media: Literal["screen", "print"] = "screen",
            script: bool = True,
        ) -> Page:
            path = tmp_path / "page.html"
            path.write_text(html, encoding="utf-8")
            context = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script
            )
            stack.callback(context.close)
            page = context.new_page()
            page.emulate_media(media=media, color_scheme=scheme)
            page.goto(path.as_uri())
            return page

        yield open_html
