"""A man in the middle who shows a self-signed certificate to the probe gets nothing into a trust list (promise 12)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from remediate.lab import Lab
from remediate.lab.pki import Pki
from tests.cli.conftest import Remediate

pytestmark = pytest.mark.lab

NODE = "cucm.steven.lab"


@pytest.fixture
def intercepted(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """Yield a lab of the scenario that the test names, with a man in the middle before the publisher's 6971 and 6972."""
    with Lab(tmp_path / "lab", scenario=request.param, judge=False) as lab:
        lab.faults.man_in_the_middle(NODE, 6972)
        yield lab


def forged(lab: Lab) -> set[str]:
    return {chain[0].fingerprint for chain in lab.node(NODE).presented[6972].values()}


def genuine(pki: Pki) -> set[str]:
    return {pki.certificate(f"{NODE}/CallManager/{family}").fingerprint for family in ("rsa", "ecdsa")}


@pytest.mark.parametrize("intercepted", ["story"], indirect=True)
def test_a_forged_certificate_needs_an_approval_first(intercepted: Lab, remediate: Remediate, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    # The console's fingerprints are those of the real node: to approve them does not let the forged one in.
    assert remediate("plan", "-i", intercepted.inventory, "--approve-file", intercepted.approvals, "-o", plan, "-q").code == 0
    approvals = {
        load["certificate"]: load["approval"] for load in json.loads(plan.read_text())["actions"] if "approval" in load
    }
    required = approvals.keys() & forged(intercepted)

    ended = remediate("apply", plan, "-i", intercepted.inventory, "--approve-file", intercepted.approvals, "--yes", "-q")

    assert required
    assert {approvals[fingerprint] for fingerprint in required} == {"required"}
    assert ended.code == 7
    assert all(fingerprint in ended.err for fingerprint in required)
    assert intercepted.requests.writes == ()


@pytest.mark.parametrize("intercepted", ["x15"], indirect=True)
def test_certificate_management_that_says_otherwise_raises_the_alarm(
    intercepted: Lab, remediate: Remediate, tmp_path: Path
) -> None:
    plan, events = tmp_path / "plan.json", tmp_path / "events.jsonl"

    planned = remediate("plan", "-i", intercepted.inventory, "-o", plan, "--events", events, "-q")
    verified = remediate("verify", "-i", intercepted.inventory, "--json", "-q")
    view = remediate("show", plan)
    ticket, page = remediate("show", plan, "--markdown", "-").out, remediate("show", plan, "--html", "-").out
    ended = remediate("apply", plan, "-i", intercepted.inventory, "--yes", "-q")

    document = json.loads(plan.read_text())
    alarms = [json.loads(line) for line in events.read_text().splitlines() if '"type": "alarm"' in line]
    assert {alarm["certificate"] for alarm in alarms} == forged(intercepted)
    assert planned.err.count("ALARM: ") == len(alarms) == 4
    for text in (planned.err, "".join(document["notes"][:4]), "".join(verified.document["clusters"][0]["alarms"])):
        assert all(fingerprint in text for fingerprint in forged(intercepted) | genuine(intercepted.pki))
    assert all(note.startswith("Alarm: ") for note in document["notes"][:4])
    assert view.out.index("ALARM") < view.out.index("Actions")
    assert ticket.index("Alarm") < ticket.index("## Endpoints")
    assert page.index("Alarm") < page.index("Changes by peer")

    trusted = {action["certificate"] for action in document["actions"] if action["kind"] == "trust-certificate"}
    held = {certificate.fingerprint for peer in intercepted.peers for certificate in peer.trusted}
    assert not (trusted | held) & forged(intercepted)
    assert ended.code == 11


def test_an_interception_after_the_plan_makes_it_stale(remediate: Remediate, tmp_path: Path) -> None:
    with Lab(tmp_path / "lab", scenario="x15", judge=False) as lab:
        plan = tmp_path / "plan.json"
        approve = ("--approve-file", lab.approvals)
        assert "ALARM" not in remediate("plan", "-i", lab.inventory, *approve, "-o", plan, "-q").err
        lab.faults.man_in_the_middle(NODE, 6972)

        ended = remediate("apply", plan, "-i", lab.inventory, *approve, "--yes")

        assert ended.code == 6
        assert "as the ECDSA certificate of CallManager" in ended.err
        assert lab.requests.writes == ()
