"""The workaround: verification off on every peer, which returns to how Expressway behaved before X14.2.

While it is on, whoever can answer in the place of a Unified CM node is believed. Nothing here claims more than was read back.
It ends only after a fresh look says that no client loses an endpoint by that, or by force.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from remediate.executor.boundary import guarded
from remediate.executor.environment import World
from remediate.executor.identity import identify_operator
from remediate.executor.lock import hold_cluster, peer_lock_paths, shared_directory
from remediate.executor.operations import SetVerification
from remediate.executor.operations.change import ChangeStatus
from remediate.executor.ports import PeerPort
from remediate.executor.reconnecting import open_steadily
from remediate.executor.sending import send
from remediate.executor.switches import Switch, SwitchRecorder, load_last_switches
from remediate.executor.voice import Voice
from remediate.model.access import ClusterAccess
from remediate.model.errors import Declined, NotOffered, ObservationError, OutcomeUnknown
from remediate.model.events import Sink, silent
from remediate.model.exit_codes import most_serious
from remediate.model.identity import Address
from remediate.model.limits import Limits
from remediate.model.text import escape_ascii

if TYPE_CHECKING:
    from remediate.model.verdict import Judgement

RISK = "While verification is off, anybody who can answer in the place of a Unified CM node is believed by the traffic server."


class ClientsWouldBreak(Declined):
    """With verification on, endpoints would be refused that clients reach now."""

    default_next_step = (
        "Nothing was changed. Mend these first (`remediate plan` says how, and which of them no plan fixes), or turn verification "
        "on all the same, and lose them, with --force."
    )


class NotVerified(ObservationError):
    """Whether clients would lose an endpoint cannot be said: it, or a peer, could not be looked at."""

    default_next_step = (
        "Nothing was changed. Make these reachable from here, or turn verification on without knowing with --force."
    )


@dataclass(frozen=True, slots=True)
class PeerVerification:
    """How one peer stands.

    Attributes:
        verification: on or off, as read; None: not known.
        problem: why it is not known, or why it is not what was asked for; None: all is as asked.
        exit_code: 0, or the contract's code for `problem`.
        changed: this call wrote it.
        last: who turned it last, as far as this state directory knows.
    """

    peer: Address
    verification: bool | None
    problem: str | None = None
    exit_code: int = 0
    changed: bool = False
    last: Switch | None = None


def most_serious_code(flags: tuple[PeerVerification, ...]) -> int:
    """The exit code that stands for all peers."""
    return most_serious(flag.exit_code for flag in flags)


def status(
    cluster: ClusterAccess,
    *,
    state_dir: Path | None = None,
    limits: Limits = Limits(),
    sink: Sink = silent,
    world: World = World(),  # noqa: B008 - a frozen value
) -> tuple[PeerVerification, ...]:
    """Return how every peer stands. A peer that cannot be read has exit code 4; one that does not offer the flag has 0.

    Args:
        state_dir: where the journal is that may know who turned it last.
    """
    voice = Voice(sink, cluster.name)
    with world.open_peers(cluster, limits, writable=False) as opened:
        flags = [*map(_read, opened.peers), *(_absent(peer, why) for peer, why in opened.unreachable.items())]
    last = load_last_switches(state_dir).get(cluster.name, {}) if state_dir else {}
    return tuple(_said(replace(flag, last=last.get(flag.peer)), voice) for flag in flags)


def remind_of_workaround(boxes: Sequence[PeerPort], voice: Voice) -> None:
    """Say on which of the open `boxes` verification is off. One that cannot be read was said to be so before."""
    warn_of_workaround([flag.peer for flag in map(_read, boxes) if flag.verification is False], voice)


def warn_of_workaround(off: Sequence[Address], voice: Voice) -> None:
    """Say on which peers verification is `off`."""
    if off:
        voice.say("reminder", f"The workaround is on ({', '.join(off)}): any certificate is accepted there, a forged one too.")


def switch(
    cluster: ClusterAccess,
    *,
    on: bool,
    state_dir: Path,
    force: bool = False,
    limits: Limits = Limits(),
    sink: Sink = silent,
    world: World = World(),  # noqa: B008 - a frozen value
) -> tuple[PeerVerification, ...]:
    """Turn the workaround on (verification off) or off on every peer, the primary first, and read every one back.

    The cluster's lock is held, as by an apply. A peer that could not be reached or read has exit code 8: the cluster is then not
    as asked, or not known to be.

    Args:
        force: off also without looking whether clients would lose an endpoint by it.

    Raises:
        LockHeld, LockError: another run is at work on this cluster; nothing was changed.
        ClientsWouldBreak, NotVerified: off, and a fresh look does not say that every endpoint verifies; nothing was changed.
    """
    voice = Voice(sink, cluster.name)
    world = guarded(world)
    if on:
        voice.say("warning", RISK)
    with ExitStack() as stack:
        shared = world.lock_directory or shared_directory()
        operator = identify_operator()
        lock = stack.enter_context(hold_cluster(cluster, state_dir, shared, operator=operator, ticket=None, now=world.now))
        if not on and not force:
            _refuse_if_clients_break(cluster, limits, sink, world)
        opened, peers = open_steadily(world, cluster, limits, stack, writable=True)
        lock.acquire(peer_lock_paths(opened, shared))
        boxes = _primary_first(peers, opened.primary)
        book = SwitchRecorder(cluster.name, state_dir, operator, world, voice, stack)
        turned = [_turn(box, book, verification=not on, limits=limits, pause=world.pause) for box in boxes]
        flags = [_read_again(box, flag) for box, flag in zip(boxes, turned, strict=True)]
        flags += [_absent(peer, why, exit_code=8) for peer, why in opened.unreachable.items()]
    return tuple(_said(flag, voice) for flag in flags)


def _refuse_if_clients_break(cluster: ClusterAccess, limits: Limits, sink: Sink, world: World) -> None:
    """Look afresh, and judge what each endpoint would get from the peers that verify nothing now."""
    snapshot = world.observe(cluster, limits=limits, sink=sink)
    off = {peer.address for peer in snapshot.peers if peer.error is None and peer.verify_origin_server is False}
    not_seen = {(endpoint.address, endpoint.port) for endpoint in snapshot.endpoints if endpoint.error is not None}
    refused = [one for one in world.judge(snapshot) if one.peer in off and not one.outcome.verdict.ok]
    unseen = [one for one in refused if (one.address, one.port) in not_seen]
    broken = [one for one in refused if one not in unseen]
    if broken:
        said = "\n".join(_losses([*broken, *unseen]))
        raise ClientsWouldBreak(f"With verification back on, clients of {cluster.name} would lose these endpoints:\n{said}")
    # Also where the others would break nobody: whether the flag replicates, to a peer that nobody judged too, is not documented.
    dark = [f"  every endpoint: {escape_ascii(peer.error)} (from {peer.address})" for peer in snapshot.peers if peer.error]
    # An endpoint that discovery could not learn of was judged by nobody.
    dark += [
        f"  what discovery could not learn: {escape_ascii(gap.message)}" for gap in snapshot.undiscovered if gap.incomplete
    ]
    if unseen or dark:
        said = "\n".join([*dark, *_losses(unseen)])
        raise NotVerified(f"Whether clients of {cluster.name} would lose these endpoints is not known:\n{said}")


def _losses(refused: Sequence[Judgement]) -> Iterator[str]:
    """One line an endpoint and reason, with the peers that would refuse it."""
    peers: dict[str, list[Address]] = {}
    for one in refused:
        name = f"[{one.address}]:{one.port}" if ":" in one.address else f"{one.address}:{one.port}"
        verdict = one.outcome.verdict
        peers.setdefault(f"{name}: {verdict.cause}, {escape_ascii(verdict.error or '')}", []).append(one.peer)
    return (f"  {what} (from {', '.join(those)})" for what, those in peers.items())


def _primary_first(boxes: Sequence[PeerPort], primary: Address | None) -> list[PeerPort]:
    """Whether the flag replicates is not documented: from the primary on, either answer ends well."""
    return sorted(boxes, key=lambda box: box.address != primary)


def _turn(
    box: PeerPort, book: SwitchRecorder, *, verification: bool, limits: Limits, pause: Callable[[float], None]
) -> PeerVerification:
    change = SetVerification(box.address, on=verification)
    try:
        before = change.precondition(box)
        if before.status is ChangeStatus.DONE:
            return PeerVerification(box.address, verification)
        number = book.record_request(box.address, verification=verification)
        sent = send(box, change, lambda: None, limits=limits, pause=pause)
    except NotOffered as error:
        return PeerVerification(box.address, None, str(error), 8)
    except (ObservationError, OutcomeUnknown) as error:
        return PeerVerification(box.address, None, f"{error} {change.manual_instruction}", 8)
    done = sent.after.status is ChangeStatus.DONE
    book.record_read_back(number, verification=verification if done else not verification)
    if done:
        return PeerVerification(box.address, verification, changed=True)
    return PeerVerification(
        box.address,
        not verification,
        f"{sent.problem or 'It answered yes, and does not show it.'} {change.manual_instruction}",
        8,
    )


def _read_again(box: PeerPort, turned: PeerVerification) -> PeerVerification:
    """The last word, after every peer was written: a replication may have undone what an earlier read saw."""
    now = _read(box)
    if turned.problem is not None or now.verification is turned.verification:
        return turned
    return PeerVerification(box.address, now.verification, now.problem or "It was set, and is no longer so.", 8, turned.changed)


def _read(box: PeerPort) -> PeerVerification:
    try:
        flag = box.verify_origin_server()
    except ObservationError as error:
        return PeerVerification(box.address, None, str(error), error.exit_code)
    if flag is None:
        return PeerVerification(box.address, None, f"{box.address} does not offer VerifyOriginServer in this version.")
    return PeerVerification(box.address, flag)


def _absent(peer: Address, why: str, exit_code: int = ObservationError.exit_code) -> PeerVerification:
    return PeerVerification(peer, None, why, exit_code)


def _said(flag: PeerVerification, voice: Voice) -> PeerVerification:
    word = {True: "on", False: "off (the workaround is on)", None: "not known"}[flag.verification]
    text = f"{flag.peer}: verification of certificates is {word}.{f' {flag.problem}' if flag.problem else ''}"
    voice.say("workaround", text, peer=flag.peer, verification=flag.verification, problem=flag.problem)
    return flag
