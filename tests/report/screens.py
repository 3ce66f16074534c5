"""What a terminal shows of a plan, and names that try to make it do something."""

from __future__ import annotations

import io
import re

from remediate.model.plan import Plan
from remediate.report.terminal import make_console, show_plan

HOSTILE = "[bold red]x[/] \x1b[2J\u202e <script>alert(1)</script> {{7*7}} `|*_ \r\n# Approved"


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def on_terminal(plan: Plan, *, columns: int = 80, every_row: bool = True) -> str:
    """Return what a terminal of so many columns shows, without colour and weight."""
    stream = Terminal()
    console = make_console(stream, color=False)
    console.width = columns
    show_plan(console, plan, every_row=every_row, explain=True)
    return re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue())
