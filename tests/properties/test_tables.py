"""A requirement that is split costs for every combination what it costs as one table."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.plan import Policy
from remediate.model.snapshot import Snapshot
from remediate.planner.solver.candidates import find_candidates
from remediate.planner.solver.constraints import Problem
from remediate.planner.solver.cost import ZERO
from remediate.planner.solver.elimination import Cost, Table, Variable, add, minimise
from remediate.planner.solver.options import PeerList, Place
from remediate.planner.solver.requirements import Requirement, RequirementReader, VerifiedToday
from remediate.planner.solver.tables import RequirementTables, SearchLimits
from remediate.planner.solver.trust_oracle import TrustOracle
from remediate.trust.chain_verifier import OpenSslAnswers
from tests.properties.clusters import clusters, patiently

WHOLE = 1_000_000


def requirements_of(snapshot: Snapshot, *, removal: bool) -> tuple[TrustOracle, PeerList, Problem, Mapping[Requirement, int]]:
    """Return the requirements of the first peer, and the problem that they belong to."""
    candidates, answers = find_candidates(snapshot, Policy()), OpenSslAnswers(snapshot.taken_at)
    listed = [snapshot.certificates[fingerprint] for peer in snapshot.peers for fingerprint in peer.trusted_ca]
    oracle, peer = TrustOracle([*listed, *candidates.certificates], answers), snapshot.peers[0]
    trusted = PeerList.of(snapshot.certificates[fingerprint] for fingerprint in peer.trusted_ca)
    problem = Problem(oracle, candidates, {peer.address: trusted}, removal=removal, at=snapshot.taken_at)
    requirements = RequirementReader(snapshot, VerifiedToday(frozenset(), frozenset())).read(
        [peer], peer.ciphers[REVERSE_PROXY_CIPHERS]
    )
    problem.tables(requirements)
    return oracle, trusted, problem, requirements[peer.address]


def cost(tables: list[Table], places: Mapping[Place, int]) -> Cost | None:
    """Return the cost of one combination by `tables`; None: they forbid it."""
    fixed: list[Table] = [Table((place,), {(number,): ZERO}) for place, number in places.items()]
    chosen = minimise([*fixed, *tables])
    if chosen is None or not all(table.costs for table in tables):
        return None
    values: dict[Variable, int] = dict(chosen)
    total: Cost = ZERO
    for table in tables:
        total = add(total, table.costs[tuple(values[variable] for variable in table.scope)])
    return total


@patiently
@given(clusters(max_nodes=2, max_listed=3, max_peers=1), st.booleans(), st.booleans(), st.integers(1, 8))
def test_split_requirement_costs_what_one_table_costs(snapshot: Snapshot, removal: bool, must_hold: bool, rows: int) -> None:
    # Given each requirement as one table and split so that no table has more than so many rows
    oracle, trusted, problem, requirements = requirements_of(snapshot, removal=removal)
    peer = snapshot.peers[0].address
    options = {group: alternatives for (_, group), alternatives in problem.options.items()}
    for original in requirements:
        requirement = Requirement(original.chains, must_hold)
        as_one = RequirementTables(oracle, peer, trusted, options, itertools.count(), SearchLimits(rows_per_table=WHOLE))
        split = RequirementTables(oracle, peer, trusted, options, itertools.count(), SearchLimits(rows_per_table=rows))
        single, split_tables = list(as_one.of({requirement: 1})), list(split.of({requirement: 1}))
        # Then for every way to fill the groups, both cost the same and forbid the same
        for numbers in itertools.islice(itertools.product(*map(range, map(len, options.values()))), 300):
            places = {(peer, group): number for group, number in zip(options, numbers, strict=True)}
            assert cost(single, places) == cost(split_tables, places)
        assert not as_one.bounded
        assert not split.bounded
