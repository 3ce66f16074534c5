"""Whether what was written is in effect on each peer, on a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from remediate.model.effect import EffectSource, EffectState, PeerEffect
from remediate.model.text import escape
from remediate.report.lines import Entry, print_entries, print_heading
from remediate.report.view import GOOD, REFUSED, UNSEEN

_SYMBOLS = {EffectState.YES: GOOD, EffectState.NO: REFUSED, EffectState.NOT_KNOWN: UNSEEN}
_STYLES = {EffectState.YES: "green", EffectState.NO: "red", EffectState.NOT_KNOWN: "yellow"}


def describe_effect(effect: PeerEffect) -> str:
    """Return the effect on one peer in one line: the state, by what it was seen, and what was seen."""
    if effect.source is EffectSource.NO_WRITE_KNOWN and effect.state is EffectState.YES:
        return effect.description
    source = f", by {effect.source.value}" if effect.source else ""
    return f"{effect.state.value.replace('-', ' ')}{source}: {effect.description}"


def show_effects(console: Console, effects: Iterable[PeerEffect]) -> None:
    """Print a line for each peer; nothing where no peer was looked at."""
    listed = tuple(effects)
    if not listed:
        return
    print_heading(console, "In effect")
    entries = [
        Entry(
            Text(escape(effect.peer), "bold"),
            (Text(escape(describe_effect(effect), 2000)),),
            Text(_SYMBOLS[effect.state], _STYLES[effect.state]),
        )
        for effect in listed
    ]
    print_entries(console, entries, 2)
