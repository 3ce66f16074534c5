"""The second half of the handshake on a lab: perfect lists and still 502, an upload, restarted services, and all of it undone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from remediate.lab import Lab
from tests.cli.conftest import Remediate, answer_on_terminal

pytestmark = pytest.mark.lab
CUCM, IMP = "cucm.steven.lab", "imp.steven.lab"


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Lab]:
    """Yield a lab whose nodes refuse the peers, with the traffic server as its judge where it is installed."""
    with Lab(tmp_path / "lab", "refuses-peers") as running:
        yield running


def ask(lab: Lab) -> list[int]:
    """Return what a client gets through the first peer from each port of the publisher."""
    return [lab.ask(0, CUCM, port).status for port in (8443, 6971, 6972)]


def trusted_by(lab: Lab) -> list[dict[str, list[str]]]:
    """Return what the services of each node trust."""
    return [
        {store: [certificate.fingerprint for certificate in trusted] for store, trusted in node.stores.trusted.items()}
        for node in lab.nodes
    ]


def restart_services(lab: Lab) -> None:
    for node in lab.nodes:
        for service in ("Cisco Tomcat", "Cisco CallManager", "Cisco XCP Router"):
            if node.stores.restart(service):
                lab.restart_service(node.address, service)


def test_perfect_lists_are_not_enough_and_an_upload_heals_it(remediate: Remediate, fresh: Lab, tmp_path: Path) -> None:
    plan, where = tmp_path / "plan.json", ("-i", fresh.inventory, "-q")
    start = trusted_by(fresh)
    assert ask(fresh) == [200, 502, 502]

    # Given every list is right, and verify says who refuses whom
    verified = remediate("verify", *where, "--no-clients", "--json")
    [cluster] = verified.document["clusters"]
    assert verified.code == 10
    assert all(endpoint["ok"] for endpoint in cluster["endpoints"])
    assert {toward["cause"] for toward in cluster["toward_nodes"]} == {"client-untrusted"}
    fresh.requests.clear()

    # When it is planned and applied with --cucm-trust
    plan_document = remediate("plan", *where, "--cucm-trust", "--json", "-o", plan)
    assert {action["kind"] for action in plan_document.document["actions"]} == {"trust-on-node"}
    assert remediate("apply", plan, *where, "--yes").code == 7
    assert remediate("apply", plan, *where, "--cucm-trust", "--dry-run").code == 0
    assert fresh.requests.writes == ()
    applied = remediate("apply", plan, *where, "--cucm-trust", "--yes", "--json")

    # Then it counts once services restarted, which the apply says and leaves to a person
    assert (applied.code, applied.document["state"]) == (11, "applied")
    assert sum("restart Cisco" in step for step in applied.document["open_steps"]) == 3
    writers = {write.peer for write in list(fresh.requests) if write.write}
    # Unified CM takes an upload over to its other nodes
    assert writers == {"cucm-sub1.steven.lab", IMP}
    assert (
        sum("cucm-sub1.steven.lab, cucm-sub2.steven.lab, cucm.steven.lab" in step for step in applied.document["open_steps"])
        == 2
    )
    assert ask(fresh) == [200, 502, 502]
    restart_services(fresh)
    assert ask(fresh) == [200, 200, 200]
    assert remediate("verify", *where, "--no-clients").code == 0
    assert remediate("plan", *where, "--cucm-trust", "--json").document["actions"] == []

    # And a rollback, which asks with the nodes, takes it back
    declined = answer_on_terminal("no", "rollback", "last", "-i", fresh.inventory)
    assert "on 2 nodes of edge-lab?" in declined.err
    undone = remediate("rollback", "last", *where, "--yes", "--json")
    assert (undone.code, undone.document["state"]) == (11, "rolled-back")
    assert trusted_by(fresh) == start
    restart_services(fresh)
    assert ask(fresh) == [200, 502, 502]


def test_the_question_names_nodes_and_services(remediate: Remediate, fresh: Lab, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    assert remediate("plan", "-i", fresh.inventory, "-q", "--cucm-trust", "-o", plan).code == 0

    answer = answer_on_terminal("no", "apply", plan, "-i", fresh.inventory, "--cucm-trust")

    assert answer.code == 7
    words = " ".join(answer.err.split())
    assert "1 certificate to upload to 4 Unified CM or IM and Presence nodes" in words
    for text in (CUCM, IMP, "Cisco Tomcat", "Cisco XCP Router", "all chat and presence sessions are dropped"):
        assert text in words
    assert fresh.requests.writes == ()


def test_what_nodes_lack_is_written_as_files(remediate: Remediate, fresh: Lab, tmp_path: Path) -> None:
    assert remediate("certificates", "-i", fresh.inventory, "-q", "--pem", tmp_path / "pem").code == 0

    folder = tmp_path / "pem" / fresh.name / "to-upload"
    [file] = folder.glob("*.pem")
    assert file.read_text() == (fresh.directory / "pki" / "expressway-ca.pem").read_text()
    assert f"on {CUCM} as CallManager-trust" in (folder / "README.txt").read_text()
