"""Effects of writes on each peer, on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.text import Text

from remediate.model.effect import EffectSource, EffectState, PeerEffect
from remediate.model.identity import Address
from remediate.model.text import escape
from remediate.report.lines import Entry, print_entries, print_heading
from remediate.report.names import UNNAMED, join_peers, name_peers
from remediate.report.view import GOOD, REFUSED, UNSEEN

_SYMBOLS = {EffectState.YES: GOOD, EffectState.NO: REFUSED, EffectState.NOT_KNOWN: UNSEEN}
_STYLES = {EffectState.YES: "green", EffectState.NO: "red", EffectState.NOT_KNOWN: "yellow"}


def describe_effect(effect: PeerEffect) -> str:
    """Return the effect on one peer in one line: the state, by what it was seen, and what was seen."""
    if effect.source is EffectSource.NO_WRITE_KNOWN and effect.state is EffectState.YES:
        return effect.description
    source = f", by {effect.source.value}" if effect.source else ""
    return f"{effect.state.value.replace('-', ' ')}{source}: {effect.description}"


def show_effects(
    console: Console,
    effects: Iterable[PeerEffect],
    *,
    system_names: Mapping[Address, str] = UNNAMED,
    is_undo: bool = False,
) -> None:
    """Print a line for each peer, or for peers alike; nothing where no peer was looked at.

    Args:
        console: Where to print.
        effects: The effect of what was written to each peer.
        system_names: What the peers' administrators call them, by address.
        is_undo: It is that of the lists which the peers had before.
    """
    listed = tuple(effects)
    if not listed:
        return
    print_heading(console, "Earlier lists in effect" if is_undo else "In effect")
    alike: dict[tuple[EffectState, str], list[str]] = {}
    for effect in listed:
        alike.setdefault((effect.state, describe_effect(effect)), []).append(effect.peer)
    names = name_peers((effect.peer for effect in listed), system_names)
    entries = [
        Entry(
            Text(escape(join_peers(peers, names, len(listed)), 2000), "bold"),
            (Text(escape(words, 2000)),),
            Text(_SYMBOLS[state], _STYLES[state]),
        )
        for (state, words), peers in alike.items()
    ]
    print_entries(console, entries, 2)
