"""The facts of one plan, and of one run, are the same on a terminal, on a page, in a ticket and in JSON."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from remediate.cli.runs_view import measurements_json
from remediate.model.effect import ClientState, ClientView
from remediate.model.identity import Product
from remediate.model.measurement import PairMeasurement
from remediate.model.plan import CertificateFacts, Plan, TrustCertificate
from remediate.model.run import Run
from remediate.report.html import plan_page
from remediate.report.markdown import plan_ticket
from remediate.report.names import service_of
from remediate.report.run import run_record
from remediate.report.run_evidence import run_ticket
from remediate.report.run_page import run_page
from remediate.report.run_text import show_run
from remediate.report.terminal import make_console, show_plan
from tests.report.builders import plan_with
from tests.report.large_plan import large_plan

PLANS = {"small": plan_with(), "large": large_plan(60)}


@pytest.fixture(params=list(PLANS))
def plan(request: pytest.FixtureRequest) -> Plan:
    return PLANS[request.param]


def on_terminal(plan: Plan) -> str:
    stream = io.StringIO()
    show_plan(make_console(stream, color=False), plan, every_row=True)
    return stream.getvalue()


def symbol(outcome: dict[str, Any]) -> str:
    if outcome["cause"] in {"unreachable", "handshake-failed"}:
        return "?"
    return "✓" if outcome["ok"] else "✗"


def endpoint_text(entry: dict[str, Any]) -> str:
    return f"[{entry['address']}]:{entry['port']}" if ":" in entry["address"] else f"{entry['address']}:{entry['port']}"


def facts_of_json(plan: Plan) -> dict[tuple[str, str], tuple[str, str]]:
    """Return the symbols of each endpoint and peer."""
    document = json.loads(plan.to_json())
    return {
        (endpoint_text(entry), entry["peer"]): (symbol(entry["before"]), symbol(entry["after"]))
        for entry in document["endpoints"]
    }


def causes_of_json(plan: Plan) -> dict[str, set[str]]:
    """Return the causes of each endpoint: those that stay, else those that the plan fixes."""
    document = json.loads(plan.to_json())
    causes: dict[str, dict[str, set[str]]] = {}
    for entry in document["endpoints"]:
        by_moment = causes.setdefault(endpoint_text(entry), {"before": set(), "after": set()})
        for moment in ("before", "after"):
            by_moment[moment] |= {entry[moment]["cause"]} - {None}
    return {endpoint: by_moment["after"] or by_moment["before"] for endpoint, by_moment in causes.items()}


def split_cell(cell: str) -> tuple[str, str]:
    before, _, after = cell.replace(" ", "").partition("→")
    return before, after or before


def rows_of_terminal(plan: Plan) -> Iterator[tuple[str, list[str], str]]:
    peers = len(plan.base)
    for line in on_terminal(plan).splitlines():
        words = line.split()
        if len(words) > peers + 1 and re.fullmatch(r"\S+:\d+", words[0]):
            yield words[0], words[1 : peers + 1], words[-1]


def rows_of_ticket(plan: Plan) -> Iterator[tuple[str, list[str], str]]:
    for line in plan_ticket(plan).partition("## Endpoints")[2].partition("## Changes")[0].splitlines()[3:]:
        if line.startswith("| `"):
            endpoint, *cells, cause = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
            if endpoint != "endpoint":
                yield endpoint, cells, cause


class _Rows(HTMLParser):
    """The rows of the matrix of a page: names with port, cells, causes."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[list[str], list[str], str]] = []
        self._in = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        kind = attributes.get("class") or ""
        if tag == "tr" and kind.startswith("r "):
            self._port = (attributes["data-q"] or "").split()[0]
            self.rows.append(([], [], ""))
        if tag == "table" and "matrix" not in kind:
            self._in = ""
        if tag == "span" and kind == "n":
            self._in = "name"
        elif tag == "td" and kind.startswith("c "):
            self._in = "cell"
        elif tag == "td" and kind == "why":
            self._in = "why"
        elif tag == "span" and kind in {"hidden", "soft", "band"} and self._in != "why":
            self._in = ""

    def handle_endtag(self, tag: str) -> None:
        self._in = "" if tag in {"td", "th", "tr"} or (tag == "span" and self._in in {"name", "cell"}) else self._in

    def handle_data(self, data: str) -> None:
        if not self.rows or not data.strip():
            return
        names, cells, why = self.rows[-1]
        if self._in == "name":
            names.append(f"{data.strip()}:{self._port}")
        elif self._in == "cell":
            cells.append(data.strip())
        elif self._in == "why":
            self.rows[-1] = (names, cells, f"{why} {data.strip()}")


def rows_of_page(plan: Plan) -> Iterator[tuple[str, list[str], str]]:
    parser = _Rows()
    page = plan_page(plan)
    parser.feed(page.partition('<table class="matrix')[2].partition("</table>")[0])
    for names, cells, why in parser.rows:
        for name in names:
            yield name, cells, why


def full_names(plan: Plan) -> dict[str, str]:
    """Return the endpoints by the text that a page shows of them: without the common domain, without brackets."""
    suffix = next(iter(re.findall(r"Endpoints are in ([^<]*)\.</span>", plan_page(plan).replace("<wbr>", ""))), None)
    endpoints = {str(forecast.endpoint): forecast for forecast in plan.endpoints}
    return {
        f"{forecast.address.removesuffix(f'.{suffix}') if suffix else forecast.address}:{forecast.port}": endpoint
        for endpoint, forecast in endpoints.items()
    }


