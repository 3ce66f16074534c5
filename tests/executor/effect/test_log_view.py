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
from tests.connectors.evidence.logs import encode_target

WRITE = datetime(2026, 1, 29, 19, 0, tzinfo=UTC)
UDS = EndpointId(Address("cucm.steven.lab"), 8443)
TFTP = EndpointId(Address("cucm.steven.lab"), 6972)
REFUSED = (
    "[ET_NET 0] WARNING: Core server certificate verification failed for ({address}). Action={action} "
    "Error=self signed certificate server={address}(10.48.36.215) depth=0"
)


def request(number: int, endpoint: EndpointId, at: datetime, *, status: int = 200, action: str = "", source: str = "") -> str:
    """Return the lines of one request: answered by the node, or ended with 502, with the line of a refusal where `action` is given."""
    target = encode_target(f"steven.lab/https/{endpoint.address}/{endpoint.port}")
    prefix = f"{at:%Y-%m-%dT%H:%M:%S}.100+00:00 expc1 traffic_server[2030]:"
    head = f'{prefix} UTCTime="{at:%Y-%m-%d %H:%M:%S},100" Module="network.http.trafficserver" Level="INFO":'
    lines = [
        (
            f'{head} Detail="Receive Request" Txn-id="{number}" TrackingID="" Src-ip="127.0.0.1" Src-port="35766" '
            f'Last-via-addr="" Msg="GET http://vcs_control.steven.lab:8443/{target}/x HTTP/1.1"'
        ),
        (
            f'{head} Detail="Sending Request" Txn-id="{number}" TrackingID="" Dst-ip="10.48.36.215" Dst-port="{endpoint.port}" '
            'Msg="GET /x HTTP/1.1"'
        ),
    ]
    if action:
        lines.append(f"{prefix} {REFUSED.format(address=endpoint.address, action=action)}")
    if status != 502:
        lines.append(
            f'{head} Detail="Receive Response" Txn-id="{number}" TrackingID="" '
            f'Src-ip="{source or "10.48.36.215"}" Src-port="{endpoint.port}" Msg="HTTP/1.1 {status} "'
        )
    lines.append(
        f'{head} Detail="Sending Response" Txn-id="{number}" TrackingID="" Dst-ip="127.0.0.1" Dst-port="35766" '
        f'Msg="HTTP/1.1 {status} "'
    )
    return "".join(f"{line}\n" for line in lines)


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


def test_a_request_that_the_node_answered_was_reached() -> None:
    assert view(request(1, TFTP, after(1))) == {TFTP: ClientState.REACHED}


def test_any_answer_of_the_node_proves_the_handshake() -> None:
    assert view(request(1, TFTP, after(1), status=404)) == {TFTP: ClientState.REACHED}


def test_a_request_that_is_still_refused_is_refused() -> None:
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
def test_of_nothing_else_anything_is_known(lines: str) -> None:
    assert view(lines) == {}


def test_the_last_of_two_requests_counts() -> None:
    refused_first = (request(1, TFTP, after(1), status=502, action="Terminate"), request(2, TFTP, after(3)))
    refused_last = (request(1, TFTP, after(1)), request(2, TFTP, after(3), status=502, action="Terminate"))
    assert view(*refused_first) == {TFTP: ClientState.REACHED}
    assert view(*refused_last) == {TFTP: ClientState.REFUSED}


def test_each_endpoint_is_known_by_itself() -> None:
    lines = request(1, UDS, after(1)), request(2, TFTP, after(2), status=502, action="Terminate")
    assert view(*lines) == {UDS: ClientState.REACHED, TFTP: ClientState.REFUSED}


def test_with_verification_off_nothing_is_proven() -> None:
    assert set(view(request(1, TFTP, after(1), action="Continue")).values()) == {ClientState.NOT_KNOWN}
