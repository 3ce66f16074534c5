"""The decision table of *In effect*, over every combination of what can be looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

import pytest

from remediate.executor.effect.decision import EffectEvidence, decide_effect, decide_undone
from remediate.executor.journal.writes import PeerWrites
from remediate.model.effect import ClientState, ClientView, EffectSource, EffectState, PeerEffect
from remediate.model.identity import Address, EndpointId
from tests.pki import NOW

PEER = Address("expc1.example.test")
FIRST, SECOND = (EndpointId(Address("cucm.example.test"), port) for port in (6972, 8443))
MINUTE = timedelta(minutes=1)
WRITES = PeerWrites("r1", NOW, NOW + 5 * MINUTE)
UNDONE = replace(WRITES, is_undone=True)
LONG_AGO, BETWEEN, AFTER = NOW - 60 * MINUTE, NOW + MINUTE, NOW + 10 * MINUTE
RECORDS = [None, *(PeerEffect(PEER, state, EffectSource.CLIENT, "seen") for state in (EffectState.YES, EffectState.NO))]
ANSWERS: list[tuple[ClientState, ...]] = [(), *product(ClientState, repeat=1), *product(ClientState, repeat=2)]


def views(states: tuple[ClientState, ...]) -> dict[EndpointId, ClientView]:
    return {endpoint: ClientView(state, state.value) for endpoint, state in zip((FIRST, SECOND), states, strict=False)}


def table() -> Iterator[EffectEvidence]:
    """Every combination."""
    for clients, log, workaround, writes, start, record in product(
        ANSWERS, ANSWERS, (False, True), ((), (WRITES,), (UNDONE,)), (None, LONG_AGO, BETWEEN, AFTER), RECORDS
    ):
        yield EffectEvidence(PEER, writes, start, views(clients), views(log), workaround, record, "nobody asked")


def test_a_refused_client_is_no_whatever_else_is_known() -> None:
    for evidence in table():
        effect = decide_effect(evidence)
        states = {view.state for view in evidence.clients.values()}
        if ClientState.REFUSED in states and not evidence.is_workaround_on:
            assert (effect.state, effect.source) == (EffectState.NO, EffectSource.CLIENT), evidence


def test_no_comes_from_a_refusal_alone() -> None:
    for evidence in table():
        effect = decide_effect(evidence)
        if effect.state is EffectState.NO:
            answers = evidence.clients if effect.source is EffectSource.CLIENT else evidence.log
            assert not evidence.is_workaround_on
            assert any(view.state is ClientState.REFUSED for view in answers.values()), evidence


def test_with_the_workaround_on_answers_change_nothing() -> None:
    for evidence in table():
        if evidence.is_workaround_on:
            silent = replace(evidence, clients={}, log={})
            assert decide_effect(evidence).state is decide_effect(silent).state, evidence


def test_an_accepted_client_is_yes_unless_another_is_refused() -> None:
    for evidence in table():
        states = {view.state for view in evidence.clients.values()}
        log = {view.state for view in evidence.log.values()}
        if not evidence.is_workaround_on and ClientState.REACHED in states and ClientState.REFUSED not in states | log:
            assert decide_effect(evidence).state is EffectState.YES, evidence


def test_what_a_client_gets_outdoes_the_log_of_the_same_endpoint() -> None:
    evidence = EffectEvidence(PEER, (WRITES,), clients=views((ClientState.REACHED,)), log=views((ClientState.REFUSED,)))
    assert decide_effect(evidence).state is EffectState.YES
    with_log = replace(evidence, log={SECOND: ClientView(ClientState.REFUSED)})
    assert (decide_effect(with_log).state, decide_effect(with_log).source) == (EffectState.NO, EffectSource.LOG)


def test_without_clients_the_log_decides() -> None:
    for evidence in table():
        states = {view.state for view in evidence.log.values()}
        if not evidence.clients and not evidence.is_workaround_on and ClientState.REFUSED in states:
            assert decide_effect(evidence).source is EffectSource.LOG, evidence
            assert decide_effect(evidence).state is EffectState.NO, evidence


def test_without_answers_a_start_decides_yes_or_not_known() -> None:
    for evidence in table():
        if evidence.clients or evidence.log or evidence.record or not evidence.writes:
            continue
        effect = decide_effect(evidence)
        is_undone_before = evidence.writes == (UNDONE,) and evidence.started_at == LONG_AGO
        is_yes = evidence.started_at == AFTER or is_undone_before
        assert effect.state is (EffectState.YES if is_yes else EffectState.NOT_KNOWN), evidence
        assert effect.source is (EffectSource.START if evidence.started_at else None), evidence


def test_no_write_known_is_yes_where_nothing_is_refused() -> None:
    for evidence in table():
        states = {view.state for view in (*evidence.clients.values(), *evidence.log.values())}
        conclusive = {ClientState.REACHED, ClientState.REFUSED} & states and not evidence.is_workaround_on
        if not evidence.writes and not conclusive:
            effect = decide_effect(evidence)
            assert (effect.state, effect.source) == (EffectState.YES, EffectSource.NO_WRITE_KNOWN), evidence
            assert effect.description == "no change by this tool"


def test_yes_always_names_what_was_looked_at() -> None:
    for evidence in table():
        effect = decide_effect(evidence)
        assert effect.description, evidence
        if effect.state is EffectState.YES:
            assert effect.source is not None, evidence


@pytest.mark.parametrize("started", [None, LONG_AGO, BETWEEN])
def test_what_a_run_recorded_after_the_write_is_a_proof(started: datetime | None) -> None:
    effect = decide_effect(EffectEvidence(PEER, (WRITES,), started, record=RECORDS[1]))
    assert (effect.state, effect.source) == (EffectState.YES, EffectSource.CLIENT)


def test_a_recorded_refusal_outdoes_a_start_but_is_no_refusal_now() -> None:
    effect = decide_effect(EffectEvidence(PEER, (WRITES,), AFTER, record=RECORDS[2]))
    assert (effect.state, effect.source) == (EffectState.NOT_KNOWN, EffectSource.CLIENT)


@pytest.mark.parametrize(("seconds", "state"), [(-1, "not-known"), (0, "not-known"), (1, "yes"), (60, "yes")])
def test_a_start_within_the_rounding_of_the_write_proves_nothing(seconds: int, state: str) -> None:
    evidence = EffectEvidence(PEER, (WRITES,), NOW + 5 * MINUTE + timedelta(seconds=seconds))
    assert decide_effect(evidence).state == state


def test_a_start_within_a_minute_of_the_first_write_is_not_before_it() -> None:
    for seconds, state in ((61, EffectState.YES), (59, EffectState.NOT_KNOWN)):
        evidence = EffectEvidence(PEER, (UNDONE,), NOW - timedelta(seconds=seconds))
        assert decide_undone(evidence, "r1").state is state


def test_a_restart_of_our_own_needs_no_margin() -> None:
    own = replace(WRITES, is_restarted=True)
    assert decide_effect(EffectEvidence(PEER, (own,), NOW + 5 * MINUTE)).state is EffectState.YES
    assert decide_effect(EffectEvidence(PEER, (own,), NOW + 4 * MINUTE)).state is EffectState.NOT_KNOWN


def test_a_run_that_may_still_write_is_not_settled_by_a_start() -> None:
    unfinished = replace(WRITES, last_at=None)
    assert decide_effect(EffectEvidence(PEER, (unfinished,), AFTER)).state is EffectState.NOT_KNOWN


def test_an_older_write_counts_although_a_later_run_was_undone() -> None:
    older = PeerWrites("r0", LONG_AGO + MINUTE, LONG_AGO + 2 * MINUTE)
    assert decide_effect(EffectEvidence(PEER, (UNDONE, older), LONG_AGO)).state is EffectState.NOT_KNOWN
    assert decide_effect(EffectEvidence(PEER, (UNDONE, older), LONG_AGO + 5 * MINUTE)).state is EffectState.YES


def test_after_a_rollback_a_peer_without_a_start_since_is_yes() -> None:
    effect = decide_undone(EffectEvidence(PEER, (UNDONE,), LONG_AGO), "r1")
    assert (effect.state, effect.source) == (EffectState.YES, EffectSource.START)


def test_after_a_rollback_an_older_write_still_waits_for_a_start() -> None:
    older = PeerWrites("r0", LONG_AGO + MINUTE, LONG_AGO + 2 * MINUTE)
    for earlier, started, state in (
        (older, LONG_AGO, EffectState.NOT_KNOWN),
        (older, LONG_AGO + 5 * MINUTE, EffectState.YES),
        # A run whose list the peer has loaded, and which was undone since
        (replace(older, is_undone=True, last_at=LONG_AGO + 20 * MINUTE), LONG_AGO + 5 * MINUTE, EffectState.NOT_KNOWN),
    ):
        assert decide_undone(EffectEvidence(PEER, (UNDONE, earlier), started), "r1").state is state


@pytest.mark.parametrize(("started", "state"), [(None, "not-known"), (BETWEEN, "not-known"), (AFTER, "yes")])
def test_after_a_rollback_a_start_between_proves_nothing(started: datetime | None, state: str) -> None:
    assert decide_undone(EffectEvidence(PEER, (UNDONE,), started), "r1").state == state


def test_after_a_rollback_a_client_is_refused_again_or_it_is_no() -> None:
    for start, workaround in product((None, LONG_AGO, BETWEEN, AFTER), (False, True)):
        refused = EffectEvidence(PEER, (UNDONE,), start, views((ClientState.REFUSED,)), is_workaround_on=workaround)
        reached = replace(refused, clients=views((ClientState.REACHED,)))
        silent = decide_undone(replace(refused, clients={}), "r1").state
        assert decide_undone(refused, "r1").state is (silent if workaround else EffectState.YES)
        assert decide_undone(reached, "r1").state is (silent if workaround else EffectState.NO)


def test_after_a_rollback_a_peer_that_the_run_left_alone_is_yes() -> None:
    older = PeerWrites("r0", LONG_AGO, LONG_AGO)
    effect = decide_undone(EffectEvidence(PEER, (older,)), "r1")
    assert (effect.state, effect.source) == (EffectState.YES, EffectSource.NO_WRITE_KNOWN)


def test_endpoints_with_the_same_answer_are_named_together() -> None:
    spent = {EndpointId(Address("cucm.example.test"), port): ClientView(ClientState.NOT_ASKED, "spent") for port in range(1, 6)}
    effect = decide_effect(EffectEvidence(PEER, (WRITES,), BETWEEN, clients=spent))
    assert effect.description.endswith("; cucm.example.test:1, cucm.example.test:2, cucm.example.test:3 and 2 more: spent")
