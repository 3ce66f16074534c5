"""The order of the certificates in a file."""

from __future__ import annotations

import itertools

from remediate.trust.ordering import order_chain
from tests.pki import Entity, issue

ADDRESS = "cucm.test"
root = issue("Root", ca=True)
middle = issue("Issuing", root, ca=True)
leaf = issue(ADDRESS, middle, names=(ADDRESS,))
other_leaf = issue("other.test", middle, names=("other.test",))


def ordered(*entities: Entity, address: str = ADDRESS) -> tuple[list[str], bool, int]:
    """Return the common names, whether any was moved, and how many could be the server's own."""
    answer = order_chain([entity.certificate for entity in entities], address)
    return [certificate.common_name for certificate in answer.chain], answer.reordered, len(answer.leaves)


def test_every_order_comes_to_the_one_that_a_server_sends() -> None:
    for permutation in itertools.permutations((leaf, middle, root)):
        names, reordered, leaves = ordered(*permutation)
        assert (names[0], leaves, reordered) == (ADDRESS, 1, permutation[0] is not leaf)
        if reordered:
            assert names == [ADDRESS, "Issuing", "Root"]


def test_nothing_is_moved_behind_a_leaf() -> None:
    # Given a chain as a server sends it, the root before its issuer: the order may matter to OpenSSL
    assert ordered(leaf, root, middle) == ([ADDRESS, "Root", "Issuing"], False, 1)


def test_a_gap_in_the_chain_hides_no_leaf() -> None:
    # Given the root and the server's own certificate, without what is between them
    assert ordered(root, leaf) == ([ADDRESS, "Root"], True, 1)


def test_of_two_leaves_the_one_with_the_address_is_taken() -> None:
    assert ordered(root, other_leaf, leaf, middle) == ([ADDRESS, "Issuing", "Root", "other.test"], True, 1)
    assert ordered(root, other_leaf, leaf, middle, address="third.test")[1:] == (True, 2)
    assert ordered(other_leaf, leaf, middle) == (["other.test", ADDRESS, "Issuing"], False, 2)


def test_a_servers_own_certificate_may_call_itself_a_ca() -> None:
    own = issue(ADDRESS, ca=True, names=(ADDRESS,), key_name="own")
    assert ordered(own, other_leaf) == ([ADDRESS, "other.test"], False, 2)
    assert ordered(root) == (["Root"], False, 1)


def test_authorities_that_signed_each_other_have_no_leaf() -> None:
    first, second = issue("A", ca=True), issue("B", ca=True)
    crossed = [issue("A", second, ca=True, key_name="A/Lab"), issue("B", first, ca=True, key_name="B/Lab")]
    assert ordered(*crossed) == (["A", "B"], False, 0)


def test_a_certificate_that_is_sent_twice_counts_once() -> None:
    assert ordered(root, leaf, middle, root, leaf) == ([ADDRESS, "Issuing", "Root"], True, 1)
