"""The problem of a cluster: its places, what they cost, and what is connected."""

from __future__ import annotations

from remediate import Policy
from remediate.model.identity import Address
from remediate.model.snapshot import Snapshot
from remediate.planner.solver.candidates import find_candidates
from remediate.planner.solver.constraints import Problem
from remediate.planner.solver.options import Option, PeerList
from remediate.planner.solver.requirements import RequirementReader, VerifiedToday
from remediate.planner.solver.trust_oracle import TrustOracle
from remediate.trust.verifier import OpenSslAnswers
from tests.pki import YEAR, issue
from tests.planner.build import endpoint, peer, snapshot

FIRST = Address("expc1.test")
ROOT, GIVEN = issue("Root", ca=True), issue("Given", ca=True)
ENDED = issue("Root", ca=True, key_name="ended", starts=-2 * YEAR, lasts=YEAR)
CUCM = issue("cucm.test", ROOT, names=("cucm.test",))
IMP = issue("imp.test", GIVEN, names=("imp.test",))


def pose(cluster: Snapshot, *, removal: bool) -> Problem:
    candidates = find_candidates(cluster, Policy(allow_removal=removal))
    lists = {peer.address: PeerList.of(cluster.resolve(peer.trusted_ca)) for peer in cluster.peers}
    requirements = RequirementReader(cluster, VerifiedToday(frozenset(), frozenset())).read(cluster.peers, None)
    listed = [certificate for peer in cluster.peers for certificate in cluster.resolve(peer.trusted_ca)]
    oracle = TrustOracle([*listed, *candidates.certificates], OpenSslAnswers(cluster.taken_at))
    return Problem(oracle, candidates, lists, requirements, removal=removal, at=cluster.taken_at)


CLUSTER = snapshot(
    [peer(1, [ENDED])],
    [endpoint("cucm.test", rsa=[CUCM]), endpoint("imp.test", rsa=[IMP])],
    [ROOT, GIVEN, ENDED, CUCM, IMP],
    available=[ROOT, GIVEN],
    vouched=[GIVEN],
)


def test_what_shares_no_certificate_is_decided_apart() -> None:
    components = pose(CLUSTER, removal=True).find_components()

    groups = sorted({group for _, group in component.places} for component in components if component.requirements)
    assert groups == [{"cn:given"}, {"cn:root"}] or groups == [{"cn:root"}, {"cn:given"}]
    assert all(len(component.requirements) == 1 for component in components if component.requirements)


def test_a_stale_copy_is_replaced_where_removal_is_allowed() -> None:
    place = FIRST, "cn:root"
    replacement = Option(ROOT.certificate, (ENDED.certificate,))

    assert replacement in pose(CLUSTER, removal=True).options[place]
    assert place not in pose(CLUSTER, removal=False).options or pose(CLUSTER, removal=False).options[place] == (Option(),)


def test_an_option_costs_what_it_removes_adds_and_trusts() -> None:
    problem = pose(CLUSTER, removal=True)
    place = FIRST, "cn:root"
    number = problem.options[place].index(Option(ROOT.certificate, (ENDED.certificate,)))

    cost = problem.cost({place: number}, verified=1)

    assert (cost.verified, cost.removed, cost.unvouched, cost.added, cost.roots) == (-1, 1, 1, 1, 1)
    assert problem.after(FIRST, {place: number}) == (ROOT.certificate,)
