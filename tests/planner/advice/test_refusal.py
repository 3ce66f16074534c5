"""A refusal, and the other endpoints at its peer that advice must not break."""

from __future__ import annotations

from remediate import Cause, make_plan
from tests.pki import issue
from tests.planner.build import endpoint, only_unresolved, peer, snapshot

root = issue("steven-DC-CA", ca=True)


def test_an_addition_that_breaks_an_endpoint_is_advised_against() -> None:
    # Given a node that verifies by the CA it sends, and another one whose CA has that subject and another key, and no identifiers
    good = issue("Shared name", root, ca=True)
    twin = issue("Shared name", ca=True, key_name="twin", key_ids=False)
    works = issue("a.test", good, names=("a.test",), key_ids=False)
    other_leaf = issue("b.test", twin, names=("b.test",), key_ids=False)
    nodes = [endpoint("a.test", ecdsa=[works, good]), endpoint("b.test", ecdsa=[other_leaf])]
    cluster = snapshot([peer(1, [root])], nodes, [root, good, twin, works, other_leaf], available=[twin], vouched=[twin])
    # When it is planned
    unresolved = only_unresolved(make_plan(cluster))
    # Then the twin stays out, and it says for whose sake
    assert unresolved.address == "b.test"
    assert "but then a.test:8443 would be refused." in unresolved.advice


def test_a_stale_ca_that_others_rest_on_is_not_to_be_deleted_first() -> None:
    # Given a list whose older CA certificate wins over the newer one that a node presents, while another node rests on it
    older = issue("Issuing", root, ca=True, key_name="older issuing key", key_ids=False)
    newer = issue("Issuing", root, ca=True, key_name="newer issuing key", key_ids=False)
    rests = issue("a.test", older, names=("a.test",), key_ids=False)
    refused = issue("b.test", newer, names=("b.test",), key_ids=False)
    nodes = [endpoint("a.test", ecdsa=[rests]), endpoint("b.test", ecdsa=[refused, newer])]
    cluster = snapshot([peer(1, [root, older])], nodes, [root, older, newer, rests, refused])

    unresolved = only_unresolved(make_plan(cluster))

    assert (unresolved.address, unresolved.cause) == ("b.test", Cause.SHADOWED)
    assert "Have the certificates of a.test:8443 that use it reissued first: delete it by hand" in unresolved.options[0]
