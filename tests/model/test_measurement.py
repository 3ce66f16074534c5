"""Measurements of a run: every pair that was judged after it, with what is known of before."""

from __future__ import annotations

from remediate.model.effect import ClientState, ClientView
from remediate.model.identity import Address, EndpointId, PairId
from remediate.model.measurement import measure_pairs
from remediate.model.verdict import Cause, Verdict

PEER, NODE = Address("expc1.test"), Address("cucm.test")
GOOD, BAD = Verdict(ok=True, key="rsa"), Verdict(ok=False, cause=Cause.EXPIRED, key="rsa")


def test_a_pair_has_its_verdicts_and_what_a_client_got() -> None:
    # Given a pair that was judged before and after, and one that was found only after
    pair, late_pair = (PairId(PEER, EndpointId(NODE, port)) for port in (8443, 6972))
    reached = ClientView(ClientState.REACHED)

    first, second = measure_pairs({pair: BAD}, {pair: GOOD, late_pair: GOOD}, {pair: reached})

    assert (first.pair, first.before, first.after, first.client) == (pair, BAD, GOOD, reached)
    assert (second.port, second.before, second.client.state) == (6972, None, ClientState.NOT_ASKED)
