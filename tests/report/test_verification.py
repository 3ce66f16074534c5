"""A verification on a terminal: why clients were not tested is said once for peers alike."""

from __future__ import annotations

import io

from remediate.model.effect import ClientState, ClientView
from remediate.model.identity import Address, EndpointId, PairId
from remediate.report.terminal import make_console
from remediate.report.verification import show_verification
from tests.report.builders import PEERS, plan_with

PLAN = plan_with()


def list_client_lines(*reasons: str) -> list[str]:
    """Return the lines on clients where none was asked through any peer, for these reasons."""
    views = {
        PairId(peer, EndpointId(Address(f"cucm{number}.lab"), 8443)): ClientView(ClientState.NOT_ASKED, reason)
        for peer, reason in zip(PEERS, reasons, strict=True)
        for number in range(3)
    }
    stream = io.StringIO()
    show_verification(make_console(stream, color=False), PLAN.endpoints, views)
    lines = stream.getvalue().splitlines()
    return lines[next(number for number, line in enumerate(lines) if line.startswith("Clients:")) :]


def test_one_reason_stands_beside_the_sentence() -> None:
    assert list_client_lines(*["--no-clients was given"] * 3) == ["Clients: not tested (--no-clients was given)."]


def test_several_reasons_have_their_peers() -> None:
    assert list_client_lines("spent until 10:05", "spent until 10:06", "spent until 10:05") == [
        "Clients: not tested.",
        "  • expc1, expc3: spent until 10:05",
        "  • expc2: spent until 10:06",
    ]
