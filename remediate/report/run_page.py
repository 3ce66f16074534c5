"""The page of a run: what was planned beside what was measured, with times, restarts, clients, and who approved what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from remediate.language.messages import mark_words
from remediate.model.effect import ClientState
from remediate.model.measurement import PairMeasurement
from remediate.model.plan import EndpointForecast, Plan, TrustCertificate
from remediate.report.chain_drawing import draw_chains
from remediate.report.html import MAX_DRAWINGS, list_chips, list_tiles, name_endpoints, render_page
from remediate.report.moments import format_duration
from remediate.report.names import UNNAMED, name_peers
from remediate.report.page_matrix import Band, Cell, PageMatrix, arrange_page, client_cell, measured_cell, verdict_cell
from remediate.report.peer_changes import group_by_peers
from remediate.report.run_evidence import evidence_tables
from remediate.report.run_facts import describe_measurements, list_peer_work, list_run_cards, list_run_forecasts


def run_page(
    record: Mapping[str, Any],
    names: Mapping[str, str],
    plan: Plan | None = None,
    pairs: Sequence[PairMeasurement] = (),
    *,
    version: str = "",
) -> str:
    """Return the page of a run.

    Args:
        record: All that the journal holds of the run, see `report.run.run_record`.
        names: The subjects of the certificates that it names, by fingerprint.
        plan: Its plan; None: it has none.
        pairs: What it measured; empty: nothing.
        version: That of remediate.
    """
    plan = _grant(plan, record) if plan else None
    forecasts = list_run_forecasts(pairs, plan)
    matrix = _arrange(forecasts, plan, pairs) if forecasts else None
    short = name_endpoints(plan) if plan else None
    drawings = draw_chains(plan, short) if plan and short else ()
    failing = any(not pair.after.ok for pair in pairs)
    peers = name_peers(record["peers"], plan.system_names if plan else UNNAMED)
    return render_page(
        "run.html.j2",
        with_script=matrix is not None,
        title=f"Run {record['id']}",
        version=version,
        record=record,
        tone="bad" if record["state"] in {"partial", "unknown"} else "warn" if failing or not pairs else "good",
        verdict=describe_measurements(pairs),
        cards=list_run_cards(record, pairs, peers),
        tiles=list_tiles(forecasts),
        matrix=matrix,
        chips=list_chips(matrix, {"fail": "Fail", "unseen": "Not checked", "fixed": "Fixed", "pass": "Pass"}) if matrix else (),
        work=list_peer_work(record),
        format_duration=format_duration,
        plan=plan,
        changes=group_by_peers(plan) if plan else (),
        peers=peers,
        drawings=[drawing for drawing in drawings if drawing.adds][:MAX_DRAWINGS],
        names=names,
        short=short,
        tables=evidence_tables(record, names),
    )


def _grant(plan: Plan, record: Mapping[str, Any]) -> Plan:
    """Return `plan` with the certificates as approved that were approved for the run."""
    approved = {approval["fingerprint"] for approval in record["approvals"]}
    actions = tuple(
        replace(action, approval="granted")
        if isinstance(action, TrustCertificate) and action.approval == "required" and action.certificate in approved
        else action
        for action in plan.actions
    )
    return replace(plan, actions=actions)


def _arrange(forecasts: Sequence[EndpointForecast], plan: Plan | None, pairs: Sequence[PairMeasurement]) -> PageMatrix:
    promised = {forecast.pair: forecast.after for forecast in plan.endpoints} if plan else {}
    views = {pair.pair: pair.client for pair in pairs}

    def planned(forecast: EndpointForecast) -> Cell:
        return verdict_cell(promised.get(forecast.pair))

    def client(forecast: EndpointForecast) -> Cell:
        return client_cell(views, forecast.pair)

    titles = mark_words("planned", "measured", "clients")
    bands: dict[str, Band] = {titles[0]: planned} if plan else {}
    bands[titles[1]] = measured_cell
    if any(pair.client.state is not ClientState.NOT_ASKED for pair in pairs):
        bands[titles[2]] = client
    return arrange_page(forecasts, bands, plan.system_names if plan else {})
