"""What the common options say, and the two streams: data on stdout, everything else on stderr."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from remediate.model.errors import UsageError
from remediate.model.events import Event, Sink

if TYPE_CHECKING:
    from rich.console import Console

    from remediate.report.events import EventLines


@dataclass(slots=True)
class Session:
    """One command line.

    Attributes:
        events: a file for JSON lines; ``-`` is stdout, and what is for people then goes to stderr.
        output_lost: a result could not be written, so a reader of stdout does not have it.
    """

    json: bool = False
    events: str | None = None
    chosen_state_dir: Path | None = None
    quiet: bool = False
    verbose: int = 0
    no_color: bool = False
    no_input: bool = False
    output_lost: bool = False
    _event_lines: EventLines | None = None
    _open: ExitStack = field(default_factory=ExitStack)

    @property
    def state_dir(self) -> Path:
        """Where the journal and the locks are."""
        import platformdirs

        try:
            return self.chosen_state_dir or platformdirs.user_state_path("remediate")
        except RuntimeError as error:
            raise UsageError(
                "This user has no home directory.", next_step="Say where the journal is with --state-dir."
            ) from error

    @property
    def may_ask(self) -> bool:
        """Whether there is a person at a terminal who may be asked."""
        return not self.no_input and sys.stdin is not None and sys.stdin.isatty()

    def out(self) -> Console:
        """Return the console for results."""
        from remediate.report.terminal import make_console

        stream = sys.stderr if self.events == "-" else sys.stdout
        # With stdout closed (`>&-`) there is nobody to read, which is no error.
        return make_console(cast("TextIO", _Kept(stream or io.StringIO(), self._lost)), color=not self.no_color)

    def err(self) -> Console:
        """Return the console for progress and questions."""
        from remediate.report.terminal import make_console

        return make_console(cast("TextIO", _Kept(sys.stderr or io.StringIO(), _nobody_listens)), color=not self.no_color)

    def say(self, sentence: str) -> None:
        """Write a line for a person on stderr, also under ``-q``."""
        from remediate.model.masking import mask
        from remediate.model.text import escape

        if sys.stderr is not None:
            kept = _Kept(sys.stderr, _nobody_listens)
            kept.write("\n".join(escape(line, 4000) for line in mask(sentence).splitlines()) + "\n")
            kept.flush()

    def hint(self, sentence: str) -> None:
        """Write a line that ``-q`` leaves out."""
        if not self.quiet:
            self.say(sentence)

    def _lost(self, error: OSError) -> None:
        self.output_lost = True
        self.say(f"remediate: the result could not be written to stdout: {error.strerror}.")

    def write_json(self, value: Any) -> None:
        """Write the one document of ``--json``."""
        import json

        self.write_json_text(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")

    def write_json_text(self, document: str) -> None:
        """Write JSON text on stdout, where it may be a terminal that shows it: what could steer it is escaped."""
        from remediate.report.text import terminal_json

        self.write(terminal_json(document))

    def write(self, text: str) -> None:
        """Write a document on stdout, in UTF-8 whatever a terminal has: JSON, HTML and Markdown are.

        A reader that has gone away (``| head``) is no error; a full disk is `output_lost`.
        """
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
        if sys.stdout is not None:
            kept = _Kept(sys.stdout, self._lost)
            kept.write(text)
            kept.flush()

    @contextmanager
    def listening(self) -> Iterator[Sink]:
        """Yield the sink for events: progress on stderr, and JSON lines where ``--events`` says."""
        if self.json and self.events == "-":
            raise UsageError("--json and --events - cannot both have stdout.", next_step="Give --events a file.")
        sinks: list[Sink] = [self._lines()] if self.events else []
        with ExitStack() as stack:
            if not self.quiet:
                from remediate.report.progress import Progress

                sinks.append(stack.enter_context(Progress(self.err(), every_event=self.verbose > 0)))
            yield lambda event: _tell(sinks, event)

    def close(self, code: int) -> None:
        """Write the last event and close its file; after a run that is over, a file that cannot be closed is no error of it."""
        with suppress(OSError), self._open:
            if self._event_lines:
                self._event_lines(Event("summary", f"ended with exit code {code}", fields={"exit_code": code}))

    def _events_lost(self, error: OSError) -> None:
        self.say(f"remediate: events from here on are lost: {error.strerror}.")

    def _lines(self) -> EventLines:
        from datetime import UTC, datetime

        from remediate import __version__
        from remediate.cli.files import open_private
        from remediate.report.events import EventLines

        if self._event_lines is None:
            events = self.events or "-"
            stream = (sys.stdout or io.StringIO()) if events == "-" else self._open.enter_context(open_private(Path(events)))
            kept = cast("TextIO", _Kept(stream, self._events_lost))
            self._event_lines = EventLines(kept, version=__version__, now=lambda: datetime.now(UTC))
        return self._event_lines


def _nobody_listens(error: OSError) -> None:
    """The terminal is gone: a run that has begun goes on to its end, and the journal says how it ended."""
    del error


class _Kept:
    """A stream that ends no run: a full disk or a terminal that is gone is told to `lost`, and what follows vanishes."""

    def __init__(self, stream: TextIO, lost: Callable[[OSError], None]) -> None:
        self._stream = stream
        self._lost = lost

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write `text`, or say that it is lost."""
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Hand on what was written, or say that it is lost."""
        self._try(self._stream.flush)

    def _try(self, act: Callable[[], object]) -> None:
        from remediate.report.streams import drain

        try:
            act()
        except BrokenPipeError:
            drain(self._stream)
        except OSError as error:
            drain(self._stream)
            self._lost(error)


def _tell(sinks: list[Sink], event: Event) -> None:
    for sink in sinks:
        sink(event)
