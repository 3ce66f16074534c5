"""What a client's answers make of each endpoint, one peer at a time."""

from __future__ import annotations

from remediate.executor.client_view import Surroundings
from remediate.executor.effect.client import view_answers
from remediate.model.client import AnswerKind, ClientAnswer
from remediate.model.effect import ClientState
from remediate.model.identity import Address, EndpointId
from remediate.model.verdict import Verdict

CUCM, IMP = Address("cucm.example.test"), Address("imp.example.test")
FILES, WEB, PRESENCE = EndpointId(CUCM, 6972), EndpointId(CUCM, 8443), EndpointId(IMP, 8443)
REFUSED, REACHED = ClientAnswer(AnswerKind.REFUSED, "HTTP 502"), ClientAnswer(AnswerKind.REACHED, "HTTP 200")
VERIFIES = {endpoint: Verdict(ok=True) for endpoint in (FILES, WEB, PRESENCE)}


def test_a_node_that_refuses_the_peer_is_doubted_where_it_sees_it() -> None:
    # Given 502s from a node that refuses the peer's own certificate, and another node that was reached
    answers = {FILES: REFUSED, WEB: REFUSED, PRESENCE: REACHED}
    views = view_answers(answers, (FILES, WEB, PRESENCE), VERIFIES, Surroundings(), frozenset({CUCM}))
    # Then the port that shows the certificate tells nothing, and the one that does not tells that the list refuses
    assert [view.state for view in views.values()] == [ClientState.NOT_KNOWN, ClientState.REFUSED, ClientState.REACHED]
    assert "the node refuses the peer's own certificate" in views[FILES].description


def test_endpoints_left_out_when_asking_ended_are_not_asked() -> None:
    views = view_answers({FILES: ClientAnswer(AnswerKind.FORBIDDEN, "HTTP 403")}, (FILES, WEB), VERIFIES, Surroundings())
    assert [view.state for view in views.values()] == [ClientState.NOT_KNOWN, ClientState.NOT_ASKED]
