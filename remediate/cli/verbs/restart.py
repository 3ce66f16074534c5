"""``remediate restart``."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from remediate.cli.options import common, confirmation, inventory, is_on_command_line, option, restarting
from remediate.cli.session import Session
from remediate.model.errors import RemediateError, UsageError
from remediate.model.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from remediate.cli.fleet import ClusterResult
    from remediate.executor.restart_choice import RestartRequest
    from remediate.executor.restart_preview import RestartPreview
    from remediate.executor.result import RunResult
    from remediate.executor.window import Window
    from remediate.model.access import ClusterAccess
    from remediate.model.identity import Address
    from remediate.model.restart import Calls

T = TypeVar("T")


@click.command()
@inventory()
@option("--peer", "peers", multiple=True, metavar="ADDRESS",
        help="Restart this peer, even if it does not need it. Repeatable.")  # fmt: skip
@option("--all", "everywhere", is_flag=True, help="Restart every peer.")
@option(
    "--dry-run",
    is_flag=True,
    help="Show the order of the peers and the guards as they are now, over connections that cannot write.",
)
@confirmation
@restarting
@option("--window", metavar="START/END",
        help="Start no change outside these hours: 22:00/02:00, or '22:00/02:00 Europe/Paris'.")  # fmt: skip
@option("--ticket", metavar="TEXT", help="The change ticket, for the lock and the journal.")
@common
@click.pass_obj
def command(
    session: Session,
    inventory_path: Path,
    patterns: tuple[str, ...],
    peers: tuple[str, ...],
    everywhere: bool,  # noqa: FBT001 - click passes options by name
    dry_run: bool,  # noqa: FBT001
    yes: bool,  # noqa: FBT001
    calls: Calls | None,
    drain_for: timedelta,
    assume: tuple[str, ...],
    window: str | None,
    ticket: str | None,
) -> ExitCode:
    """Restart peers one at a time, the primary first, so that the changes written to them take effect.

    Takes the peers that are not known to work with what this tool wrote to them; --peer and --all take others. Shows the peers
    in their order, their guards and calls, and asks for `yes` in full. Without a terminal and without --yes, it stops before it
    does anything.

    A peer restarts only if every guard was checked and holds: peers-up, alarms, replication, upgrade, own-address,
    restart-required, maintenance. One that fails keeps this peer and every later one in service. One that could not be checked
    is an open step, unless --assume accepts it.

    With --calls drain, maintenance mode is turned on, and the peer restarts once it carries no call. If calls are left after
    --drain-for, you are asked on the terminal (--yes does not answer this); without one, the peer goes back into service and
    nothing restarts. A peer is back when REST and the shell answer, its start is younger than the restart, its zones and
    tunnels are as before, its replication is clean and maintenance mode is off. Until then, no other peer is restarted.

    \b
    EXAMPLES
      remediate restart -i inventory.yml --dry-run
      remediate restart -i inventory.yml --peer expc1.example.test
      remediate restart -i inventory.yml -c edge-paris --yes --calls drain --drain-for 30m
      remediate restart -i inventory.yml --all --window '22:00/02:00 Europe/Paris' --ticket CHG0012345

    \b
    EXIT CODES
      0   every peer that was taken is back as before and in effect; or none needs a restart
      1   error, or the window is closed; nothing was restarted
      5   locked by another run
      7   declined, or there is no terminal and no --yes; nothing was done
      8   manual action needed: a guard, calls that do not end, or a peer not back as before; --dry-run: a guard fails
      11  back as before; not known to be in effect on every peer that restarted
      64  the cluster has no such peer
      130 interrupted (143: terminated); the current peer is in service, or the journal has what was started
    """
    from remediate.cli.fleet import choose_clusters
    from remediate.cli.questions import refuse_without_terminal
    from remediate.cli.restarts import make_restart_options
    from remediate.executor.restart_choice import RestartRequest
    from remediate.executor.window import parse_window, refuse_if_closed
    from remediate.model.canonical import utc_now
    from remediate.model.identity import Address

    if peers and everywhere:
        peers, everywhere = _choose_between(peers)
    hours = None if window is None else parse_window(window)
    clusters = choose_clusters(session, inventory_path, patterns)
    if not dry_run:
        refuse_without_terminal(session, yes=yes)
        refuse_if_closed(hours, utc_now())

    def request_for(cluster: ClusterAccess) -> RestartRequest:
        how = make_restart_options(session, calls or cluster.restarts.calls or "drain", drain_for, assume)
        return RestartRequest(tuple(map(Address, peers)), everywhere, how, hours, ticket)

    if peers:
        clusters = _with_peers(clusters, peers)
    if dry_run:
        return _show_preview(session, _preview(session, clusters, request_for))
    if yes:
        return _restart(session, clusters, request_for)
    previews = _preview(session, clusters, request_for)
    if refused := _confirm(session, previews, hours):
        return refused
    offered = {result.cluster: _list_peers(result.value) for result in previews}

    def request_for_offered(cluster: ClusterAccess) -> RestartRequest:
        return replace(request_for(cluster), offered_peers=offered[cluster.name])

    return _restart(session, clusters, request_for_offered)


def _list_peers(preview: RestartPreview | None) -> frozenset[Address]:
    return frozenset(peer.peer for peer in preview.peers) if preview else frozenset()


def _choose_between(peers: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    """Return `peers` or every peer, as the command line says where a variable says otherwise. Raises UsageError."""
    context = click.get_current_context()
    is_peer_typed, is_all_typed = (is_on_command_line(context, name) for name in ("peers", "everywhere"))
    if is_peer_typed is is_all_typed:
        raise UsageError("--peer and --all cannot be given together.", next_step="Nothing was done. Leave one of them out.")
    return (peers, False) if is_peer_typed else ((), True)


def _with_peers(clusters: Sequence[ClusterAccess], peers: Sequence[str]) -> tuple[ClusterAccess, ...]:
    """Return the clusters that have one of `peers` in the inventory; the only cluster may have more peers than that."""
    if len(clusters) == 1:
        return tuple(clusters)
    names = {peer.casefold() for peer in peers}
    chosen = tuple(cluster for cluster in clusters if any(peer.address.casefold() in names for peer in cluster.peers))
    if len(chosen) != 1:
        raise UsageError(
            "--peer: the inventory has these peers in no cluster, or in several.",
            next_step="Nothing was done. Choose the one cluster of the peers with -c NAME.",
        )
    return chosen


def _preview(
    session: Session, clusters: Sequence[ClusterAccess], request_for: Callable[[ClusterAccess], RestartRequest]
) -> tuple[ClusterResult[RestartPreview], ...]:
    from remediate.cli.fleet import run_on_clusters
    from remediate.executor.restart_preview import preview_restart

    with session.open_event_sink() as sink:

        def look(cluster: ClusterAccess) -> tuple[RestartPreview, ExitCode]:
            preview = preview_restart(
                cluster, request_for(cluster), state_dir=session.state_dir, limits=session.limits, sink=sink
            )
            return preview, preview.exit_code

        return run_on_clusters(clusters, look, session.limits)


def _show_preview(session: Session, results: Sequence[ClusterResult[RestartPreview]]) -> ExitCode:
    from rich.text import Text

    from remediate.cli.fleet import combine_exit_codes, report_errors
    from remediate.cli.restarts import preview_json, preview_lines
    from remediate.model.text import escape
    from remediate.report.lines import print_indented

    report_errors(session, results)
    code = combine_exit_codes(results)
    if session.json:
        clusters = [result.as_json(preview_json) for result in results]
        session.write_json({"exit_code": code, "dry_run": True, "clusters": clusters})
        return code
    console = session.out()
    for result in results:
        for line in preview_lines(result.value) if result.value is not None else ():
            text = line.lstrip()
            print_indented(console, Text(escape(text, 2000)), len(line) - len(text))
        for peer in result.value.peers if result.value is not None else ():
            if peer.obstacles:
                print_indented(console, Text(escape(peer.obstacles, 4000), "yellow"), 2, first="! ")
    return code


def _confirm(session: Session, results: Sequence[ClusterResult[RestartPreview]], window: Window | None) -> ExitCode:
    """Show what would be restarted, and until when `window` is open, and ask for `yes`.

    Returns:
        DONE to go on; else the exit code of a cluster that cannot be read, after its error was reported.

    Raises:
        Declined: The answer is not `yes`.
    """
    from remediate.cli.fleet import combine_exit_codes, raise_single_error, report_errors
    from remediate.cli.questions import ask
    from remediate.cli.restarts import count_calls, preview_lines
    from remediate.model.canonical import utc_now
    from remediate.model.text import count, join_words

    raise_single_error(results)
    if any(result.value is None for result in results):
        report_errors(session, results)
        if session.json:
            _write_document(session, results, lambda _: {}, notes=())
        return combine_exit_codes(results)
    previews = [result.value for result in results if result.value is not None]
    chosen = [preview for preview in previews if preview.peers]
    if chosen:
        names = join_words([f"{count(len(preview.peers), 'peer')} of {preview.cluster}" for preview in chosen])
        lines = [line for preview in previews for line in preview_lines(preview)]
        lines += [window.describe_opening(utc_now())] if window else []
        ask(session, lines, f"Restart {names}, with {count_calls(chosen)} now?")
    return ExitCode.DONE


def _restart(
    session: Session, clusters: Sequence[ClusterAccess], request_for: Callable[[ClusterAccess], RestartRequest]
) -> ExitCode:
    """Restart the peers of one cluster after the other, and print how each run ended."""
    from remediate.cli.fleet import ClusterResult, combine_exit_codes, raise_single_error, report_errors
    from remediate.cli.notices import NoticeCollector
    from remediate.cli.notification import notify_of_run
    from remediate.cli.runs_view import show_result
    from remediate.executor.restart_run import restart
    from remediate.model.canonical import utc_now
    from remediate.report.run_progress import ExpectedWork

    results: list[ClusterResult[RunResult]] = []
    started = time.monotonic()
    work = ExpectedWork(tuple(peer.address for cluster in clusters for peer in cluster.peers))
    with session.open_event_sink(work) as sink, NoticeCollector(session, sink) as notices:
        for cluster in clusters:
            try:
                result = restart(
                    cluster, request_for(cluster), state_dir=session.state_dir, limits=session.limits, sink=notices
                )
                results.append(ClusterResult(cluster.name, result, result.exit_code))
                notify_of_run(session, cluster, result, kind="restart", at=utc_now())
            except RemediateError as error:
                results.append(ClusterResult(cluster.name, None, error.exit_code, error))
        steps = [text for entry in results if entry.value is not None for text in entry.value.open_step_texts]
        notes = notices.notes_besides(steps)
    raise_single_error(results)
    report_errors(session, results)
    code = combine_exit_codes(results)
    if session.json:
        _write_document(session, results, _to_json, notes)
        return code
    for entry in results:
        if entry.value is not None:
            _show_measured(session, entry.cluster, entry.value)
            show_result(session, entry.value, (), started=started)
    return code


def _show_measured(session: Session, cluster: str, result: RunResult) -> None:
    """Print what each endpoint gets from each peer after the restarts, by its certificates and as clients."""
    from rich.text import Text

    from remediate.model.plan import EndpointForecast
    from remediate.model.text import escape
    from remediate.report.lines import print_indented
    from remediate.report.verification import show_verification

    if not result.verdicts:
        return
    forecasts = [
        EndpointForecast(
            pair.endpoint.address, pair.endpoint.port, pair.peer, verdict, verdict, result.products.get(pair.endpoint)
        )
        for pair, verdict in result.verdicts.items()
    ]
    console = session.out()
    print_indented(console, Text(f"Cluster {escape(cluster)}", "bold"), 0)
    names = result.system_names
    show_verification(console, forecasts, result.client_views, system_names=names, every_row=session.verbose > 0)


def _write_document(
    session: Session, results: Sequence[ClusterResult[T]], view: Callable[[T], dict[str, Any]], notes: Sequence[str]
) -> None:
    from remediate.cli.fleet import combine_exit_codes

    documents = [result.as_json(view) for result in results]
    session.write_json(
        {"exit_code": combine_exit_codes(results), "dry_run": False, "notes": list(notes), "clusters": documents}
    )


def _to_json(result: RunResult) -> dict[str, Any]:
    from remediate.model.effect import effects_json

    return {
        "plan": None,
        "run": result.run_id or None,
        "state": result.state,
        "changed": result.has_written,
        "message": result.message,
        "open_steps": list(result.open_step_texts),
        "in_effect": effects_json(result.effects),
    }
