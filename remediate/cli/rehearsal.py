"""What a dry run found that it would do, peer by peer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediate.language.messages import translate

if TYPE_CHECKING:
    from rich.console import Console

    from remediate.model.events import Event, Sink

_WOULD = "would-change"


class RehearsalCollector:
    """Event sink that keeps what would be done, and forwards every other event."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._lines: dict[str, dict[str, None]] = {}

    def __call__(self, event: Event) -> None:
        """Keep or forward `event`."""
        if event.type == _WOULD:
            self._lines.setdefault(str(event.fields.get("peer") or ""), {}).setdefault(event.message)
        self._sink(event)

    def show(self, console: Console) -> None:
        """Print what would be done to each peer, then what is about none or several; peers alike stand together."""
        from remediate.model.text import escape
        from remediate.report.lines import FinalText, colon, print_bullet, print_heading, print_indented

        if not self._lines:
            return
        print_heading(console, "What would be done")
        alike: dict[tuple[str, ...], list[str]] = {}
        for peer in sorted(self._lines, key=lambda name: not name):
            own = tuple(_leave_out(peer, line) if peer else line for line in self._lines[peer])
            alike.setdefault(own, []).append(peer)
        for lines, peers in alike.items():
            names = ", ".join(peer or translate("The run as a whole") for peer in peers)
            print_indented(console, FinalText(f"{escape(names, 2_000)}{colon()}", "bold"), 2)
            for line in lines:
                print_bullet(console, line, 4)


def _leave_out(peer: str, line: str) -> str:
    """Return a message in the language in use, without the peer that it stands under."""
    return translate(line).replace(translate(f" on {peer}"), "")
