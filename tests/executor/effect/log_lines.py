"""Lines of a peer's own log, as its traffic server writes them."""

from __future__ import annotations

from datetime import datetime

from remediate.model.identity import EndpointId
from tests.connectors.evidence.logs import encode_target

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
