"""Reading commands, by the lab's log of requests, which has no write in it; and what answers in the place of a peer."""

from __future__ import annotations

from pathlib import Path

import pytest

from remediate.lab import Lab
from remediate.lab.faults import LOGIN_PAGE, Substitute
from tests.cli.conftest import Remediate

pytestmark = pytest.mark.lab


def test_reading_verbs_send_no_write(remediate: Remediate, lab: Lab, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    request_count = len(lab.requests)

    codes = {
        "plan": remediate("plan", "-i", lab.inventory, "-o", plan, "-q").code,
        "collect": remediate("collect", "-i", lab.inventory, "-q").code,
        "verify": remediate("verify", "-i", lab.inventory, "-q").code,
        "doctor": remediate("doctor", "-i", lab.inventory).code,
        "workaround": remediate("workaround", "status", "-i", lab.inventory, "-q").code,
        "dry run": remediate("apply", plan, "-i", lab.inventory, "--dry-run", "--approve-file", lab.approvals, "-q").code,
    }

    assert codes == {"plan": 0, "collect": 0, "verify": 10, "doctor": 0, "workaround": 0, "dry run": codes["dry run"]}
    assert codes["dry run"] in {0, 10}
    assert len(lab.requests) > request_count
    assert [request for request in list(lab.requests)[request_count:] if request.write] == []


ELSEWHERE = {
    "a login page": (LOGIN_PAGE, "a web page (HTML), “Sign in”"),
    "nothing": (Substitute(204), "with an empty answer"),
    "a redirect": (Substitute(302, b"", (("Location", "https://sso.example.test/"),)), "to sso.example.test"),
    "a redirect that cannot be read": (Substitute(302, b"", (("Location", "https://["),)), "an address that cannot be read"),
    "no such page": (Substitute(404, b"not found"), "`rest_port`"),
    "no API access": (Substitute(403, b"Forbidden"), "API access"),
}


@pytest.mark.parametrize(("answer", "advice"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_what_answers_in_the_place_of_a_peer_is_no_login(
    remediate: Remediate, lab: Lab, answer: Substitute, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a cluster in whose place something else answers
    monkeypatch.setenv("COLUMNS", "400")
    for peer in lab.peers:
        lab.faults.substitute(peer.address, answer)
    try:
        # When it is looked at
        doctor = remediate("doctor", "-i", lab.inventory)
        plan = remediate("plan", "-i", lab.inventory, "-q")
    finally:
        lab.faults.clear()
    # Then both say what came, and neither ends well
    assert doctor.code in {1, 4}
    assert plan.code in {1, 4}
    assert "logged in" not in doctor.out
    assert advice in doctor.out + doctor.err
    assert advice in plan.out + plan.err
