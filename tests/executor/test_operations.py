"""Each kind of change: its precondition, its operation, its read-back, its inverse, and the way through the journal."""

from __future__ import annotations

import itertools

import pytest

from remediate.executor.operations import (
    REGISTRY,
    RefreshOnPrimary,
    RemoveFromPeer,
    RestartOnPeer,
    SetCipherList,
    SetVerification,
    TrustOnPeer,
    restore_change,
)
from remediate.executor.operations.certificates import describe_certificate
from remediate.executor.operations.change import Change, ChangeStatus
from remediate.model.errors import NotOffered, OutcomeUnknown
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import Address, CipherList
from remediate.model.limits import Limits
from tests.executor.clusters import CIPHERS, IMP, OTHER, story
from tests.executor.memory import MemoryPeer
from tests.pki import issue

PEER = Address("expc1.example.test")
PREFIXED = CipherList("ECDHE-RSA-AES256-GCM-SHA384:" + CIPHERS)
VERIFIABLE: list[Change] = [
    TrustOnPeer(PEER, IMP.certificate),
    RemoveFromPeer(PEER, OTHER.certificate),
    SetCipherList(PEER, REVERSE_PROXY_CIPHERS, before=CIPHERS, after=PREFIXED),
    SetVerification(PEER, on=False),
]
NOT_VERIFIABLE: list[Change] = [RefreshOnPrimary(PEER, Address("cucm.example.test"), "cucm"), RestartOnPeer(PEER)]


def box() -> MemoryPeer:
    cluster = story()
    return MemoryPeer(cluster, cluster.box(1), writable=True)


@pytest.mark.parametrize("change", VERIFIABLE, ids=lambda change: change.kind)
def test_a_change_is_to_do_then_done_and_its_inverse_brings_back_the_start(change: Change) -> None:
    peer = box()
    start = change.precondition(peer)
    assert start.status is ChangeStatus.TO_DO
    change.write(peer)
    done = change.read_back(peer)
    assert (done.status, done.unrelated_digest) == (ChangeStatus.DONE, start.unrelated_digest)
    inverse = change.inverse()
    assert inverse is not None
    assert inverse.precondition(peer).status is ChangeStatus.TO_DO
    inverse.write(peer)
    assert inverse.read_back(peer).status is ChangeStatus.DONE
    assert inverse.inverse() == change


@pytest.mark.parametrize("change", [*VERIFIABLE, *NOT_VERIFIABLE], ids=lambda change: change.kind)
def test_every_kind_comes_back_from_the_journal(change: Change) -> None:
    certificates = {authority.certificate.fingerprint: authority.certificate for authority in (IMP, OTHER)}
    back = restore_change(change.kind, change.peer, change.facts(), lambda fingerprint: certificates[fingerprint])
    assert back.facts() == change.facts()
    assert back.summary == change.summary
    assert change.manual_instruction


def test_every_kind_is_registered() -> None:
    assert set(REGISTRY) == {change.kind for change in (*VERIFIABLE, *NOT_VERIFIABLE)}


def test_a_third_cipher_list_is_somebody_elses() -> None:
    peer = box()
    peer.set_cipher(REVERSE_PROXY_CIPHERS, CipherList("HIGH"))
    assert VERIFIABLE[2].precondition(peer).status is ChangeStatus.FOREIGN


def test_a_box_without_the_flag_does_not_offer_the_workaround() -> None:
    cluster = story()
    cluster.box(1).verify = None
    with pytest.raises(NotOffered):
        SetVerification(PEER, on=False).precondition(MemoryPeer(cluster, cluster.box(1), writable=True))


def test_a_restart_waits_until_the_peer_was_down_and_answers_again() -> None:
    cluster = story()
    paused: list[float] = []
    RestartOnPeer(PEER, Limits(), paused.append).write(MemoryPeer(cluster, cluster.box(1), writable=True))
    assert cluster.box(1).down_for == 0
    assert paused


def test_a_peer_that_never_goes_down_or_never_comes_back_is_unknown() -> None:
    cluster = story()
    cluster.faults = {1: "ignore"}
    restart = RestartOnPeer(PEER, Limits(), lambda _seconds: None)
    with pytest.raises(OutcomeUnknown, match="never seen to go down"):
        restart.write(MemoryPeer(cluster, cluster.box(1), writable=True))
    cluster.tap = lambda point: setattr(cluster.box(1), "up", False) if point.startswith("after restart") else None
    with pytest.raises(OutcomeUnknown, match="did not answer again"):
        restart.write(MemoryPeer(cluster, cluster.box(1), writable=True))


def test_a_hostile_subject_stays_on_its_line() -> None:
    hostile = issue("evil\n\x1b]0;owned\x07\u202e")
    assert describe_certificate(hostile.certificate).isprintable()
    assert describe_certificate(hostile.certificate).isascii()


def test_a_restart_is_waited_for_by_the_clock_too() -> None:
    # Given a peer that stays silent, each look at which takes longer than all the waiting should
    cluster, clock = story(), itertools.count(0.0, 10_000.0)
    cluster.tap = lambda point: setattr(cluster.box(1), "up", False) if point.startswith("after restart") else None
    paused: list[float] = []
    restart = RestartOnPeer(PEER, Limits(), paused.append, lambda: next(clock))
    # When it restarts, Then it is given up after one look, not after as many as would fit in otherwise
    with pytest.raises(OutcomeUnknown, match="did not answer again"):
        restart.write(MemoryPeer(cluster, cluster.box(1), writable=True))
    assert paused == []
