"""Session of one command line: the common options, and the two streams, data on stdout and the rest on stderr."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from remediate.model.canonical import utc_now
from remediate.model.errors import UsageError
from remediate.model.events import Event, Sink
from remediate.model.limits import Limits

if TYPE_CHECKING:
    from rich.console import Console

    from remediate.model.exit_codes import ExitCode
    from remediate.report.events import EventLines
    from remediate.report.progress import Progress
    from remediate.report.run_progress import ExpectedWork, RunProgress


@dataclass(slots=True)
class Session:
    """Common options of one command line, and its output streams.

    Attributes:
        events: A file for JSON lines; ``-`` is stdout, and text for people then goes to stderr.
        limits: How long is waited and how much is read; a command that works on a lab has others.
        output_lost: A result could not be written to stdout.
    """

    json: bool = False
    events: str | None = None
    chosen_state_dir: Path | None = None
    quiet: bool = False
    verbose: int = 0
    no_color: bool = False
    no_input: bool = False
    limits: Limits = Limits()
    output_lost: bool = False
    _event_lines: EventLines | None = None
    _progress: Progress | RunProgress | None = None
    _open: ExitStack = field(default_factory=ExitStack)

    @property
    def state_dir(self) -> Path:
        """The folder of the journal and the locks. Raises UsageError."""
        return find_state_dir(self.chosen_state_dir)

    @property
    def may_ask(self) -> bool:
        """Whether stdin is a terminal and ``--no-input`` was not given."""
        return not self.no_input and sys.stdin is not None and sys.stdin.isatty()

    def out(self) -> Console:
        """Return the console for results."""
        from remediate.report.terminal import make_console

        stream = sys.stderr if self.events == "-" else sys.stdout
        # A closed stdout (`>&-`) is no error.
        return make_console(
            cast("TextIO", _SafeStream(stream or io.StringIO(), self._report_lost_output)), color=not self.no_color
        )

    def err(self) -> Console:
        """Return the console for progress and questions."""
        from remediate.report.terminal import make_console

        return make_console(cast("TextIO", _SafeStream(sys.stderr or io.StringIO(), _ignore_error)), color=not self.no_color)

    def say(self, sentence: str) -> None:
        """Write a line for a person on stderr, also under ``-q``."""
        from remediate.language.messages import translate
        from remediate.model.masking import mask
        from remediate.model.text import escape
        from remediate.report.wrapping import terminal_columns, wrap_line

        if sys.stderr is not None:
            columns = terminal_columns(sys.stderr)
            lines = [escape(translate(line), 4000) for line in mask(sentence).splitlines()]
            stream = _SafeStream(sys.stderr, _ignore_error)
            stream.write("\n".join(wrap_line(line, columns) if columns else line for line in lines) + "\n")
            stream.flush()

    def hint(self, sentence: str) -> None:
        """Write a line that ``-q`` leaves out."""
        if not self.quiet:
            self.say(sentence)

    def _report_lost_output(self, error: OSError) -> None:
        self.output_lost = True
        self.say(f"remediate: the result could not be written to stdout: {error.strerror}.")

    def write_json(self, value: Any) -> None:
        """Write the one document of ``--json``."""
        import json

        self.write_json_text(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")

    def write_json_text(self, document: str) -> None:
        """Write JSON text on stdout; characters that could steer a terminal are escaped."""
        from remediate.report.text import terminal_json

        self.write(terminal_json(document))

    def write(self, text: str) -> None:
        """Write a document (JSON, HTML, Markdown) on stdout, in UTF-8 whatever the terminal's encoding is.

        A reader that has gone away (``| head``) is no error; a full disk sets `output_lost`.
        """
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
        if sys.stdout is not None:
            stream = _SafeStream(sys.stdout, self._report_lost_output)
            stream.write(text)
            stream.flush()

    @contextmanager
    def open_event_sink(self, work: ExpectedWork | None = None) -> Iterator[Sink]:
        """Yield the sink for events: progress on stderr, and JSON lines to the target of ``--events``.

        Args:
            work: What a run is about to do, where it has a table of its peers; None: it has none.

        Raises:
            UsageError: Both ``--json`` and the events would go to stdout.
        """
        if self.json and self.events == "-":
            raise UsageError("--json and --events - cannot both use stdout.", next_step="Give --events a file.")
        sinks: list[Sink] = [self._event_writer()] if self.events else []
        with ExitStack() as stack:
            if not self.quiet:
                self._progress = self._make_progress(work)
                stack.enter_context(self._progress)
                sinks.append(self._progress)
            try:
                yield lambda event: _emit(sinks, event)
            finally:
                self._progress = None

    def _make_progress(self, work: ExpectedWork | None) -> Progress | RunProgress:
        from remediate.report.progress import Progress
        from remediate.report.run_progress import RunProgress

        if work is None:
            return Progress(self.err(), every_event=self.verbose > 0)
        return RunProgress(self.err(), work, every_event=self.verbose > 0)

    @contextmanager
    def hide_progress(self) -> Iterator[None]:
        """Take what moves off the terminal, for a question."""
        with self._progress.hidden() if self._progress else nullcontext():
            yield

    def close(self, code: ExitCode) -> None:
        """Write the last event and close its file; a failure to close it does not change the exit code."""
        with suppress(OSError), self._open:
            if self._event_lines:
                self._event_lines(Event("summary", f"ended with exit code {code}", fields={"exit_code": code}))

    def _report_lost_events(self, error: OSError) -> None:
        self.say(f"remediate: events from here on are lost: {error.strerror}.")

    def _event_writer(self) -> EventLines:

        from remediate.cli.files import open_private
        from remediate.report.events import EventLines
        from remediate.version import __version__

        if self._event_lines is None:
            events = self.events or "-"
            stream = (sys.stdout or io.StringIO()) if events == "-" else self._open.enter_context(open_private(Path(events)))
            safe_stream = cast("TextIO", _SafeStream(stream, self._report_lost_events))
            self._event_lines = EventLines(safe_stream, version=__version__, now=utc_now)
        return self._event_lines


def find_state_dir(chosen: Path | None, find_default: Callable[[], Path] | None = None) -> Path:
    """Return the folder of the journal and the locks: the one that was chosen, else the user's.

    Args:
        chosen: The folder that was chosen, if one was.
        find_default: Returns the user's, and raises RuntimeError where there is none; None: `platformdirs` does.

    Raises:
        UsageError: None was chosen, and this user has no home directory.
    """
    if chosen:
        return chosen
    try:
        return (find_default or _find_user_state_dir)()
    except RuntimeError as error:
        raise UsageError(
            "This user has no home directory.", next_step="Give the folder of the journal with --state-dir."
        ) from error


def _find_user_state_dir() -> Path:
    import platformdirs

    return platformdirs.user_state_path("remediate")


def _ignore_error(error: OSError) -> None:
    """Ignore a lost terminal: a run that has begun is completed, and the journal records how it ended."""
    del error


class _SafeStream:
    """Stream whose errors end no run: `on_error` is called for a full disk or a lost terminal, and further output is discarded."""

    def __init__(self, stream: TextIO, on_error: Callable[[OSError], None]) -> None:
        self._stream = stream
        self._on_error = on_error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write `text`, or report that it is lost."""
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Flush the stream, or report that output is lost."""
        self._try(self._stream.flush)

    def _try(self, act: Callable[[], object]) -> None:
        from remediate.report.text import discard_output

        try:
            act()
        except BrokenPipeError:
            discard_output(self._stream)
        except OSError as error:
            discard_output(self._stream)
            self._on_error(error)


def _emit(sinks: list[Sink], event: Event) -> None:
    for sink in sinks:
        sink(event)
