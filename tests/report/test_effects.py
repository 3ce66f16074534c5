"""Effects on a terminal: a line for each peer, or for peers alike."""

from __future__ import annotations

import io

from remediate.model.effect import EffectSource, EffectState, PeerEffect
from remediate.model.identity import Address
from remediate.report.effects import describe_effect, show_effects
from remediate.report.terminal import make_console

FIRST, SECOND, THIRD = (Address(f"expc{number}.test") for number in (1, 2, 3))
SEEN = [PeerEffect(peer, EffectState.YES, EffectSource.START, "It restarted since.") for peer in (FIRST, SECOND)]


def show(*effects: PeerEffect) -> str:
    stream = io.StringIO()
    show_effects(make_console(stream, color=False), effects)
    return stream.getvalue()


def test_peers_alike_share_a_line() -> None:
    text = show(*SEEN, PeerEffect(THIRD, EffectState.NOT_KNOWN, None, "No client was asked."))

    assert text.count("yes, by start: It restarted since.") == 1
    assert "expc1, expc2" in text
    assert "not known: No client was asked." in text


def test_peers_that_are_all_alike_are_counted() -> None:
    assert "all 2 peers" in show(*SEEN)
    assert show() == ""


def test_after_an_undo_they_are_those_of_the_earlier_lists() -> None:
    stream = io.StringIO()
    show_effects(make_console(stream, color=False), SEEN, is_undo=True)
    assert stream.getvalue().splitlines()[1] == "Earlier lists in effect"


def test_without_a_known_write_the_description_is_the_whole_line() -> None:
    effect = PeerEffect(FIRST, EffectState.YES, EffectSource.NO_WRITE_KNOWN, "No write is known.")
    assert describe_effect(effect) == "No write is known."
