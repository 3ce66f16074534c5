"""Results of `remediate doctor` for a person: what is so of every peer is said once."""

from __future__ import annotations

from remediate.cli.check_result import CheckResult, merge_alike


def of_peer(peer: str, text: str) -> CheckResult:
    return CheckResult(f"peer {peer}", text, peer=peer)


SECRET, NODES = CheckResult("password of admin", "from file x"), CheckResult("nodes", "not checked")


def test_what_is_so_of_every_peer_is_said_once_after_what_is_not() -> None:
    results = (SECRET, of_peer("a", "well"), of_peer("a", "primary"), of_peer("b", "well"), of_peer("b", "late"), NODES)

    assert merge_alike(results) == (
        SECRET,
        of_peer("a", "primary"),
        of_peer("b", "late"),
        CheckResult("all 2 peers", "well"),
        NODES,
    )


def test_peers_that_are_quite_alike_are_one() -> None:
    assert merge_alike((SECRET, of_peer("a", "well"), of_peer("b", "well"), NODES)) == (
        SECRET,
        CheckResult("all 2 peers", "well"),
        NODES,
    )


def test_what_one_peer_lacks_stays_with_the_others() -> None:
    results = (of_peer("a", "well"), of_peer("b", "well"), of_peer("c", "not reached"))

    assert merge_alike(results) == results


def test_one_peer_stays_as_it_is() -> None:
    assert merge_alike((SECRET, of_peer("a", "well"))) == (SECRET, of_peer("a", "well"))
