"""The workaround: verification off on every peer, which returns to how Expressway behaved before X14.2.

While it is on, whoever can answer in the place of a Unified CM node is believed. Nothing here claims more than was read back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from remediate.executor.operations import SetVerification
from remediate.executor.operations.change import Standing
from remediate.executor.ports import PeerPort, World
from remediate.executor.sending import send
from remediate.executor.steady import open_steadily
from remediate.executor.voice import Voice
from remediate.model.access import ClusterAccess
from remediate.model.errors import NotOffered, ObservationError, OutcomeUnknown, most_serious
from remediate.model.events import Sink, silent
from remediate.model.identity import Address
from remediate.model.limits import Limits

RISK = "While verification is off, anybody who can answer in the place of a Unified CM node is believed by the traffic server."


@dataclass(frozen=True, slots=True)
class PeerFlag:
    """How one peer stands.

    Attributes:
        verification: on or off, as read; None: not known.
        problem: why it is not known, or why it is not what was asked for; None: all is as asked.
        exit_code: 0, or the contract's code for `problem`.
        changed: this call wrote it.
    """

    peer: Address
    verification: bool | None
    problem: str | None = None
    exit_code: int = 0
    changed: bool = False


def worst_of(flags: tuple[PeerFlag, ...]) -> int:
    """The exit code that stands for all peers."""
    return most_serious(one.exit_code for one in flags)


def status(
    cluster: ClusterAccess,
    *,
    limits: Limits = Limits(),
    sink: Sink = silent,
    world: World = World(),  # noqa: B008 - a frozen value
) -> tuple[PeerFlag, ...]:
    """Return how every peer stands. A peer that cannot be read has exit code 4; one that does not offer the flag has 0."""
    voice = Voice(sink, cluster.name)
    with world.open_peers(cluster, limits, writable=False) as opened:
        flags = [*map(_read, opened.peers), *(_absent(peer, why) for peer, why in opened.unreachable.items())]
    return tuple(_said(flag, voice) for flag in flags)


def switch(
    cluster: ClusterAccess,
    *,
    on: bool,
    limits: Limits = Limits(),
    sink: Sink = silent,
    world: World = World(),  # noqa: B008 - a frozen value
) -> tuple[PeerFlag, ...]:
    """Turn the workaround on (verification off) or off on every peer, the primary first, and read every one back.

    A peer that could not be reached or read has exit code 8: the cluster is then not as asked, or not known to be.
    """
    voice = Voice(sink, cluster.name)
    if on:
        voice.say("warning", RISK)
    with ExitStack() as stack:
        opened, peers = open_steadily(world, cluster, limits, stack, writable=True)
        boxes = _primary_first(peers, opened.primary)
        turned = [_turn(box, verification=not on, limits=limits, pause=world.pause) for box in boxes]
        flags = [_read_again(box, flag) for box, flag in zip(boxes, turned, strict=True)]
        flags += [_absent(peer, why, exit_code=8) for peer, why in opened.unreachable.items()]
    return tuple(_said(flag, voice) for flag in flags)


def _primary_first(boxes: Sequence[PeerPort], primary: Address | None) -> list[PeerPort]:
    """Whether the flag replicates is not documented: from the primary on, either answer ends well."""
    return sorted(boxes, key=lambda box: box.address != primary)


def _turn(box: PeerPort, *, verification: bool, limits: Limits, pause: Callable[[float], None]) -> PeerFlag:
    change = SetVerification(box.address, on=verification)
    try:
        before = change.precondition(box)
        if before.standing is Standing.DONE:
            return PeerFlag(box.address, verification)
        sent = send(box, change, lambda: None, limits=limits, pause=pause)
    except NotOffered as error:
        return PeerFlag(box.address, None, str(error), 8)
    except (ObservationError, OutcomeUnknown) as error:
        return PeerFlag(box.address, None, f"{error} {change.by_hand}", 8)
    if sent.after.standing is Standing.DONE:
        return PeerFlag(box.address, verification, changed=True)
    return PeerFlag(
        box.address, not verification, f"{sent.problem or 'It answered yes and did not do it.'} {change.by_hand}", 8
    )


def _read_again(box: PeerPort, turned: PeerFlag) -> PeerFlag:
    """The last word, after every peer was written: a replication may have undone what an earlier read saw."""
    now = _read(box)
    if turned.problem is not None or now.verification is turned.verification:
        return turned
    return PeerFlag(box.address, now.verification, now.problem or "It was set, and is no longer so.", 8, turned.changed)


def _read(box: PeerPort) -> PeerFlag:
    try:
        flag = box.verify_origin_server()
    except ObservationError as error:
        return PeerFlag(box.address, None, str(error), error.exit_code)
    if flag is None:
        return PeerFlag(box.address, None, f"{box.address} does not offer VerifyOriginServer in this version.")
    return PeerFlag(box.address, flag)


def _absent(peer: Address, why: str, exit_code: int = ObservationError.exit_code) -> PeerFlag:
    return PeerFlag(peer, None, why, exit_code)


def _said(flag: PeerFlag, voice: Voice) -> PeerFlag:
    word = {True: "on", False: "off (the workaround is on)", None: "not known"}[flag.verification]
    text = f"{flag.peer}: verification of certificates is {word}.{f' {flag.problem}' if flag.problem else ''}"
    voice.say("workaround", text, peer=flag.peer, verification=flag.verification, problem=flag.problem)
    return flag
