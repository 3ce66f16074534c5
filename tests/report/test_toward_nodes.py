"""The words about nodes that refuse the peers' own certificates: one finding for one cause, and the files to upload."""

from __future__ import annotations

from dataclasses import replace

from remediate.model.identity import Address
from remediate.model.plan import Policy
from remediate.model.snapshot import Snapshot
from remediate.model.toward_nodes import Node
from remediate.planner import make_plan
from remediate.planner.toward_nodes import judge_toward_nodes
from remediate.report.html import plan_page
from remediate.report.markdown import plan_ticket
from remediate.report.toward_nodes import describe_toward_nodes
from remediate.report.uploads import README, list_upload_files
from remediate.report.view import summarise_verdicts
from tests.pki import issue
from tests.planner.build import endpoint, peer, snapshot

ROOT = issue("Edge Root", ca=True)
CUCM = issue("cucm0.test", ROOT, names=("cucm0.test",), family="rsa")
OWN = [issue(f"expc{number}.test", ROOT, names=(f"expc{number}.test",)) for number in (1, 2, 3)]


def refused_everywhere(nodes: int) -> Snapshot:
    """Three peers that `nodes` Unified CM nodes and one of IM and Presence refuse, since nobody has their CA."""
    observed = snapshot(
        [peer(number, (ROOT,)) for number in (1, 2, 3)], [endpoint("cucm0.test", rsa=[CUCM])], [*OWN, ROOT, CUCM]
    )
    peers = tuple(
        replace(observed_peer, server_certificate=(own.certificate.fingerprint,))
        for observed_peer, own in zip(observed.peers, OWN, strict=True)
    )
    unified_cm = [
        Node(Address(f"cucm{number}.test"), "cucm", trust={"tomcat": (), "CallManager": ()}, by="certmgr")
        for number in range(nodes)
    ]
    chat = Node(Address("imp.test"), "imp", trust={"cup-xmpp": ()}, by="certmgr")
    return replace(observed, peers=peers, nodes=(*unified_cm, chat))


def test_many_nodes_with_one_cause_are_one_finding() -> None:
    finding, upload, *restarts = describe_toward_nodes(make_plan(refused_everywhere(8)))

    assert finding.count(ROOT.certificate.fingerprint) == 1
    assert "tomcat-trust of cucm0.test, cucm1.test, cucm2.test, cucm3.test and 4 more" in finding
    assert "cup-xmpp-trust of imp.test" in finding
    assert "--cucm-trust" in upload
    assert "--pem" in upload
    assert [text.partition(":")[0] for text in restarts] == [
        "Then, for tomcat-trust",
        "Then, for CallManager-trust",
        "Then, for cup-xmpp-trust",
    ]


def test_many_uploads_are_shown_as_one_group() -> None:
    plan = make_plan(refused_everywhere(8), Policy(cucm_trust=True))

    page, ticket = plan_page(plan), plan_ticket(plan)

    assert "17 uploads of one certificate to nodes (confirmed)" in page
    assert ROOT.certificate.fingerprint in page
    assert ROOT.certificate.fingerprint in ticket


def test_nodes_that_refuse_are_in_the_verdict() -> None:
    observed = refused_everywhere(2)

    assert "3 nodes refuse the peers' own certificates." in summarise_verdicts(make_plan(observed))[-1]
    assert summarise_verdicts(make_plan(observed, Policy(cucm_trust=True)))[-1].endswith("certificates, and 0 after it.")


def test_what_nodes_lack_is_a_file_each() -> None:
    observed = refused_everywhere(2)

    files = list_upload_files(observed, judge_toward_nodes(observed))

    [name] = files.keys() - {README}
    assert files[name] == ROOT.certificate.pem
    for text in (name, "on cucm0.test as CallManager-trust", "on imp.test as cup-xmpp-trust", "restart Cisco XCP Router"):
        assert text in files[README]


def test_nothing_is_written_where_nothing_is_lacking() -> None:
    observed = replace(refused_everywhere(2), nodes=())

    assert list_upload_files(observed, judge_toward_nodes(observed)) == {}
