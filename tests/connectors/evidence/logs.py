"""Lines of logs for tests: refusals as a traffic server writes them, and the requests that they end."""

from __future__ import annotations

import base64

SELF_SIGNED = (
    "WARNING: Core server certificate verification failed for (cucm.steven.lab). Action=Terminate Error=self signed certificate "
    "server=cucm.steven.lab(10.48.36.215) depth=0"
)
NAME = "WARNING: SNI (10.48.36.215) not in certificate. Action=Terminate server=10.48.36.215(10.48.36.215)"
FAILED = (
    "ERROR: SSL connection failed for 'cucm.steven.lab': error:1416F086:SSL routines:tls_process_server_certificate:"
    "certificate verify failed"
)
MRA = "c3RldmVuLmxhYi9odHRwcy8xMC40OC4zNi4yMTUvODQ0Mw"
AT = "2022-07-26T17:20:45.560+02:00"
EXPRESSWAY = f"{AT} vcsc traffic_server[18242]: [ET_NET 2] "


def log_transaction(number: int, target: str, status: str = "502 connect failed", verdict: str = SELF_SIGNED) -> list[str]:
    """A client's request as a diagnostic log with debug level has it, over several lines, secrets and all."""
    module = f'{AT} vcsc traffic_server[18242]: Module="network.http.trafficserver" Level="DEBUG": '
    return [
        f'{module}Detail="Receive Request" Txn-id="{number}" TrackingID="fxxx" Src-ip="127.0.0.1" Src-port="40550"',
        "HTTPMSG:",
        f"|GET http://vcs_control.steven.lab:8443/{target}/cucm-uds/user/CANARY-user/devices?x=CANARY-query HTTP/1.1",
        " Cookie: X-Auth=CANARY-cookie",
        " Authorization: Basic CANARY-basic",
        " |",
        EXPRESSWAY + verdict,
        f'{module}Detail="Sending Response" Txn-id="{number}" TrackingID="fxxx" Dst-ip="127.0.0.1" Dst-port="40550"',
        "HTTPMSG:",
        f"|HTTP/1.1 {status}",
        " |",
    ]


def encode_target(text: str) -> str:
    return base64.b64encode(text.encode()).decode().rstrip("=")
