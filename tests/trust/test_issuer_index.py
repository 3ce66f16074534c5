"""The issuer index: what of a list can matter to a chain."""

from __future__ import annotations

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from remediate.model.certificate import Certificate
from remediate.trust.issuer_index import SubjectIndex
from remediate.trust.openssl import name_hashes
from remediate.trust.verifier import TrustedList
from tests.pki import NOW, issue
from tests.properties.clusters import MAX_EXAMPLES, authorities, chains, patiently, readable_authorities

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


def test_a_namesake_of_the_leaf_is_not_relevant() -> None:
    # A node whose services have certificates of one name, each from another CA.
    namesake = issue("leaf.test", STRANGER).certificate

    assert SubjectIndex([*LIST, namesake]).relevant([LEAF.certificate]) == SubjectIndex(LIST).relevant([LEAF.certificate])


def test_the_way_up_ends_where_a_bearer_is_not_listed() -> None:
    index = SubjectIndex(LIST)
    root = name_hashes(ROOT.certificate).subject

    assert root in index.reached_names([LEAF.certificate], lambda _: True)
    assert root not in index.reached_names([LEAF.certificate], lambda certificate: certificate != ISSUING.certificate)


@cache
def _tangled() -> tuple[Certificate, ...]:
    """Issue what leads round in circles, or by a key to another name."""
    pki = authorities()
    renamed = issue("Renamed", ca=True, key_name="Root/Lab")
    entities = (
        issue("Other", pki["root"], ca=True),  # with the cross-certificate of Root by Other, a circle
        issue("Root", pki["root"], ca=True, key_name="self-issued, not self-signed"),
        renamed,
        issue("Issuing", renamed, ca=True, key_ids=False),
        issue("node1", pki["issuing"], ca=True, key_ids=False),  # a CA with the name of a leaf
    )
    return tuple(entity.certificate for entity in entities)


def _authorities() -> st.SearchStrategy[Certificate]:
    readable = st.sampled_from(readable_authorities()).map(lambda name: authorities()[name].certificate)
    return readable | st.sampled_from(_tangled())


@st.composite
def _presented(draw: st.DrawFn) -> list[Certificate]:
    own, *above = draw(st.one_of(chains(1), chains(2)))
    return [own, *dict.fromkeys([*above, *draw(st.lists(_authorities(), max_size=2))])]


@settings(patiently, max_examples=5 * MAX_EXAMPLES)  # an example takes 10 ms, and a fifth of them missed planted bugs
@given(_presented(), st.lists(_authorities() | chains(1).map(lambda chain: chain[0]), min_size=2, max_size=6, unique=True))
def test_the_rest_of_a_list_changes_no_verdict(presented: list[Certificate], trusted: list[Certificate]) -> None:
    relevant = SubjectIndex(trusted).relevant(presented)

    verdict, whole = (TrustedList(listed).verify(presented, NOW) for listed in (relevant, trusted))

    assert (verdict, verdict.built_chain) == (whole, whole.built_chain)
