"""``remediate doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from remediate.cli.options import OUTPUT, common, inventory, option
from remediate.cli.session import Session
from remediate.model.errors import UsageError
from remediate.model.exit_codes import ExitCode, most_serious

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediate.cli.check_result import CheckResult
    from remediate.cli.doctor_checks import ClusterChecks
    from remediate.model.access import ClusterAccess
    from remediate.model.limits import Limits


@click.command()
@inventory()
@option("--record", "recording", type=OUTPUT, metavar="FILE",
        help="Also write what each peer of one cluster answers, with secrets, addresses and names replaced.")  # fmt: skip
@option("--pins", is_flag=True, help="Only show what each peer presents now, as YAML for the inventory. No password is used.")
@common
@click.pass_obj
def command(
    session: Session, inventory_path: Path, patterns: tuple[str, ...], recording: Path | None, *, pins: bool
) -> ExitCode:
    """Check what a plan and an apply would need: secrets, pins, logins, what each peer offers, clients, clocks, the state directory.

    Logs in to every peer once and writes nothing there. If the inventory has `mra`, it signs in once as a client does, within
    the limit of all runs. Shows what a restart depends on: start, alarms, calls, zones, tunnels, replication, upgrades. Shows
    where each secret comes from, never the secret itself, what would have to be done by hand, and which OpenSSL gives the
    verdicts. If a peer's clock differs much from this machine's, it checks the endpoints too, and shows which verdicts that
    changes.

    With --record, FILE has each peer's answer to every read request, and lists the formats that were not understood. It can go
    into a ticket or a bug report; review it before you share it. `remediate lab up --like FILE` starts a lab that gives the
    same answers.

    --pins shows the web certificate and the SSH host key of each peer of the inventory, and whether they match the pinned ones
    (if not: 1). Someone in the middle can present others: compare each on the peer itself before you paste it.

    \b
    EXAMPLES
      remediate doctor -i inventory.yml
      remediate doctor -i inventory.yml --pins
      remediate doctor -i inventory/ --json
      remediate doctor -i inventory.yml --record recording.json

    \b
    EXIT CODES
      0   all checks pass, or there are warnings only (!)
      1   a secret, a login or a pin fails; the state directory, its journal or OpenSSL cannot be used
      4   a peer could not be reached
    """
    from remediate.cli.check_result import check_result_json
    from remediate.cli.doctor_checks import (
        check_cluster,
        check_journal,
        check_library,
        check_state_directory,
        cluster_checks_json,
        most_serious_code,
    )
    from remediate.cli.fleet import choose_clusters, combine_exit_codes, run_on_clusters
    from remediate.cli.observe import remind_of_workaround

    limits = session.limits
    if pins and recording:
        raise UsageError("--pins reads nothing that --record could record.", next_step="Give one of them.")
    if pins:
        return _show_pins(session, choose_clusters(session, inventory_path, patterns), limits)

    def check(cluster: ClusterAccess) -> tuple[ClusterChecks, ExitCode]:
        examination = check_cluster(cluster, limits, session.state_dir)
        remind_of_workaround(session, cluster.name, examination.unverified)
        return examination, most_serious_code(examination.findings)

    library, state, journal = check_library(), check_state_directory(session.state_dir), check_journal(session.state_dir)
    clusters_chosen = choose_clusters(session, inventory_path, patterns)
    if recording and len(clusters_chosen) != 1:
        raise UsageError("--record records one cluster.", next_step="Choose one with -c NAME.")
    results = run_on_clusters(clusters_chosen, check, limits, ask=False)
    if recording:
        _record(session, clusters_chosen[0], recording, limits)
    code = most_serious((library.code, state.code, journal.code, combine_exit_codes(results)))
    if session.json:
        clusters = [result.as_json(cluster_checks_json) for result in results]
        local_results = {
            "openssl": check_result_json(library),
            "state_directory": check_result_json(state),
            "journal": check_result_json(journal),
        }
        session.write_json({"exit_code": code, **local_results, "clusters": clusters})
        return code
    _show(session, "this machine", (library, state, journal))
    for result in results:
        _show(session, result.cluster, result.value.findings if result.value else ())
    return code


def _record(session: Session, cluster: ClusterAccess, path: Path, limits: Limits) -> None:
    """Write the recording of `cluster`, and name what was not understood."""
    from remediate.cli.files import write_atomically
    from remediate.connectors.expressway.cluster import open_peers
    from remediate.connectors.expressway.recording import record_cluster
    from remediate.formats.recording import write_recording
    from remediate.version import __version__

    with open_peers(cluster, limits, writable=False) as peers:
        recording = record_cluster(peers, __version__)
    write_atomically(path, write_recording(recording))
    for peer in recording.peers:
        for sentence in peer.not_understood:
            session.say(f"Not understood: {peer.peer}: {sentence}")
    session.hint(f"Wrote {path}. Secrets, addresses and names were replaced; review it before you share it.")


def _show_pins(session: Session, clusters: Sequence[ClusterAccess], limits: Limits) -> ExitCode:
    from remediate.cli.fleet import combine_exit_codes, run_on_clusters
    from remediate.cli.pins_view import WHERE_TO_COMPARE, pins_json, pins_yaml, read_cluster_pins

    results = run_on_clusters(clusters, lambda cluster: read_cluster_pins(cluster, limits), limits, ask=False)
    code = combine_exit_codes(results)
    if session.json:
        session.write_json({"exit_code": code, "clusters": [result.as_json(pins_json) for result in results]})
        return code
    for result in results:
        session.write("\n".join([f"  - name: {result.cluster}", "    expressway:", *pins_yaml(result.value or ())]) + "\n")
    session.hint("Compare each fingerprint before you paste it: someone in the middle can present another.")
    session.hint(WHERE_TO_COMPARE)
    return code


def _show(session: Session, title: str, findings: Sequence[CheckResult]) -> None:
    from rich.text import Text

    from remediate.cli.check_result import merge_alike
    from remediate.model.text import escape
    from remediate.report.lines import Entry, print_entries

    console = session.out()
    entries: list[Entry] = []
    previous = ""
    # On a screen, what is so of every peer is said once; in a pipe, each line has its peer, for `grep`.
    for finding in merge_alike(findings) if console.is_terminal else findings:
        mark = Text("✗", "red") if finding.code else Text("!", "yellow") if finding.next_step else Text("✓", "green")
        label = "" if finding.subject == previous and console.is_terminal else escape(finding.subject)
        advice = (Text(escape(line, 2000), "dim") for line in finding.next_step.splitlines())
        entries.append(Entry(Text(label), (Text(escape(finding.text, 2000)), *advice), mark))
        previous = finding.subject
    console.print(Text(escape(title), "bold"), soft_wrap=True)
    print_entries(console, entries, 2)
