"""What would mend one verdict by itself."""

from __future__ import annotations

from remediate.model.certificate import Certificate
from remediate.planner.advice.explain import Fixes, find_fixes
from tests.pki import NOW, YEAR, Entity, issue

ADDRESS = "cucm.test"

root = issue("Root", ca=True)
middle = issue("Middle", root, ca=True)
signed = issue(ADDRESS, middle, names=(ADDRESS,))
own = issue(ADDRESS, names=(ADDRESS,), key_name="own")


def certificates(*entities: Entity) -> list[Certificate]:
    return [entity.certificate for entity in entities]


def mending(presented: list[Entity], trusted: list[Entity], address: str = ADDRESS) -> Fixes:
    return find_fixes(certificates(*presented), certificates(*trusted), address, NOW)


def test_a_good_verdict_needs_nothing() -> None:
    assert mending([signed, middle], [root]) == Fixes((), ())


def test_what_was_presented_is_tried_and_a_person_has_to_compare_it() -> None:
    [change] = mending([signed, middle, root], []).list_changes
    assert change.startswith("Add 'CN=Root,O=Lab' (sha256:")
    assert change.endswith("once a person compared its fingerprint over another path.")


def test_a_name_that_does_not_fit_is_told_beside_the_chain() -> None:
    # Given a self-signed certificate of another name
    found = mending([own], [], "10.0.0.5")
    # Then no change of the list alone mends it, and both steps are told, the chain first
    assert found.list_changes == ()
    assert found.advice[0].startswith("Add 'CN=cucm.test,O=Lab'")
    assert found.advice[1].startswith("Clients use the IP address 10.0.0.5; the certificate is for cucm.test.")


def test_an_ip_san_is_not_said_to_help() -> None:
    found = " ".join(mending([signed, middle], [root], "10.0.0.5").advice)
    assert "never looks at IP SANs" in found


def test_what_nobody_presents_has_to_be_found() -> None:
    found = mending([signed], [root])
    assert found.list_changes == ()
    assert "'CN=Middle,O=Lab'" in found.advice[0]


def test_an_expired_self_signed_certificate_is_not_to_be_trusted() -> None:
    late = issue("late.test", names=(ADDRESS,), starts=-3 * YEAR, lasts=YEAR)
    found = mending([late], [])
    assert found.list_changes == ()
    assert found.advice[0].startswith("Trust alone does not mend it: 'CN=late.test,O=Lab' (sha256:")
    assert "expired on 2024-11-23" in found.advice[0]
    assert found.advice[1] == "Renew the certificate of cucm.test."


def test_a_stale_copy_in_the_list_has_to_go() -> None:
    stale = issue("Middle", root, ca=True, starts=-3 * YEAR, lasts=YEAR)
    [change] = mending([signed, middle], [root, stale]).list_changes
    assert (
        change
        == f"Remove 'CN=Middle,O=Lab' ({stale.certificate.fingerprint[:19]}…) from the trusted CA list: it wins over the good one."
    )


def test_the_renewed_certificate_takes_the_place_of_the_one_before() -> None:
    # Given a self-signed certificate that was renewed with another key, and the old one in the list
    old = issue(ADDRESS, names=(ADDRESS,), key_name="before")
    [change] = mending([own], [old]).list_changes
    # Then both would not do: the old one would win over the new one
    assert f"Add 'CN=cucm.test,O=Lab' ({own.certificate.fingerprint[:19]}…)" in change
    assert f"in the place of 'CN=cucm.test,O=Lab' ({old.certificate.fingerprint[:19]}…)" in change


def test_a_renewed_ca_in_the_place_of_the_old_one_says_what_that_costs() -> None:
    # Given a root that was renewed with another key, and the older one in the list
    newer = issue("Root", ca=True, key_name="the newer key")
    [change] = mending([issue(ADDRESS, newer, names=(ADDRESS,)), newer], [root]).list_changes
    assert (
        f"What the key of 'CN=Root,O=Lab' ({root.certificate.fingerprint[:19]}…) signed has to be signed again first" in change
    )
    # and nothing of it where the key is the same
    again = issue("Root", ca=True, key_name="Root/Lab")
    late = issue("Root", ca=True, key_name="Root/Lab", starts=-3 * YEAR, lasts=YEAR)
    mends = mending([issue(ADDRESS, again, names=(ADDRESS,)), again], [late]).list_changes
    assert not any("signed again" in change for change in mends)
