"""Several clusters on one screen."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

import pytest
from rich.console import Console

from remediate.language.messages import translate, use_language
from remediate.model.effect import ClientState, ClientView
from remediate.model.exit_codes import ExitCode
from remediate.model.verdict import Cause, Verdict
from remediate.report.fleet import FleetLine, describe_failing, plan_line, show_fleet, verification_line
from remediate.report.terminal import make_console
from tests.report.builders import plan_with
from tests.report.large_plan import large_plan

TITLES = ("certificates", "clients")
LINES = [
    FleetLine(f"edge-well-{number}", ExitCode.DONE, "healthy", ("60/60", "not asked"), f"2027-0{number}-01T00:00:00Z")
    for number in range(1, 6)
]
LINES += [
    FleetLine("edge-refused", ExitCode.ERROR, "REST 127.0.0.1:7444 refused the connection"),
    FleetLine("edge-waits", ExitCode.NOT_IN_EFFECT, "1 peer not known to use what was written", ("60/60", "not asked")),
    FleetLine("edge-clients", ExitCode.PERSON_NEEDED, "4 client checks refused", ("57/60", "53/57"), "2026-12-01T00:00:00Z"),
]


def on_screen(columns: int, lines: Sequence[FleetLine] = LINES) -> list[str]:
    stream = io.StringIO()
    show_fleet(Console(file=stream, force_terminal=True, width=columns, color_system=None), TITLES, lines)
    return stream.getvalue().splitlines()


def test_in_a_pipe_each_cluster_is_one_line_and_the_worst_is_first() -> None:
    stream = io.StringIO()

    show_fleet(make_console(stream, color=False), TITLES, LINES)

    _, *lines = stream.getvalue().splitlines()
    assert [line.split()[1] for line in lines[:4]] == ["edge-clients", "edge-refused", "edge-waits", "edge-well-1"]
    assert [line[0] for line in lines[:4]] == ["✗", "✗", "!", "✓"]
    assert len(lines) == len(LINES)
    assert lines == [line.rstrip() for line in lines]


@pytest.mark.parametrize("columns", [40, 60, 80, 120, 200])
def test_a_screen_counts_the_healthy_clusters(columns: int) -> None:
    lines = on_screen(columns)

    assert "5 other clusters with nothing to do" in " ".join(lines)
    assert not any("edge-well-2" in line for line in lines)
    assert any("127.0.0.1:7444" in line for line in lines)
    assert max(map(len, lines)) <= columns


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_on_a_screen_each_cluster_is_one_line(columns: int) -> None:
    # Given one with a long error, which is on stderr in whole
    error = "/etc/remediate/paris.yml: the secret file /run/secrets/expressway-edge-paris-admin cannot be read: No such file."
    lines = [FleetLine("edge-paris", ExitCode.ERROR, error), *LINES[5:]]

    head, *rows = on_screen(columns, lines)

    assert head.split() == ["cluster", "state", *TITLES, "next", "expiry"]
    assert [row.split()[1] for row in rows] == ["edge-clients", "edge-paris", "edge-refused", "edge-waits"]
    assert max(map(len, rows)) <= columns


@pytest.mark.parametrize(("columns", "left_out"), [(80, "undo by hand, next expiry"), (100, "next expiry"), (120, "")])
def test_a_plan_of_each_cluster_is_one_line(columns: int, left_out: str) -> None:
    figures = ("60/360 → 354", "21", "18", "117")
    fleet = [
        FleetLine(f"edge-{city}", ExitCode.CHANGES_PENDING, "Sign-in fails", figures, "2027-01-01")
        for city in ("lyon", "paris")
    ]
    stream = io.StringIO()
    titles = ("checks that pass", "changes", "approvals", "undo by hand")
    show_fleet(Console(file=stream, force_terminal=True, width=columns, color_system=None), titles, fleet)
    _, *rows = stream.getvalue().splitlines()

    assert [row.split()[1] for row in rows[:2]] == ["edge-lyon", "edge-paris"]
    assert rows[2:] == ([f"Not shown at this width: {left_out}"] if left_out else [])
    assert max(map(len, rows)) <= columns


@pytest.mark.parametrize("columns", [80, 120])
def test_a_long_name_stands_alone_and_narrows_no_other_row(columns: int) -> None:
    name = "mra-france-production-with-a-name-of-fifty-characters"
    long = replace(LINES[-2], cluster=name, state="Sign-in fails on 1 of 3 peers")

    rows = on_screen(columns, [*LINES[5:], long])[1:]

    at = rows.index(f"! {name}")
    assert rows[at + 1].split()[:2] == ["Sign-in", "fails"]
    assert len(rows) == 5
    assert max(map(len, rows)) <= columns


def test_blocks_of_a_narrow_screen_have_their_titles_once() -> None:
    lines = on_screen(60)

    assert lines[:2] == ["  cluster", "  state  certificates  clients  next expiry"]
    assert "  REST 127.0.0.1:7444 refused the connection" in lines


def test_what_fails_is_named_by_what_users_miss_first() -> None:
    forecasts = large_plan(60).endpoints
    well = [forecast for forecast in forecasts if forecast.before.ok]
    broken = [forecast for forecast in forecasts if not forecast.before.ok and forecast.peer == forecasts[0].peer]

    assert describe_failing(forecasts) == "Sign-in fails, and 4 other services"
    assert describe_failing([*well, *broken]).startswith("Sign-in fails on 1 of 3 peers")


def test_a_peer_that_was_not_read_is_named_before_its_checks() -> None:
    verdict = Verdict(ok=False, cause=Cause.UNREACHABLE, observed=False)
    plan = large_plan(60)
    unread = replace(
        plan, base={}, endpoints=tuple(replace(forecast, before=verdict, after=verdict) for forecast in plan.endpoints)
    )

    assert plan_line(unread, ExitCode.INCOMPLETE).state == "6 peers not read"


def test_a_verified_cluster_shows_certificates_and_clients_apart() -> None:
    plan = large_plan(60)
    views = {forecast.pair: ClientView(ClientState.REACHED) for forecast in plan.endpoints[:2]}

    line = verification_line(plan, views, ExitCode.CHANGES_PENDING, 0)

    assert line.figures[1] == "2/2"
    assert line.expires == "2027-01-01T00:00:00Z"
    assert verification_line(plan, {}, ExitCode.CHANGES_PENDING, 0).figures[1] == "not asked"


def test_a_line_counts_waiting_peers_where_no_check_fails() -> None:
    plan = plan_with()
    well = replace(plan, endpoints=tuple(forecast for forecast in plan.endpoints if forecast.before.ok))

    assert verification_line(well, {}, ExitCode.NOT_IN_EFFECT, 2).state == "2 peers not known to use what was written"
    assert verification_line(well, {}, ExitCode.DONE, 0).state == "healthy"


def test_a_well_cluster_is_well_in_french() -> None:
    use_language("fr")

    assert translate("healthy") == "sain"
    assert (
        translate("Sign-in fails on 2 of 3 peers, and 1 other service")
        == "Connexion : échec pour 2 sur 3 homologues, et 1 autre service"
    )


def test_a_plan_shows_its_price() -> None:
    line = plan_line(large_plan(60), ExitCode.CHANGES_PENDING)

    assert line.figures[2:] == ("1", "22")
