"""The fixes of one verdict by itself."""

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


def fixes_for(presented: list[Entity], trusted: list[Entity], address: str = ADDRESS) -> Fixes:
    return find_fixes(certificates(*presented), certificates(*trusted), address, NOW)


def test_a_good_verdict_needs_nothing() -> None:
    assert fixes_for([signed, middle], [root]) == Fixes((), ())


def test_a_presented_root_is_a_fix_after_its_fingerprint_is_compared() -> None:
    [change] = fixes_for([signed, middle, root], []).list_changes
    assert change.startswith("Add 'CN=Root,O=Lab' (sha256:")
    assert change.endswith("after checking its fingerprint out of band.")


def test_a_name_mismatch_is_advised_on_after_the_chain() -> None:
    # Given a self-signed certificate of another name
    fixes = fixes_for([own], [], "10.0.0.5")
    # Then no change of the list alone mends it, and both steps are told, the chain first
    assert fixes.list_changes == ()
    assert fixes.advice[0].startswith("Add 'CN=cucm.test,O=Lab'")
    assert fixes.advice[1].startswith("Clients use the IP address 10.0.0.5; the certificate is for cucm.test.")


def test_an_ip_san_is_not_advised() -> None:
    fixes = " ".join(fixes_for([signed, middle], [root], "10.0.0.5").advice)
    assert "ignores IP SANs" in fixes


def test_the_advice_names_a_missing_intermediate() -> None:
    fixes = fixes_for([signed], [root])
    assert fixes.list_changes == ()
    assert "'CN=Middle,O=Lab'" in fixes.advice[0]


def test_an_expired_self_signed_certificate_is_not_to_be_trusted() -> None:
    late = issue("late.test", names=(ADDRESS,), starts=-3 * YEAR, lasts=YEAR)
    fixes = fixes_for([late], [])
    assert fixes.list_changes == ()
    assert fixes.advice[0].startswith("Trust alone does not fix it: 'CN=late.test,O=Lab' (sha256:")
    assert "expired on 2024-11-23" in fixes.advice[0]
    assert fixes.advice[1].startswith("Renew the certificate of cucm.test. Price: ")


def test_the_fix_removes_a_stale_copy_from_the_list() -> None:
    stale = issue("Middle", root, ca=True, starts=-3 * YEAR, lasts=YEAR)
    [change] = fixes_for([signed, middle], [root, stale]).list_changes
    described = f"'CN=Middle,O=Lab' ({stale.certificate.fingerprint[:19]}…)"
    assert change == f"Remove {described} from the trusted CA list: it takes precedence over the good one."


def test_the_fix_replaces_a_certificate_by_its_renewal() -> None:
    # Given a self-signed certificate that was renewed with another key, and the old one in the list
    old = issue(ADDRESS, names=(ADDRESS,), key_name="before")
    [change] = fixes_for([own], [old]).list_changes
    # Then both would not do: the old one would win over the new one
    assert f"Add 'CN=cucm.test,O=Lab' ({own.certificate.fingerprint[:19]}…)" in change
    assert f"instead of 'CN=cucm.test,O=Lab' ({old.certificate.fingerprint[:19]}…)" in change


def test_replacing_a_ca_by_another_key_warns_of_what_it_signed() -> None:
    # Given a root that was renewed with another key, and the older one in the list
    newer = issue("Root", ca=True, key_name="the newer key")
    [change] = fixes_for([issue(ADDRESS, newer, names=(ADDRESS,)), newer], [root]).list_changes
    assert (
        f"First have every certificate reissued that the key of 'CN=Root,O=Lab' ({root.certificate.fingerprint[:19]}…) signed"
        in change
    )
    # and nothing of it where the key is the same
    again = issue("Root", ca=True, key_name="Root/Lab")
    late = issue("Root", ca=True, key_name="Root/Lab", starts=-3 * YEAR, lasts=YEAR)
    list_changes = fixes_for([issue(ADDRESS, again, names=(ADDRESS,)), again], [late]).list_changes
    assert not any("reissued" in change for change in list_changes)


def test_the_advice_gives_the_address_of_the_issuer() -> None:
    urls = ("http://pki.corp.example/issuing.crt", "file:///etc/passwd", "http://two words/")
    leaf = issue("leaf.test", middle, names=(ADDRESS,), issuer_urls=urls)

    advice = " ".join(fixes_for([leaf], [root]).advice)

    assert leaf.certificate.issuer_addresses == urls
    assert "names http://pki.corp.example/issuing.crt as its location; compare its fingerprint with the CA's owner" in advice
    assert "file:" not in advice
