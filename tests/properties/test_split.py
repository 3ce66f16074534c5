"""A demand that is split says of every combination what it says as one table."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from remediate.model.identity import REVERSE_PROXY_CIPHERS
from remediate.model.plan import Policy
from remediate.model.snapshot import Snapshot
from remediate.planner.solver.common_name_groups import candidates
from remediate.planner.solver.constraints import Problem
from remediate.planner.solver.cost import ZERO
from remediate.planner.solver.elimination import Cost, Table, Variable, add, minimise
from remediate.planner.solver.options import PeerList, Place
from remediate.planner.solver.requirements import Demand, DemandReader, Today
from remediate.planner.solver.tables import DemandTables
from remediate.planner.solver.trust_oracle import Oracle
from remediate.trust.verify import Answers
from tests.properties.clusters import clusters
from tests.properties.test_plan_laws import patiently

WHOLE = 1_000_000


def demanded(snapshot: Snapshot, *, removal: bool) -> tuple[Oracle, PeerList, Problem, Mapping[Demand, int]]:
    """The first peer's question."""
    known, answers = candidates(snapshot, Policy()), Answers(snapshot.taken_at)
    listed = [snapshot.certificates[one] for peer in snapshot.peers for one in peer.trusted_ca]
    oracle, peer = Oracle([*listed, *known.certificates], answers), snapshot.peers[0]
    trusted = PeerList.of(snapshot.certificates[one] for one in peer.trusted_ca)
    problem = Problem(oracle, known, {peer.address: trusted}, removal=removal, at=snapshot.taken_at)
    demands = DemandReader(snapshot, Today(frozenset(), frozenset())).read([peer], peer.ciphers[REVERSE_PROXY_CIPHERS])
    problem.tables(demands)
    return oracle, trusted, problem, demands[peer.address]


def cost(tables: list[Table], places: Mapping[Place, int]) -> Cost | None:
    """What `tables` say of one combination; None: they forbid it."""
    fixed: list[Table] = [Table((place,), {(number,): ZERO}) for place, number in places.items()]
    chosen = minimise([*fixed, *tables])
    if chosen is None or not all(table.costs for table in tables):
        return None
    values: dict[Variable, int] = dict(chosen)
    total = ZERO
    for table in tables:
        total = add(total, table.costs[tuple(values[one] for one in table.scope)])
    return total


@patiently
@given(clusters(most_nodes=2, most_listed=3, most_peers=1), st.booleans(), st.booleans(), st.integers(1, 8))
def test_a_split_demand_says_what_one_table_says(snapshot: Snapshot, removal: bool, must_hold: bool, rows: int) -> None:
    # Given each demand as one table and split so that no table has more than so many rows
    oracle, trusted, problem, demands = demanded(snapshot, removal=removal)
    peer = snapshot.peers[0].address
    options = {place[1]: some for place, some in problem.options.items()}
    for demand in demands:
        asked = Demand(demand.chains, must_hold)
        as_one = DemandTables(oracle, peer, trusted, options, itertools.count(), WHOLE)
        split = DemandTables(oracle, peer, trusted, options, itertools.count(), rows)
        one, several = list(as_one.of({asked: 1})), list(split.of({asked: 1}))
        # Then for every way to fill the slots, both cost the same and forbid the same
        for numbers in itertools.islice(itertools.product(*map(range, map(len, options.values()))), 300):
            places = {(peer, slot): number for slot, number in zip(options, numbers, strict=True)}
            assert cost(one, places) == cost(several, places)
        assert not as_one.bounded
        assert not split.bounded
