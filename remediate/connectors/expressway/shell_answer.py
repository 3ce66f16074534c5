"""The answer of the command shell to one command, as far as it has come: each byte is looked at once. No I/O."""

from __future__ import annotations

from remediate.connectors.expressway import shell_text
from remediate.model.limits import Limits

_SHORT = 400
"""A longer unfinished line is neither OK nor a question nor a pager."""


class TooMuch(Exception):
    """The box prints more than an answer can be; its text says how much."""


class Answer:
    """What a box printed since `command` was typed.

    Attributes:
        lines: the finished lines, as a terminal would show them.
        complete: the box said OK; where the status of the unit was asked for (`greeting`), after a whole block of it.
        failed: a line says that the command failed.
    """

    def __init__(self, command: str, limits: Limits, *, greeting: bool) -> None:
        self._command = command
        self._limits = limits
        self._errors = shell_text.ErrorFinder(command)
        # A banner may hold a line OK: before the greeting's status block none counts.
        self._ok_counts = not greeting
        self._greeting = greeting
        self._pending = bytearray()
        self._size = 0
        self.lines: list[str] = []
        self.complete = False
        self.failed = False

    def take(self, chunk: bytes) -> None:
        """Read on. Raises TooMuch."""
        self._size += len(chunk)
        if self._size > self._limits.shell_answer_bytes:
            raise TooMuch(f"the answer is larger than {self._limits.shell_answer_bytes} bytes")
        *finished, rest = chunk.split(b"\n")
        for piece in finished:
            self._pending += piece
            self._finish()
        self._pending += rest
        self._refuse_long_line()

    @property
    def unfinished(self) -> str:
        """The line whose end has not come; empty where it is too long to mean anything yet."""
        return self._text_of_pending() if len(self._pending) <= _SHORT else ""

    @property
    def ends_if_quiet(self) -> bool:
        """Whether nothing more needs to come: after an error, or an OK whose line is not ended."""
        failed = self.failed and not self._greeting
        return failed or (self._ok_counts and shell_text.is_ok(self.unfinished))

    @property
    def waits_for_a_key(self) -> bool:
        """Whether a pager waits."""
        return shell_text.asks_for_more(shell_text.plain(bytes(self._pending[-_SHORT:])))

    @property
    def question(self) -> str | None:
        """What a person would now be asked, if nothing more comes; None where it is no question."""
        finished = not self._pending.strip()
        last = next((line for line in reversed(self.lines) if line.strip()), "") if finished else self.unfinished
        echo = self._command and self._command in last
        return last if not echo and shell_text.is_question(last, finished=finished) else None

    def all_lines(self) -> list[str]:
        """Return the lines, with the unfinished one as the last."""
        return [*self.lines, self._text_of_pending()]

    def _text_of_pending(self) -> str:
        return shell_text.without_pager(shell_text.plain(bytes(self._pending)))

    def _finish(self) -> None:
        self._refuse_long_line()
        line = self._text_of_pending()
        self._pending.clear()
        self.lines.append(line)
        self.failed |= self._errors.is_error(line)
        if self._greeting and line.lower().startswith("*s/end"):
            self._ok_counts = True
        self.complete |= self._ok_counts and shell_text.is_ok(line)

    def _refuse_long_line(self) -> None:
        if len(self._pending) > self._limits.shell_line_bytes:
            raise TooMuch(f"a line is longer than {self._limits.shell_line_bytes} bytes")
