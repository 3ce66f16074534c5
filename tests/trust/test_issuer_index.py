"""The issuer index: what of a list can matter to a chain."""

from __future__ import annotations

from remediate.trust.issuer_index import SubjectIndex
from remediate.trust.openssl import name_hashes
from tests.pki import issue

ROOT = issue("Root", ca=True)
ISSUING = issue("Issuing", ROOT, ca=True)
LEAF = issue("leaf.test", ISSUING)
TWIN = issue("Issuing", issue("Elsewhere", ca=True), ca=True, key_name="twin")
STRANGER = issue("Stranger", ca=True)
LIST = tuple(entity.certificate for entity in (STRANGER, ROOT, TWIN, ISSUING))


def test_every_bearer_of_a_name_on_the_way_up_is_relevant() -> None:
    index = SubjectIndex(LIST)

    assert index.relevant([LEAF.certificate]) == (ROOT.certificate, TWIN.certificate, ISSUING.certificate)
    assert index.relevant([STRANGER.certificate]) == (STRANGER.certificate,)
    assert index.relevant([]) == ()


def test_the_way_up_ends_where_a_bearer_is_not_listed() -> None:
    index = SubjectIndex(LIST)
    root = name_hashes(ROOT.certificate).subject

    assert root in index.reached_names([LEAF.certificate], lambda _: True)
    assert root not in index.reached_names([LEAF.certificate], lambda certificate: certificate != ISSUING.certificate)
