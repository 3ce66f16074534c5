"""The issuer index: what of a list can matter to a chain."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from remediate.model.certificate import Certificate
from remediate.trust.chain_verifier import TrustedList
from remediate.trust.issuer_index import SubjectIndex
from remediate.trust.openssl import name_hashes
from tests.pki import NOW, issue
from tests.properties.clusters import authorities, leaf, patiently, readable_authorities

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


def test_the_way_up_leads_through_what_is_presented() -> None:
    index = SubjectIndex([ROOT.certificate, STRANGER.certificate])

    assert index.relevant([LEAF.certificate]) == ()
    assert index.relevant([LEAF.certificate, STRANGER.certificate, ISSUING.certificate]) == (ROOT.certificate,)


def test_a_namesake_of_a_leaf_leads_nowhere() -> None:
    # A node whose services have certificates of one name, each from another CA.
    namesake = issue("leaf.test", STRANGER).certificate

    assert SubjectIndex([*LIST, namesake]).relevant([LEAF.certificate]) == SubjectIndex(LIST).relevant([LEAF.certificate])


def test_the_way_up_ends_where_a_bearer_is_not_listed() -> None:
    index = SubjectIndex(LIST)
    root = name_hashes(ROOT.certificate).subject

    assert root in index.reached_names([LEAF.certificate], lambda _: True)
    assert root not in index.reached_names([LEAF.certificate], lambda certificate: certificate != ISSUING.certificate)


def _certificates() -> st.SearchStrategy[Certificate]:
    leaves = st.builds(leaf, st.sampled_from([1, 2]), st.sampled_from(["itself", *readable_authorities()]), st.just(True))
    return st.sampled_from(readable_authorities()).map(lambda name: authorities()[name].certificate) | leaves


@patiently
@given(
    st.lists(_certificates(), min_size=1, max_size=4, unique=True),
    st.lists(_certificates(), min_size=2, max_size=8, unique=True),
)
def test_the_rest_of_a_list_changes_no_verdict(presented: list[Certificate], trusted: list[Certificate]) -> None:
    relevant = SubjectIndex(trusted).relevant(presented)

    assert TrustedList(relevant).verify(presented, NOW) == TrustedList(trusted).verify(presented, NOW)
