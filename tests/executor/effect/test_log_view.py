"""What the peer's own log shows since a write: reached only by a request that a node is seen to answer."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest

from remediate.connectors.evidence.log_reader import read_log
from remediate.connectors.evidence.tally import Tally
from remediate.executor.effect.log_view import view_log
from remediate.model.effect import ClientState
from remediate.model.evidence import Evidence
from remediate.model.identity import Address, EndpointId
from remediate.model.limits import Limits
from tests.executor.effect.log_lines import request

WRITE = datetime(2026, 1, 29, 19, 0, tzinfo=UTC)
UDS = EndpointId(Address("cucm.steven.lab"), 8443)
TFTP = EndpointId(Address("cucm.steven.lab"), 6972)


def view(*requests: str, endpoints: tuple[EndpointId, ...] = (UDS, TFTP)) -> dict[EndpointId, ClientState]:
    tally = Tally(Limits())
    read_log(io.BufferedReader(io.BytesIO("".join(requests).encode())), tally, Limits())
    evidence = Evidence(
        logged_failures=tuple(tally.list_logged_failures()),
        bad_gateways=tuple(tally.list_bad_gateways()),
        answered_requests=tuple(tally.list_answered_requests()),
    )
    return {endpoint: view.state for endpoint, view in view_log(evidence, WRITE, endpoints).items()}


def after(minutes: float) -> datetime:
    return WRITE + timedelta(minutes=minutes)


def test_an_answer_of_the_node_shows_an_endpoint_as_reached() -> None:
    assert view(request(1, TFTP, after(1))) == {TFTP: ClientState.REACHED}


def test_any_answer_of_the_node_proves_the_handshake() -> None:
    assert view(request(1, TFTP, after(1), status=404)) == {TFTP: ClientState.REACHED}


def test_a_refusal_since_the_write_shows_an_endpoint_as_refused() -> None:
    assert view(request(1, TFTP, after(1), status=502, action="Terminate")) == {TFTP: ClientState.REFUSED}


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param("", id="no line"),
        pytest.param(request(1, TFTP, after(-5)), id="an answer before the write"),
        pytest.param(request(1, TFTP, after(-5), status=502, action="Terminate"), id="a refusal before the write"),
        pytest.param(request(1, TFTP, after(1), status=502), id="a 502 without a refusal"),
        pytest.param(request(1, TFTP, after(1), status=403, source="127.0.0.1"), id="an answer of the peer itself"),
        pytest.param(request(1, EndpointId(Address("imp.steven.lab"), 8443), after(1)), id="an answer of another endpoint"),
    ],
)
def test_a_line_that_proves_nothing_gives_no_result(lines: str) -> None:
    assert view(lines) == {}


def test_the_last_of_two_requests_counts() -> None:
    refused_first = (request(1, TFTP, after(1), status=502, action="Terminate"), request(2, TFTP, after(3)))
    refused_last = (request(1, TFTP, after(1)), request(2, TFTP, after(3), status=502, action="Terminate"))
    assert view(*refused_first) == {TFTP: ClientState.REACHED}
    assert view(*refused_last) == {TFTP: ClientState.REFUSED}


def test_each_endpoint_is_judged_by_its_own_lines() -> None:
    lines = request(1, UDS, after(1)), request(2, TFTP, after(2), status=502, action="Terminate")
    assert view(*lines) == {UDS: ClientState.REACHED, TFTP: ClientState.REFUSED}


def test_with_verification_off_nothing_is_proven() -> None:
    assert set(view(request(1, TFTP, after(1), action="Continue")).values()) == {ClientState.NOT_KNOWN}
