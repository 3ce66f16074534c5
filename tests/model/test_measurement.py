"""Measurements of a run: every pair that was judged after it, with what is known of before."""

from __future__ import annotations

from remediate.model.effect import ClientState, ClientView
from remediate.model.identity import Address, EndpointId, PairId
from remediate.model.measurement import measure_pairs
from remediate.model.verdict import Cause, Judgement, Outcome, Verdict

PEER, NODE = Address("expc1.test"), Address("cucm.test")
GOOD, BAD = Outcome(Verdict(ok=True), "rsa"), Outcome(Verdict(ok=False, cause=Cause.EXPIRED), "rsa")


def test_a_pair_has_its_verdicts_and_what_a_client_got() -> None:
    # Given a pair that was judged before and after, and one that was found only after
    before = [Judgement(NODE, 8443, PEER, BAD, False)]
    after = [Judgement(NODE, 8443, PEER, GOOD, True), Judgement(NODE, 6972, PEER, GOOD, True)]
    pair, reached = PairId(PEER, EndpointId(NODE, 8443)), ClientView(ClientState.REACHED)

    first, second = measure_pairs(before, after, {pair: reached})

    assert (first.pair, first.before, first.after, first.client) == (pair, BAD, GOOD, reached)
    assert (second.port, second.before, second.client.state) == (6972, None, ClientState.NOT_ASKED)
