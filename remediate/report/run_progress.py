"""The progress of a run: on a terminal a table of its peers that moves, elsewhere one dated line for each write."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.control import Control
from rich.live import Live
from rich.text import Text

from remediate.language.messages import mark_words, translate
from remediate.model.canonical import rfc3339, utc_now
from remediate.model.events import Event
from remediate.model.identity import Address
from remediate.model.text import count, escape
from remediate.report.lines import FinalText, colon, print_indented
from remediate.report.moments import format_duration
from remediate.report.names import describe_heads, explain_heads, name_peers
from remediate.report.planned_changes import describe_listed
from remediate.report.progress import LASTING, MAX_MESSAGE, STYLES
from remediate.report.view import GOOD, REFUSED, UNSEEN

_TABLE_FROM = 64
"""On a narrower terminal, each peer has two lines."""
_TITLES = mark_words("peer", "list changes", "ciphers", "restart", "in effect", "time")
_BAR = 12
_MAX_LEGEND = 2000
_UNDER_WAY = "…"
_TIME = 7
"""Columns of a duration."""
_LISTS = frozenset({"trust-certificate", "remove-certificate"})
_MADE = frozenset({"change-complete", "nothing-to-do"})
_MILESTONES = frozenset({"peer-verified", "replicated", "lists-saved", "maintenance", "drain"})
"""Types that have a line of their own elsewhere than on a terminal, beside each write and what lasts."""
_IN_RESULT = frozenset({"manual-step"})
"""Types that the result of a run says, as it is in the end."""
_EFFECTS: Mapping[str, str] = {"in-effect": GOOD, "not-in-effect": REFUSED, "effect-not-known": UNSEEN}
_WAITS_END = frozenset({"change-complete", "change-failed", "replicated", "step", "run-state", *_EFFECTS})
_OF_THE_CLUSTER = frozenset({9, 10, 11, 12, 13})
"""Steps that no single peer is at work in when they begin."""
_ABOUT_NO_WORK = frozenset({"peer-read", "health-unread", "endpoint-probed", "warning", "manual-step", "alarm"})
"""Types that may name another peer than the one that the run is at work on."""
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
_GUARDING, _AFTER_RESTART, _UNDOING = mark_words(
    "Checking the guards of the restart", "Testing what is in effect after the restart", "Undoing, the last change first"
)
_HINT, _UNDO = mark_words("Ctrl-C finishes this step.", "Undo:")


@dataclass(frozen=True, slots=True)
class ExpectedWork:
    """What a run is about to do.

    Attributes:
        peers: Its peers, in their order.
        list_changes: How many changes the trusted CA list of each of them gets.
        undo: Returns the command that undoes a run, by its id; None: there is nothing to undo.
        undoes: It undoes a run: what it takes back is its progress.
        is_listed: What a dry run would do is listed at its end, so not while it runs.
        system_names: What the peers' administrators call them, by address.
    """

    peers: tuple[str, ...]
    list_changes: Mapping[str, int] = field(default_factory=dict)
    undo: Callable[[str], str] | None = None
    undoes: bool = False
    is_listed: bool = False
    system_names: Mapping[Address, str] = field(default_factory=dict)


@dataclass(slots=True)
class _PeerProgress:
    changes: int = 0
    ciphers: str = ""
    restart: str = ""
    effect: str = ""
    has_begun: bool = False
    spent_s: float = 0.0
    change_began: float = 0.0


class _Table(Live):
    """Table that scrolls what is on the screen away after the terminal became narrower: where its old lines are then is not known."""

    _columns = 0
    _is_spoilt = False

    def refresh(self) -> None:
        """Draw the table anew; at the top of an empty screen once a terminal that became narrower keeps its width."""
        columns, before = self.console.width, self._columns
        if self._is_spoilt and columns == before:
            self.console.file.write("\n" * self.console.height)
            self.console.control(Control.home())
        self._is_spoilt = columns < before or (self._is_spoilt and columns != before)
        self._columns = columns
        super().refresh()


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
        self._names = name_peers(work.peers, work.system_names)
        self._peers = {peer: _PeerProgress() for peer in work.peers}
        self._cluster = self._run = self._phase = ""
        self._current = ""
        self._current_since = clock()
        self._guards: list[Event] = []
        self._wait: tuple[str, float] | None = None
        self._started = clock()
        self._live: Live | None = None

    def __enter__(self) -> Self:
        peers = tuple(self._peers)
        names = tuple(str(self._names[peer]) for peer in peers)
        if names != explain_heads(peers, self._names, names):
            self._print(escape(describe_heads(peers, self._names, names), _MAX_LEGEND), "dim")
        if self._moves:
            # Other output is not redirected: a question has to reach the terminal as it is.
            self._live = _Table(
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
            number = int(event.fields.get("step") or 0)
            self._phase = _PHASES.get(number, event.message)
            if number in _OF_THE_CLUSTER:
                self._turn_to("")
        if event.type == "guard":
            self._phase = _GUARDING
        if "undoes" in event.fields:
            self._phase = _UNDOING
        if event.type in {"waiting", "logging", "asking-again"} and isinstance(event.fields.get("seconds"), int):
            self._wait = (event.message, self._clock() + int(event.fields["seconds"] or 0))
        peer = self._peers.get(str(event.fields.get("peer")))
        if peer is not None and event.type not in _ABOUT_NO_WORK:
            self._turn_to(str(event.fields["peer"]))
            self._note_peer(peer, event)

    def _turn_to(self, address: str) -> None:
        """Count the time since the last turn to the peer that was at work, and let that of `address` begin; empty: none is."""
        peer, now = self._peers.get(self._current), self._clock()
        if peer is not None and peer.has_begun:
            peer.spent_s += now - self._current_since
        self._current, self._current_since = address, now

    def _note_peer(self, peer: _PeerProgress, event: Event) -> None:
        now, kind = self._clock(), event.fields.get("change")
        is_maintenance = event.type == "maintenance" and bool(event.fields.get("on"))
        peer.has_begun = peer.has_begun or event.type == "change-start" or is_maintenance
        if event.type == "change-start":
            peer.change_began = now
        if kind == "restart-peer":
            peer.restart = _describe_restart(event, now - peer.change_began)
            if event.type in _MADE:
                self._phase, peer.effect = _AFTER_RESTART, _UNDER_WAY
        elif event.type in _MADE and kind == "set-ciphers":
            peer.ciphers = GOOD
        elif event.type in _MADE and kind in _LISTS:
            peer.changes += 1 if self._work.undoes or "undoes" not in event.fields else -1
        else:
            peer.effect = _EFFECTS.get(event.type, peer.effect)

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
        certificate = escape(describe_listed(event.fields))
        match event.fields.get("change"):
            case "trust-certificate":
                return f"{peer}: added {certificate}, confirmed."
            case "remove-certificate":
                return f"{peer}: removed {certificate}, confirmed."
            case "set-ciphers":
                return f"{peer}: set {escape(str(event.fields.get('name', '')))}, confirmed."
            case _:
                return ""

    def _print(self, line: str, style: str) -> None:
        if self._console.is_terminal:
            moment = f"{self._now().astimezone():%H:%M:%S}"
            if "`" in line:
                # A command is copied as one line.
                self._console.print(Text.assemble((f"{moment}  ", "dim"), (line, style)), soft_wrap=True)
            else:
                print_indented(self._console, Text(line, style), 0, first=f"{moment}  ")
            return
        where = f"{escape(self._cluster)}{colon()} " if self._cluster else ""
        self._console.print(FinalText(f"{rfc3339(self._now())} {where}"), Text(line, style), soft_wrap=True, sep="")

    def render(self) -> Group:
        """Return the table as it is now, not higher than the terminal."""
        head, foot = tuple(self._render_head()), tuple(self._render_foot())
        return Group(*head, *self._render_rows(self._console.height - len(head) - len(foot) - 1), *foot)

    def _render_head(self) -> Iterator[Text]:
        total, number = sum(self._work.list_changes.values()), sum(peer.changes for peer in self._peers.values())
        changes = translate(f"{number} of {count(total, 'list change')}") if total else ""
        subject = (escape(self._cluster), translate(f"run {self._run}") if self._run else "")
        progress = (changes, format_duration(self._clock() - self._started))
        parts = ["  ".join(filter(None, part)) for part in (subject, progress)]
        for line in self._join_if_short([part for part in parts if part], "  "):
            yield self._render_line(line, "bold")

    def _render_rows(self, room: int) -> Iterator[Text]:
        width = max((len(self._names[peer]) for peer in self._peers), default=0)
        titles = [translate(title) for title in _TITLES]
        widths = [max(pair) for pair in zip(map(len, titles), (width, _BAR + 6, 0, 7, 0, 0), strict=True)]
        wide = self._console.width >= max(_TABLE_FROM, sum(widths[:-1]) + _TIME + 2 * len(widths))
        if wide:
            yield self._render_line(f"  {_in_columns(titles, widths)}", "dim")
        listed = self._choose_peers(room - 1 if wide else room // 2)
        for address in listed:
            peer = self._peers[address]
            mark = "▸ " if address == self._current else "  "
            name = escape(self._names[address])
            style = "" if peer.has_begun else "dim"
            if wide:
                yield self._render_line(mark + _in_columns((name, *self._render_cells(address, peer)), widths), style)
                continue
            yield self._render_line(mark + name, style)
            if row := self._render_narrow_row(address, peer):
                yield self._render_line(f"    {row}", style)
        if len(listed) < len(self._peers):
            yield self._render_line(f"  and {count(len(self._peers) - len(listed), 'other peer')}", "dim")

    def _choose_peers(self, room: int) -> list[str]:
        """Return the peers that there is room for, and for a line about the others: those around the one that is at work."""
        addresses = list(self._peers)
        if len(addresses) <= room:
            return addresses
        size = max(1, room - 1)
        position = addresses.index(self._current) if self._current in self._peers else 0
        begin = min(max(0, position - size // 2), len(addresses) - size)
        return addresses[begin : begin + size]

    def _render_cells(self, address: str, peer: _PeerProgress) -> tuple[str, ...]:
        total = self._work.list_changes.get(address, 0)
        filled = _BAR * min(max(0, peer.changes), total) // total if total else 0
        bar = f"{'█' * filled}{'░' * (_BAR - filled)} {peer.changes}/{total}" if total else ""
        return bar, peer.ciphers, peer.restart, peer.effect, self._format_time_spent(address, peer)

    def _render_narrow_row(self, address: str, peer: _PeerProgress) -> str:
        total = self._work.list_changes.get(address, 0)
        parts = [f"{peer.changes}/{total}" if total else ""]
        values = zip(_TITLES[2:5], (peer.ciphers, peer.restart, peer.effect), strict=True)
        parts += [f"{translate(title)} {value}" if value else "" for title, value in values]
        return "  ".join([part for part in (*parts, self._format_time_spent(address, peer)) if part])

    def _format_time_spent(self, address: str, peer: _PeerProgress) -> str:
        if not peer.has_begun:
            return ""
        return format_duration(peer.spent_s + (self._clock() - self._current_since if address == self._current else 0.0))

    def _render_foot(self) -> Iterator[Text]:
        if self._wait:
            message, end = self._wait
            remaining_s = end - self._clock()
            countdown = [translate(f"Up to {format_duration(remaining_s)} left.")] if remaining_s >= 1 else []
            sentences = [translate(escape(message, MAX_MESSAGE)), *countdown]
            for line in self._join_if_short(sentences):
                yield self._render_line(line, "cyan")
        elif self._phase:
            yield self._render_line(f"{translate(self._phase)} …", "cyan")
        if self._run:
            undo = [f"{translate(_UNDO)} {self._work.undo(self._run)}"] if self._work.undo else []
            for line in self._join_if_short([translate(_HINT), *undo]):
                yield self._render_line(self._cut_after_word(line), "dim")

    def _cut_after_word(self, line: str) -> str:
        """Return as many whole words of `line` as the terminal is wide, so that a path is whole or not there."""
        width = self._console.width
        return line if len(line) <= width else f"{line[: width - 1].rpartition(' ')[0]} …"

    def _join_if_short(self, sentences: Sequence[str], between: str = " ") -> Sequence[str]:
        """Return the sentences as one line, or one each where the terminal is too narrow for that: none hides the next."""
        line = between.join(sentences)
        return [line] if len(line) <= self._console.width else sentences

    def _render_line(self, text: str, style: str) -> Text:
        """Return a line of the table, cut where the terminal ends: a line that wraps would leave its end behind."""
        line = Text(text, style, no_wrap=True, overflow="ellipsis")
        line.truncate(self._console.width, overflow="ellipsis")
        return line


def _describe_restart(event: Event, spent_s: float) -> str:
    if event.type in _MADE:
        return f"{GOOD} {format_duration(spent_s)}"
    return _UNDER_WAY if event.type == "change-start" else REFUSED


def _in_columns(cells: Iterable[str], widths: Iterable[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
