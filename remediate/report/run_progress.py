"""The progress of a run: on a terminal a table of its peers that moves, elsewhere one dated line for each write."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from remediate.language.messages import mark_words, translate
from remediate.model.canonical import rfc3339, utc_now
from remediate.model.events import Event
from remediate.model.text import count, escape
from remediate.report.lines import FinalText, print_indented
from remediate.report.moments import format_duration
from remediate.report.names import shorten
from remediate.report.progress import LASTING, MAX_MESSAGE, STYLES
from remediate.report.text import short_fingerprint
from remediate.report.view import GOOD, REFUSED, UNSEEN

_TABLE_FROM = 64
"""On a narrower terminal, each peer has two lines."""
_TITLES = mark_words("peer", "list changes", "ciphers", "restart", "in effect", "time")
_BAR = 12
_TIME = 7
"""Columns of a duration."""
_LISTS = frozenset({"trust-certificate", "remove-certificate"})
_MADE = frozenset({"change-complete", "nothing-to-do"})
_MILESTONES = frozenset({"peer-verified", "replicated", "lists-saved", "maintenance", "drain"})
"""Types that have a line of their own elsewhere than on a terminal, beside each write and what lasts."""
_IN_RESULT = frozenset({"manual-step"})
"""Types that the result of a run says, as it is in the end."""
_WAITS_END = frozenset({"change-complete", "change-failed", "replicated", "in-effect", "not-in-effect", "step", "run-state"})
_PHASES: Mapping[int, str] = {
    1: "Taking the lock",
    2: "Reading every peer and every endpoint",
    3: "Comparing with what the plan was made from",
    4: "Backing up",
    5: "Writing",
    6: "Writing",
    7: "Reading back",
    8: "Checking what worked through this peer",
    9: "Setting the cipher list on the primary",
    10: "Restarting, if needed",
    11: "Refreshing discovery",
    12: "Verifying every endpoint through every peer",
    13: "Closing the run",
}


@dataclass(frozen=True, slots=True)
class ExpectedWork:
    """What a run is about to do.

    Attributes:
        peers: Its peers, in their order.
        list_changes: How many changes the trusted CA list of each of them gets.
        undo: Returns the command that undoes a run, by its id; None: there is nothing to undo.
        is_listed: What a dry run would do is listed at its end, so not while it runs.
    """

    peers: tuple[str, ...]
    list_changes: Mapping[str, int] = field(default_factory=dict)
    undo: Callable[[str], str] | None = None
    is_listed: bool = False


@dataclass(slots=True)
class _PeerProgress:
    changes: int = 0
    ciphers: str = ""
    restart: str = ""
    effect: str = ""
    began: float | None = None
    ended: float | None = None
    change_began: float = 0.0


class RunProgress:
    """Event sink and context manager of a run.

    Args:
        console: Where to show it: stderr.
        work: What the run is about to do.
        every_event: Also print a line for each event that has none of its own.
        clock: Seconds that only grow.
        now: The time of day.
    """

    def __init__(
        self,
        console: Console,
        work: ExpectedWork,
        *,
        every_event: bool = False,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._console = console
        self._work = work
        self._every_event = every_event
        self._clock, self._now = clock, now
        self._moves = console.is_terminal and not console.is_dumb_terminal
        self._names = shorten(work.peers)
        self._peers = {peer: _PeerProgress() for peer in work.peers}
        self._cluster = self._run = self._phase = ""
        self._current = ""
        self._guards: list[Event] = []
        self._wait: tuple[str, float] | None = None
        self._started = clock()
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._moves:
            # Other output is not redirected: a question has to reach the terminal as it is.
            self._live = Live(
                console=self._console, get_renderable=self.render, refresh_per_second=4, transient=True, redirect_stdout=False,
                redirect_stderr=False,
            )  # fmt: skip
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._print_guards()
        if self._live:
            self._live.stop()
            self._live = None

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Take the table off the terminal, for a question."""
        if self._live:
            self._live.stop()
        try:
            yield
        finally:
            if self._live:
                self._live.start(refresh=True)

    def __call__(self, event: Event) -> None:
        """Show `event`."""
        self._note(event)
        if event.type == "guard" and event.fields.get("rehearsed") and not self._every_event:
            self._guards.append(event)
            return
        self._print_guards()
        line = self._describe(event)
        if line is not None:
            self._print(line, STYLES.get(event.type, ""))

    def _print_guards(self) -> None:
        """Print the guards of a dry run that came last: one line for those of a peer that hold, one for each other."""
        events, self._guards = self._guards, []
        peers = dict.fromkeys(str(event.fields.get("peer")) for event in events)
        for peer in peers:
            of_peer = [event for event in events if event.fields.get("peer") == peer]
            guards = [str(event.fields.get("guard")) for event in of_peer if event.fields.get("state") == "holds"]
            if guards:
                self._print(
                    f"{escape(self._names[peer])}: {count(len(guards), 'guard holds', 'guards hold')}: {', '.join(guards)}.", ""
                )
            for event in of_peer:
                if event.fields.get("state") != "holds":
                    self._print(escape(event.message, MAX_MESSAGE), "yellow")

    def _note(self, event: Event) -> None:
        """Take from `event` what the table shows."""
        self._cluster = event.cluster or self._cluster
        self._run = str(event.fields.get("run") or self._run)
        if event.type in _WAITS_END:
            self._wait = None
        if event.type == "step":
            self._phase = _PHASES.get(int(event.fields.get("step") or 0), event.message)
        if event.type in {"waiting", "logging", "asking-again"} and isinstance(event.fields.get("seconds"), int):
            self._wait = (event.message, self._clock() + int(event.fields["seconds"] or 0))
        peer = self._peers.get(str(event.fields.get("peer")))
        if peer is not None:
            self._current = str(event.fields["peer"])
            self._note_peer(peer, event)

    def _note_peer(self, peer: _PeerProgress, event: Event) -> None:
        now, kind = self._clock(), event.fields.get("change")
        is_maintenance = event.type == "maintenance" and bool(event.fields.get("on"))
        if peer.began is None and (event.type == "change-start" or is_maintenance):
            peer.began = now
        if peer.began is not None:
            peer.ended = now
        if event.type == "change-start":
            peer.change_began = now
        if kind == "restart-peer":
            peer.restart = _describe_restart(event, now - peer.change_began)
        elif event.type in _MADE and kind == "set-ciphers":
            peer.ciphers = GOOD
        elif event.type in _MADE and kind in _LISTS:
            peer.changes += 1
        elif event.type in {"in-effect", "not-in-effect"}:
            peer.effect = GOOD if event.type == "in-effect" else UNSEEN

    def _describe(self, event: Event) -> str | None:
        """Return the line that stays of `event`; None: it has none."""
        message = escape(event.message, MAX_MESSAGE)
        if event.type == "change-complete":
            return self._describe_change(event) or message
        if event.type in _IN_RESULT or (event.type == "would-change" and self._work.is_listed):
            return message if self._every_event else None
        lasts = event.type in LASTING or bool(event.fields.get("rehearsed"))
        milestone = not self._moves and event.type in _MILESTONES
        begins = event.type == "run-state" and event.fields.get("state") == "running"
        return message if lasts or milestone or begins or self._every_event else None

    def _describe_change(self, event: Event) -> str:
        peer = escape(self._names[str(event.fields.get("peer", ""))])
        subject = escape(str(event.fields.get("subject", "")))
        fingerprint = short_fingerprint(str(event.fields.get("certificate", "")))  # type: ignore[arg-type]
        match event.fields.get("change"):
            case "trust-certificate":
                return f"{peer}: added {subject} ({fingerprint}), confirmed."
            case "remove-certificate":
                return f"{peer}: removed {subject} ({fingerprint}), confirmed."
            case "set-ciphers":
                return f"{peer}: set {escape(str(event.fields.get('name', '')))}, confirmed."
            case _:
                return ""

    def _print(self, line: str, style: str) -> None:
        if self._moves:
            moment = f"{self._now().astimezone():%H:%M:%S}"
            if "`" in line:
                # A command is copied as one line.
                self._console.print(Text.assemble((f"{moment}  ", "dim"), (line, style)), soft_wrap=True)
            else:
                print_indented(self._console, Text(line, style), 0, first=f"{moment}  ")
            return
        where = f"{escape(self._cluster)}: " if self._cluster else ""
        self._console.print(FinalText(f"{rfc3339(self._now())} {where}"), Text(line, style), soft_wrap=True, sep="")

    def render(self) -> Group:
        """Return the table as it is now."""
        return Group(*self._render_head(), *self._render_rows(), *self._render_foot())

    def _render_head(self) -> Iterator[Text]:
        total = sum(self._work.list_changes.values())
        parts = [escape(self._cluster), f"run {self._run}" if self._run else ""]
        parts.append(f"{sum(peer.changes for peer in self._peers.values())} of {count(total, 'list change')}" if total else "")
        parts.append(format_duration(self._clock() - self._started))
        yield self._render_line("  ".join(part for part in parts if part), "bold")

    def _render_rows(self) -> Iterator[Text]:
        width = max((len(self._names[peer]) for peer in self._peers), default=0)
        titles = [translate(title) for title in _TITLES]
        widths = [max(pair) for pair in zip(map(len, titles), (width, _BAR + 6, 0, 7, 0, 0), strict=True)]
        wide = self._console.width >= max(_TABLE_FROM, sum(widths[:-1]) + _TIME + 2 * len(widths))
        if wide:
            yield self._render_line(f"  {_in_columns(titles, widths)}", "dim")
        for address, peer in self._peers.items():
            mark = "▸ " if address == self._current else "  "
            name = escape(self._names[address])
            style = "" if peer.began is not None else "dim"
            if wide:
                yield self._render_line(mark + _in_columns((name, *self._render_cells(address, peer)), widths), style)
            else:
                yield self._render_line(mark + name, style)
                yield self._render_line("    " + self._render_narrow_row(address, peer), style)

    def _render_cells(self, address: str, peer: _PeerProgress) -> tuple[str, ...]:
        total = self._work.list_changes.get(address, 0)
        filled = _BAR * min(peer.changes, total) // total if total else 0
        bar = f"{'█' * filled}{'░' * (_BAR - filled)} {peer.changes}/{total}" if total else ""
        return bar, peer.ciphers, peer.restart, peer.effect, self._format_time_spent(peer)

    def _render_narrow_row(self, address: str, peer: _PeerProgress) -> str:
        total = self._work.list_changes.get(address, 0)
        parts = [f"{peer.changes}/{total}" if total else ""]
        values = zip(_TITLES[2:5], (peer.ciphers, peer.restart, peer.effect), strict=True)
        parts += [f"{translate(title)} {value}" if value else "" for title, value in values]
        return "  ".join([part for part in (*parts, self._format_time_spent(peer)) if part])

    def _format_time_spent(self, peer: _PeerProgress) -> str:
        if peer.began is None:
            return ""
        end = self._clock() if self._peers.get(self._current) is peer else peer.ended
        return format_duration((end or peer.began) - peer.began)

    def _render_foot(self) -> Iterator[Text]:
        if self._wait:
            message, end = self._wait
            remaining = format_duration(end - self._clock())
            yield self._render_line(
                f"{translate(escape(message, MAX_MESSAGE))} {translate(f'Up to {remaining} left.')}", "cyan"
            )
        elif self._phase:
            yield self._render_line(f"{translate(self._phase)} …", "cyan")
        if self._run and self._work.undo:
            yield self._render_line(f"{translate('Ctrl-C finishes this step. Undo:')} {self._work.undo(self._run)}", "dim")

    def _render_line(self, text: str, style: str) -> Text:
        """Return a line of the table, cut where the terminal ends: a line that wraps would leave its end behind."""
        line = Text(text, style, no_wrap=True, overflow="ellipsis")
        line.truncate(self._console.width, overflow="ellipsis")
        return line


def _describe_restart(event: Event, spent_s: float) -> str:
    if event.type in _MADE:
        return f"{GOOD} {format_duration(spent_s)}"
    return "…" if event.type == "change-start" else REFUSED


def _in_columns(cells: Iterable[str], widths: Iterable[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
