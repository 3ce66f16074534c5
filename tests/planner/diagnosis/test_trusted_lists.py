"""Diagnosis by the lists in the archives of the peers: each peer's lines and connections by its own list."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from remediate.model.archived_peer import ArchivedPeer
from remediate.model.evidence import Alert, Evidence, Handshake, LoggedFailure
from remediate.planner.diagnosis import diagnose
from tests.pki import NOW, YEAR, issue

ROOT = issue("Root", ca=True)
NODE = issue("cucm.steven.lab", names=("cucm.steven.lab",))
SIGNED = issue("cucm.steven.lab", ROOT, names=("cucm.steven.lab",))


def peer(number: int, *trusted: object) -> ArchivedPeer:
    listed = tuple(entity.certificate for entity in trusted)  # type: ignore[attr-defined]
    settings = {"Ethernet 1 IP V4 Address": f"10.0.0.{number}"}
    return ArchivedPeer(f"expc{number}", "archive", trusted=listed, settings=settings)


def logged(host: str, error: str = "self signed certificate", depth: int = 0) -> LoggedFailure:
    return LoggedFailure("chain", host, "cucm.steven.lab", "10.48.36.215", 6972, error, depth, enforced=True)


def handshake(client: str, chain: object) -> Handshake:
    return Handshake(
        client, "10.48.36.215", 8443, "cucm.steven.lab", (0xC030,), 0x0303, 0xC030,
        (chain.certificate,), client_accepted=True, last_seen=NOW - timedelta(hours=1),  # type: ignore[attr-defined]
    )  # fmt: skip


def advice_of(evidence: Evidence) -> str:
    (finding,) = diagnose(evidence, None, NOW).findings
    return " ".join((*finding.remarks, *finding.advice))


def test_a_certificate_already_in_the_list_needs_a_restart_only() -> None:
    text = advice_of(Evidence(logged_failures=(logged("expc1"),), archived_peers=(peer(1, ROOT, NODE),)))
    assert "of expc1 already holds" in text
    assert "remediate restart" in text
    assert "Trust that certificate" not in text


def test_a_remark_says_that_the_list_was_searched() -> None:
    text = advice_of(Evidence(logged_failures=(logged("expc1"),), archived_peers=(peer(1, ROOT),)))
    assert "was searched" in text
    assert "Trust that certificate" in text


def test_only_the_list_of_the_logging_peer_is_searched() -> None:
    peers = (peer(1, ROOT), peer(2, ROOT, NODE))
    assert "already holds" not in advice_of(Evidence(logged_failures=(logged("expc1"),), archived_peers=peers))
    assert "of expc2 already holds" in advice_of(Evidence(logged_failures=(logged("expc2"),), archived_peers=peers))


def test_the_cas_in_the_list_are_named_where_an_issuer_is_missing() -> None:
    failure = logged("expc1", "unable to get local issuer certificate", 0)
    text = advice_of(Evidence(logged_failures=(failure,), archived_peers=(peer(1, ROOT),)))
    assert "has 1 CA certificate (Root)" in text
    assert "give its diagnostic archive" not in text


def test_each_connection_is_judged_by_the_list_of_its_peer() -> None:
    evidence = Evidence(
        handshakes=(handshake("10.0.0.1", SIGNED), handshake("10.0.0.2", SIGNED)),
        archived_peers=(peer(1, ROOT), peer(2, NODE)),
    )
    (finding,) = diagnose(evidence, None, NOW).findings
    verdicts = {chain.trusted: chain.verdict.ok for chain in finding.captured_endpoints[0].chains if chain.verdict}
    assert verdicts == {(ROOT.certificate,): True, (NODE.certificate,): False}


def test_a_list_that_is_given_counts_for_every_peer() -> None:
    evidence = Evidence(handshakes=(handshake("10.0.0.1", SIGNED),), archived_peers=(peer(1, NODE),))
    (finding,) = diagnose(evidence, (ROOT.certificate,), NOW).findings
    assert [chain.verdict.ok for chain in finding.captured_endpoints[0].chains if chain.verdict] == [True]


def test_without_a_list_the_advice_is_to_look_first() -> None:
    text = advice_of(Evidence(logged_failures=(logged("expc1"),)))
    assert text.index("First check whether the peer's list has that certificate already") < text.index(
        "Else trust that certificate"
    )


def test_the_advice_names_the_list_that_lacks_the_certificate() -> None:
    evidence = Evidence(logged_failures=(logged("expc1"), logged("expc2")), archived_peers=(peer(1, ROOT, NODE), peer(2, ROOT)))
    assert "The list of expc2 lacks it" in advice_of(evidence)


def test_a_captured_certificate_is_looked_for_first_too() -> None:
    text = advice_of(Evidence(handshakes=(replace(handshake("10.0.0.1", NODE), alerts=(Alert("client", 48),)),)))
    assert text.index("First check whether the peer's list has the certificate below already") < text.index(
        "Add 'CN=cucm.steven.lab"
    )
    assert "a new CA takes effect only after a restart of each peer" in text


def test_a_reissue_is_about_the_service_behind_the_port() -> None:
    late = issue("cucm.steven.lab", names=("cucm.steven.lab",), starts=-3 * YEAR, lasts=YEAR)
    evidence = Evidence(handshakes=(replace(handshake("10.0.0.1", late), port=6972, alerts=(Alert("client", 45),)),))
    assert "the ITL is rewritten and phones reset by themselves" in advice_of(evidence)
