"""Make the pictures of docs/images: ``python -m scripts.pictures`` runs the commands on a lab, in tmux, and draws what they print.

Nothing in a picture was written by hand: a terminal is what tmux shows of it, a page is what the command wrote. Chromium draws both.
It takes some ten minutes, most of them for the restarts.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from scripts.picture_lab import open_lab
from tests.pages.conftest import QUIET

FOLDER = Path(__file__).parents[1] / "docs/images"
_TERMINAL = """<!doctype html><meta charset="utf-8"><style>body{{margin:0;background:#14191f;padding:14px;display:inline-block}}
pre{{margin:0;color:#d7dde4;font:14px/1.3 "DejaVu Sans Mono",monospace}}</style><pre>{code}</pre>"""
_BACKGROUND, _FOREGROUND = (20, 25, 31), (215, 221, 228)
_COLOURS = [
    (26, 26, 26),
    (244, 0, 95),
    (152, 224, 36),
    (253, 151, 31),
    (157, 101, 255),
    (244, 0, 95),
    (88, 209, 235),
    (196, 197, 181),
]
_THEME = TerminalTheme(_BACKGROUND, _FOREGROUND, _COLOURS, [(98, 94, 76), *_COLOURS[1:]])
_PAPER = 703
"""Pixels between the margins of an A4 sheet."""
_COLUMNS, _ROWS = 80, 30
_EXIT = re.compile(r"^\[exit \d+\]", re.MULTILINE)
_LONGEST_S = 1200.0
_POLL_S = 0.5
_SLEEP = f"sleep {_LONGEST_S:.0f}"


@dataclass(frozen=True, slots=True)
class Terminal:
    """A real terminal, in tmux, in which commands are typed.

    Attributes:
        socket: The name of the tmux server, which has no other terminal.
    """

    socket: str

    def start(self) -> None:
        """Start the terminal."""
        size = ["-x", str(_COLUMNS), "-y", str(_ROWS)]
        history = ["set-option", "-g", "history-limit", "5000"]
        self._call("-f", os.devnull, "start-server", ";", *history, ";", "new-session", "-d", *size, _SLEEP)

    def type_line(self, line: str) -> None:
        """Type a line."""
        self._call("send-keys", "-l", line)
        self._call("send-keys", "Enter")

    def run(self, command: str, environment: Mapping[str, str]) -> None:
        """Begin `command` in a clear terminal; its end is marked."""
        settings = [f"{name}={value}" for name, value in environment.items()]
        shell = shlex.join(["env", *settings, "sh", "-c", f'{command}; echo "[exit $?]"; exec {_SLEEP}'])
        self._call("respawn-pane", "-k", shell, ";", "clear-history")

    def wait_for(self, pattern: str | re.Pattern[str]) -> None:
        """Wait until the terminal shows `pattern`. Raises TimeoutError."""
        end = time.monotonic() + _LONGEST_S
        while time.monotonic() < end:
            if re.search(pattern, self.read(with_history=True)):
                return
            time.sleep(_POLL_S)
        raise TimeoutError(f"The terminal did not show {pattern!r}:\n{self.read()}")

    def read(self, *, with_history: bool = False, with_style: bool = False) -> str:
        """Return what the terminal shows, also what scrolled off `with_history`, and `with_style` in its colours."""
        return self._call(
            "capture-pane", "-p", *(["-S", "-"] if with_history else []), *(["-e"] if with_style else [])
        ).rstrip()

    def end(self) -> None:
        """End the terminal."""
        self._call("kill-server")

    def _call(self, *arguments: str) -> str:
        command = [shutil.which("tmux") or "tmux", "-L", self.socket, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def main() -> None:
    """Make every picture."""
    missing = [program for program in ("chromium", "tmux") if shutil.which(program) is None]
    if missing:
        sys.exit(
            f"There is no {' and no '.join(missing)}: scripts/install-judge.sh --with-browser installs Chromium, apt tmux."
        )
    with (
        TemporaryDirectory(prefix="edge-") as folder,
        _open_browser() as browser,
        _open_terminal(Path(folder).name) as terminal,
    ):
        home = Path(folder)
        with open_lab(home / "lab") as lab:
            settings = {
                "REMEDIATE_INVENTORY": str(lab.inventory),
                "REMEDIATE_STATE_DIR": str(home / "state"),
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "TZ": "Europe/Paris",
                "LANG": "C.UTF-8",
            }
            _draw_plan(browser, terminal, home, settings)
            _draw_apply(browser, terminal, home, settings, lab.approvals)
        terminal.run("remediate demo", settings)
        terminal.wait_for(_EXIT)
        lines = terminal.read(with_history=True, with_style=True).splitlines()
        start = next(number for number, line in enumerate(lines) if "What a client gets" in line)
        _draw_terminal(browser, "demo", lines[start:-1])


@contextmanager
def _open_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        program = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, chromium_sandbox=False, args=list(QUIET))
        yield browser
        browser.close()


@contextmanager
def _open_terminal(socket: str) -> Iterator[Terminal]:
    terminal = Terminal(socket)
    terminal.start()
    yield terminal
    terminal.end()


def _draw_plan(browser: Browser, terminal: Terminal, home: Path, settings: Mapping[str, str]) -> None:
    """Make a plan, and draw it as a terminal and as pages."""
    plan = home / "plan.json"
    terminal.run(f"remediate plan -q -o {plan} >/dev/null && remediate show {plan} --html {home / 'plan.html'} && clear "
                 f"&& remediate show {plan}", settings)  # fmt: skip
    terminal.wait_for(_EXIT)
    _draw_terminal(browser, "terminal-plan", terminal.read(with_history=True, with_style=True).splitlines()[:-1])
    page = (home / "plan.html").read_text(encoding="utf-8")
    _draw_page(browser, "report-laptop", page, 1280, 1500)
    _draw_page(browser, "report-phone", page, 390, 1500)
    _draw_page(browser, "report-dark", page, 1280, 900, scheme="dark")
    _draw_page(browser, "report-print", page, _PAPER, 1020, media="print")


def _draw_apply(browser: Browser, terminal: Terminal, home: Path, settings: Mapping[str, str], approvals: Path) -> None:
    """Apply the plan, and draw the terminal as it moves and as it ends, and the page of the run."""
    options = f"--approve-file {approvals} --restart rolling --ticket CHG0012345 --confirm-within 15m"
    terminal.run(f"remediate apply {home / 'plan.json'} {options}", settings)
    terminal.wait_for("Type yes to go on:")
    terminal.type_line("yes")
    # Three peers are done, and the fourth restarts.
    terminal.wait_for(r"(?s)(✓ \d.*){3}… .*restarts\. Up to")
    moving = terminal.read(with_style=True).splitlines()
    terminal.wait_for(_EXIT)
    lines = terminal.read(with_history=True, with_style=True).splitlines()[:-1]
    start = next(
        number
        for number, line in enumerate(lines)
        if re.match(r"(\x1b\[[0-9;]*m)*Peers .*1 = ", line) and _is_after_run(lines, number)
    )
    _draw_terminal(browser, "terminal-apply", [*moving, "", *lines[start:]])
    terminal.run(f"remediate runs show last --html {home / 'run.html'}", settings)
    terminal.wait_for(_EXIT)
    _draw_page(browser, "report-run", (home / "run.html").read_text(encoding="utf-8"), 1280, 1300)


def _is_after_run(lines: list[str], number: int) -> bool:
    """Return whether a line stands after the question: the plan, which it asks about, has the same matrix."""
    return any("Type yes to go on:" in line for line in lines[:number])


def _draw_terminal(browser: Browser, name: str, lines: list[str]) -> None:
    """Draw lines as tmux returns them."""
    console = Console(file=io.StringIO(), force_terminal=True, width=_COLUMNS, record=True, highlight=False)
    console.print(Text.from_ansi("\n".join(lines)), soft_wrap=True)
    page = browser.new_page(viewport={"width": 760, "height": 400})
    page.set_content(console.export_html(theme=_THEME, inline_styles=True, code_format=_TERMINAL))
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