@pytest.mark.parametrize("view", ["terminal", "ticket", "page"])
def test_each_view_has_the_verdicts_and_causes_of_the_json(plan: Plan, view: str) -> None:
    rows = {"terminal": rows_of_terminal, "ticket": rows_of_ticket, "page": rows_of_page}[view](plan)
    names = full_names(plan) if view == "page" else {}
    peers = list(dict.fromkeys(forecast.peer for forecast in plan.endpoints))
    causes = causes_of_json(plan)
    facts: dict[tuple[str, str], tuple[str, str]] = {}

    for name, cells, why in rows:
        endpoint = names.get(name, name)
        facts |= {(endpoint, peer): split_cell(cell) for peer, cell in zip(peers, cells, strict=True)}
        assert all(cause in why for cause in causes[endpoint]), (endpoint, why)

    assert facts == facts_of_json(plan)


def test_the_tiles_and_chips_of_a_page_have_the_sums_of_the_json(plan: Plan) -> None:
    document, page = json.loads(plan.to_json()), plan_page(plan)
    sums: dict[str, Counter[str]] = {}
    for entry in document["endpoints"]:
        service = service_of(product_of(plan, entry), entry["port"]) or f"Port {entry['port']}"
        passing = Counter({moment: int(entry[moment]["ok"]) for moment in ("before", "after")})
        sums.setdefault(service, Counter()).update(passing + Counter(total=1))

    for service, of_service in sums.items():
        tile = re.sub(r"<[^>]*>", " ", page.partition(f'<section class="tile"><h3>{service}</h3>')[2].partition("<svg")[0])
        assert list(map(int, re.findall(r"\d+", tile))) == [of_service[key] for key in ("before", "after", "total")]
    chips = [int(number) for number in re.findall(r"<input type=\"radio\"[^>]*>[^<]* (\d+)", page)]
    assert chips[0] == sum(chips[1:]) == len({(entry["address"], entry["port"]) for entry in document["endpoints"]})


def product_of(plan: Plan, entry: dict[str, Any]) -> Product | None:
    return next(each.product for each in plan.endpoints if (each.address, each.port) == (entry["address"], entry["port"]))


def test_each_view_has_the_actions_and_approvals_of_the_json(plan: Plan) -> None:
    document = json.loads(plan.to_json())
    required = [action["certificate"] for action in document["actions"] if action.get("approval") == "required"]

    for view in (on_terminal(plan), plan_ticket(plan), plan_page(plan)):
        for action in document["actions"]:
            assert re.search(rf"\b{action['id']}\b", view)
        assert all(certificate in view for certificate in required)
        assert f"{len(required)} certificate{'s' if len(required) > 1 else ''} to approve" in view


def test_each_view_has_the_expiry_and_the_undo_of_the_json() -> None:
    plan = PLANS["large"]
    document = json.loads(plan.to_json())
    expiry = min(chain["ends"] for chain in document["chains"])[:10]
    deletions = sum(len(action["peers"]) for action in document["actions"] if action["kind"] == "trust-certificate")

    for view in (on_terminal(plan), plan_ticket(plan), plan_page(plan)):
        assert expiry in view
        assert f"{deletions} deletions by hand" in view


def test_each_view_has_who_vouches_and_until_when_of_the_json() -> None:
    plan = PLANS["large"]
    additions = [action.certificate for action in plan.actions if isinstance(action, TrustCertificate)]
    vouchers = ((), (), ("peer:" + next(iter(plan.base)),), ("ca-or-certificate-management",))
    vouched = replace(
        plan,
        facts={
            fingerprint: CertificateFacts.of(plan.certificates[fingerprint], vouched_by)
            for fingerprint, vouched_by in zip(additions, vouchers, strict=True)
        },
    )
    facts = json.loads(vouched.to_json())["facts"]
    assert [tuple(facts[fingerprint]["vouched_by"]) for fingerprint in additions] == list(vouchers)

    for view in (on_terminal(vouched), plan_ticket(vouched), plan_page(vouched)):
        words = " ".join(view.split())
        assert "needs your approval" in words
        assert "trusted by expressway-c1" in words
        assert "confirmed by your CA or the server" in words
        assert all(f"until {facts[fingerprint]['not_after'][:10]}" in words for fingerprint in additions)


def test_the_views_of_a_run_have_the_clients_of_its_json() -> None:
    plan = PLANS["large"]
    states = (ClientState.REACHED, ClientState.REFUSED, ClientState.NOT_KNOWN, ClientState.NOT_ASKED)
    pairs = [
        PairMeasurement(each.address, each.port, each.peer, each.before, each.after, ClientView(states[number % 4], "said"))
        for number, each in enumerate(plan.endpoints)
    ]
    run = Run("r1", "edge", plan.id, "applied", "2026-11-29T16:02:23Z", "2026-11-29T16:05:16Z", None, "ann", "jump", 7,
              tuple(plan.base), "Done.", exit_code=0)  # fmt: skip
    record = run_record(run, [], {}, [], None)
    document = measurements_json(pairs) or []
    reached = sum(pair["client"]["state"] == "reached" for pair in document)
    refused = sum(pair["client"]["state"] == "refused" for pair in document)

    stream = io.StringIO()
    show_run(make_console(stream, color=False), record, {}, plan, pairs)
    for view in (run_page(record, {}, plan, pairs), run_ticket(record, {}, pairs), stream.getvalue()):
        assert re.search(rf"\b{reached} reached, {refused} refused\b", view)
        assert f"{sum(pair['ok'] for pair in document)} pass now" in view
    assert run_page(record, {}, plan, pairs).count("a client was refused") > 0
    assert run_ticket(record, {}, pairs).count("`refused`") == refused
