"""Likeness of a recorded cluster (`remediate doctor --record FILE`): the peers of a lab answer in its forms.

The pages about the interface and the elements of ``xStatus`` are answered as recorded, and the recorded cipher lists are set.
Lists, certificates, addresses and the nodes stay the lab's own: a recording has none of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from remediate.model.recording import Exchange, PeerRecording

if TYPE_CHECKING:
    from remediate.lab.state import SimulatedPeer

_PAGES = re.compile(r"/api(?:/v1)?(?:/provisioning)?/(?:raml|sysinfo|status/common/upgradestatus)|/status\.xml")
_OWN_ELEMENTS = frozenset({"alternates"})
"""Elements with the addresses of the cluster, which are the lab's own."""
_LEAF = re.compile(r'\*c xConfiguration (?P<path>[^:]+): "?(?P<value>[^"]*)"?', re.IGNORECASE)
_NOT_FOUND = "ERROR: Invalid path."


def imitate(peers: Iterable[SimulatedPeer], recordings: tuple[PeerRecording, ...]) -> None:
    """Let each peer answer as one of `recordings`, the first as the recorded primary."""
    ordered = sorted(recordings, key=lambda recording: not recording.primary)
    for number, peer in enumerate(peers if ordered else ()):
        for exchange in ordered[number % len(ordered)].exchanges:
            _imitate_exchange(peer, exchange)


def _imitate_exchange(peer: SimulatedPeer, exchange: Exchange) -> None:
    if exchange.outcome == "not-read":
        return
    is_answered = exchange.outcome == "answered"
    verb, _, argument = exchange.question.partition(" ")
    if exchange.channel == "rest":
        if _PAGES.fullmatch(exchange.question):
            peer.recorded_pages[exchange.question] = exchange.text if is_answered else None
    elif verb == "xStatus" and argument != "?" and argument.casefold() not in _OWN_ELEMENTS:
        lines = _drop_end(exchange.text.splitlines()) if is_answered else [_NOT_FOUND]
        peer.condition.statuses[argument.casefold()] = lines
    elif exchange.question == "xConfiguration Ciphers" and is_answered:
        for match in filter(None, map(_LEAF.fullmatch, map(str.strip, exchange.text.splitlines()))):
            peer.leaves[match["path"]] = match["value"]


def _drop_end(lines: list[str]) -> list[str]:
    """Return the lines without the echo before the first block and the ``OK`` after the last, which the shell adds itself."""
    start = next((number for number, line in enumerate(lines) if line.startswith("*s")), 0)
    end = next((number for number in range(len(lines), start, -1) if lines[number - 1].strip() not in {"", "OK"}), start)
    return lines[start:end]
