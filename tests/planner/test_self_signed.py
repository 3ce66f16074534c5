"""What a plan says of self-signed certificates: when they end, and that each node needs its own trusted."""

from __future__ import annotations

from datetime import timedelta

from remediate.model.snapshot import Snapshot
from remediate.planner import make_plan
from tests.pki import Entity, issue
from tests.planner.build import endpoint, peer, snapshot

YEAR_LEFT = timedelta(days=400)


def own(name: str, lasts: timedelta = YEAR_LEFT) -> Entity:
    return issue(name, names=(name,), starts=timedelta(0), lasts=lasts)


def cluster_of(*nodes: Entity, trusted: bool = True) -> Snapshot:
    names = [f"cucm{number}.test" for number in range(len(nodes))]
    endpoints = [endpoint(name, rsa=[entity]) for name, entity in zip(names, nodes, strict=True)]
    return snapshot([peer(1, nodes if trusted else [])], endpoints, nodes, vouched=nodes)


def notes(observed: Snapshot) -> list[str]:
    return [note for note in make_plan(observed).notes if "self-signed" in note]


def test_a_note_suggests_a_ca_for_two_self_signed_nodes() -> None:
    pair = own("cucm0.test"), own("cucm1.test")

    [note] = notes(cluster_of(*pair))

    assert note.startswith("2 self-signed certificates are trusted one by one, for cucm0.test, cucm1.test:")
    assert "signed by a CA" in note
    assert "Multi-server(SAN)" in note
    assert notes(cluster_of(*pair, trusted=False)) == [note]


def test_a_note_names_the_service_of_one_that_ends_in_90_days() -> None:
    [note] = notes(cluster_of(own("cucm0.test", timedelta(days=89))))

    assert "The one of tomcat on cucm0.test expires in 89 days." in note
    assert "Multi-server(SAN)" in note


def test_a_single_node_with_a_lasting_certificate_gets_no_note() -> None:
    assert notes(cluster_of(own("cucm0.test"))) == []


def test_nodes_that_a_ca_signed_get_no_note() -> None:
    root = issue("Root", ca=True)
    signed = [issue(f"cucm{number}.test", root, names=(f"cucm{number}.test",)) for number in range(2)]
    endpoints = [endpoint(f"cucm{number}.test", rsa=[entity]) for number, entity in enumerate(signed)]

    assert notes(snapshot([peer(1, [root])], endpoints, [root, *signed])) == []
