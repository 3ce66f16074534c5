"""Candidates: what a plan may add, what each is, and who answers for it."""

from __future__ import annotations

from dataclasses import replace

from remediate import Certificate, Policy
from remediate.model.snapshot import Alarm
from remediate.planner.solver.candidates import common_name_group, find_candidates
from tests.pki import Entity, issue
from tests.planner.build import endpoint, peer, snapshot

ROOT = issue("Root", ca=True)
ISSUING = issue("Issuing", ROOT, ca=True)
LEAF = issue("cucm.test", ISSUING, names=("cucm.test",))
OWN = issue("imp.test", names=("imp.test",))
GIVEN = issue("Given", ca=True)
UNREADABLE = Entity(Certificate.from_der(b"\x30\x03\x02\x01\x01"), ROOT.private_key, ROOT.name)
CLUSTER = snapshot(
    [peer(1, [ROOT])],
    [endpoint("cucm.test", rsa=[LEAF, ISSUING]), endpoint("imp.test", ecdsa=[OWN])],
    [ROOT, ISSUING, LEAF, OWN, GIVEN, UNREADABLE],
    available=[GIVEN, UNREADABLE],
    vouched=[GIVEN],
)


def test_names_that_differ_in_case_or_blanks_share_a_group() -> None:
    groups = {common_name_group(issue(name, ca=True).certificate) for name in ("Corp  Root", "corp root", "CORP ROOT")}
    assert groups == {"cn:corp root"}


def test_without_a_common_name_the_subject_is_the_group() -> None:
    first, second = (common_name_group(issue(None, organization=name).certificate) for name in ("Lab", "Other"))
    assert first.startswith("subject:")
    assert first != second


def test_what_is_presented_listed_or_given_may_be_added() -> None:
    candidates = find_candidates(CLUSTER, Policy())
    assert candidates.addable == {entity.certificate for entity in (ROOT, ISSUING, LEAF, OWN, GIVEN)}


def test_each_candidate_has_its_role_and_who_answers_for_it() -> None:
    candidates = find_candidates(CLUSTER, Policy(approved=frozenset({OWN.certificate.fingerprint})))

    roles = [candidates.role(entity.certificate) for entity in (ROOT, ISSUING, OWN)]
    approvals = [candidates.approval(entity.certificate) for entity in (ROOT, GIVEN, OWN, ISSUING)]
    assert roles == ["root", "intermediate", "self-signed"]
    assert approvals == ["vouched", "vouched", "granted", "required"]


def test_a_policy_may_forbid_self_signed_certificates() -> None:
    candidates = find_candidates(CLUSTER, Policy(trust_self_signed=False))
    assert OWN.certificate not in candidates.addable
    assert ROOT.certificate in candidates.addable


def test_a_disputed_certificate_is_added_only_once_approved() -> None:
    alarmed = replace(CLUSTER, alarms=(Alarm(OWN.certificate.fingerprint, "Another one was seen."),))

    assert OWN.certificate not in find_candidates(alarmed, Policy()).addable
    approved = find_candidates(alarmed, Policy(approved=frozenset({OWN.certificate.fingerprint})))
    assert approved.approval(OWN.certificate) == "granted"
    assert OWN.certificate in approved.addable


def test_what_a_survey_saw_always_needs_an_approval() -> None:
    surveyed = replace(CLUSTER, endpoints=(replace(CLUSTER.endpoints[0], seen_by="survey"), *CLUSTER.endpoints[1:]))
    assert find_candidates(surveyed, Policy()).approval(GIVEN.certificate) == "required"
