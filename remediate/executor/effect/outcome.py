"""Consequences of the effects on the peers for the result of a run: exit code, sentences and the command that settles it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from remediate.model.effect import EffectState, PeerEffect
from remediate.model.exit_codes import ExitCode
from remediate.model.identity import Address
from remediate.model.text import join_words


def effect_exit_code(effects: Iterable[PeerEffect], *, never_restarts: bool) -> ExitCode:
    """Return the exit code of a success whose effect on each peer is `effects` (contract, *In effect*)."""
    states = {effect.state for effect in effects}
    if EffectState.NO in states and not never_restarts:
        return ExitCode.PERSON_NEEDED
    return ExitCode.DONE if states <= {EffectState.YES} else ExitCode.NOT_IN_EFFECT


def complete_effects(effects: Iterable[PeerEffect], peers: Iterable[Address], reason: str) -> tuple[PeerEffect, ...]:
    """Return the effects in the order of `peers`; on one that was not looked at, it is not known for this `reason`."""
    by_peer = {effect.peer: effect for effect in effects}
    return tuple(by_peer.get(peer) or PeerEffect(peer, EffectState.NOT_KNOWN, None, reason) for peer in peers)


def unsettled_peers(effects: Iterable[PeerEffect]) -> tuple[Address, ...]:
    """Return the peers that are not known to work with what was written to them."""
    return tuple(effect.peer for effect in effects if effect.state is not EffectState.YES)


def describe_effects(effects: Sequence[PeerEffect], command: str, *, with_reasons: bool = True) -> str:
    """Return the sentences about what is in effect where. Empty where no peer was looked at.

    Args:
        effects: What is in effect on each peer.
        command: What settles it.
        with_reasons: Also why it is not in effect, or not known to be, on each of those peers.
    """
    if not effects:
        return ""
    if not unsettled_peers(effects):
        return "In effect on every peer."
    parts: list[str] = []
    unknown = EffectState.NOT_KNOWN
    for state, words in ((EffectState.NO, "Not in effect"), (unknown, "Not known to be in effect")):
        reasons = {effect.peer: effect.description for effect in effects if effect.state is state}
        if reasons:
            parts.append(f"{words} on {_group_by_reason(reasons) if with_reasons else join_words(list(reasons))}.")
    if any(effect.state is unknown for effect in effects):
        parts.append(f"To find out, restart with `{command}`, or send a client request through each of these peers.")
    else:
        parts.append(f"A restart puts it into effect: `{command}`.")
    return " ".join(parts)


def _group_by_reason(reasons: Mapping[Address, str]) -> str:
    """Return ``expc1, expc2 (one reason); expc3 (another)``."""
    peers_by_reason: dict[str, list[Address]] = {}
    for peer, reason in reasons.items():
        peers_by_reason.setdefault(reason, []).append(peer)
    return "; ".join(f"{', '.join(peers)} ({reason})" for reason, peers in peers_by_reason.items())
