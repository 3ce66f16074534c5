"""Satisfiability and tables come to the same choice, and no choice that they leave out is better."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from remediate.model.plan import Policy
from remediate.model.snapshot import Snapshot
from remediate.planner.solver.candidates import find_candidates
from remediate.planner.solver.requirements import RequirementReader, VerifiedToday
from remediate.planner.solver.solver import Choice, Effort, Solver
from remediate.trust.verifier import OpenSslAnswers, verify_snapshot
from tests.properties.clusters import clusters, patiently

ALWAYS_TABLES, NEVER_TABLES = 1_000_000, 0

policies = st.sampled_from([Policy(), Policy(ciphers="keep"), Policy(allow_removal=True), Policy(trust_self_signed=False)])


def list_choices(snapshot: Snapshot, policy: Policy, questions: int) -> list[Choice]:
    """Return the choices for `snapshot`, with tables of so many rows before satisfiability is used."""
    answers = OpenSslAnswers(snapshot.taken_at)
    verdicts = verify_snapshot(snapshot, answers).items()
    verified = frozenset((pair.peer, str(pair.endpoint)) for pair, verdict in verdicts if verdict.ok)
    working = frozenset((pair.peer, str(pair.endpoint)) for pair, verdict in verdicts if verdict.works)
    reader = RequirementReader(snapshot, VerifiedToday(verified, working))
    solver = Solver(snapshot, policy, find_candidates(snapshot, policy), reader, answers, Effort(questions))
    return solver.solve(removal=policy.allow_removal)


@patiently
@given(clusters(max_nodes=4, max_listed=3, max_peers=3), policies)
def test_satisfiability_comes_to_the_choice_of_tables(snapshot: Snapshot, policy: Policy) -> None:
    by_tables = list_choices(snapshot, policy, ALWAYS_TABLES)
    by_clauses = list_choices(snapshot, policy, NEVER_TABLES)
    assert by_clauses == by_tables
    assert all(choice.shortfall is None for choice in by_clauses)
