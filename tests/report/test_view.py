"""What every view of a plan shows: counts, and the matrix of endpoints and peers."""

from __future__ import annotations

from dataclasses import replace

from remediate.model.plan import EndpointForecast, Plan
from remediate.model.verdict import Cause
from remediate.report.view import arrange_matrix, count_pairs, summarise_actions, summarise_verdicts
from tests.report.builders import GOOD, PEERS, plan_with, refused


def test_a_plan_is_summed_up_in_counts(plan: Plan) -> None:
    assert summarise_actions(plan) == (
        "2 certificates to trust and 1 certificate to remove on 3 peers, 1 cipher list to set, discovery of 1 publisher to refresh, "
        "3 peers to restart if needed"
    )
    assert summarise_actions(replace(plan, actions=())) == ""


def test_nothing_is_said_to_pass_where_nothing_was_checked() -> None:
    address, unseen = plan_with().endpoints[0].address, replace(refused(Cause.UNREACHABLE), observed=False)
    forecasts = [EndpointForecast(address, port, PEERS[0], unseen, unseen) for port in (1, 2)]

    unchecked = summarise_verdicts(replace(plan_with(), endpoints=tuple(forecasts), actions=(), unresolved=()))
    checked_in_part = summarise_verdicts(
        replace(
            plan_with(), endpoints=(*forecasts, EndpointForecast(address, 3, PEERS[0], GOOD, GOOD)), actions=(), unresolved=()
        )
    )

    assert unchecked == ("No check could be made.",)
    assert checked_in_part == ("Every check that could be made passes.", "2 checks could not be made.")


def test_the_matrix_keeps_order_and_holes() -> None:
    mismatch = refused(Cause.NAME_MISMATCH)
    address = plan_with().endpoints[0].address
    forecasts = [EndpointForecast(address, 1, PEERS[0], mismatch, mismatch), EndpointForecast(address, 2, PEERS[1], GOOD, GOOD)]

    matrix = arrange_matrix(forecasts)

    assert matrix.labels == ("expc1", "expc2")
    assert [tuple(cell is not None for cell in row.cells) for row in matrix.rows] == [(True, False), (False, True)]
    assert [row.causes for row in matrix.rows] == [("name-mismatch",), ()]
    assert (count_pairs(forecasts).pairs, count_pairs(forecasts).after) == (2, 1)
