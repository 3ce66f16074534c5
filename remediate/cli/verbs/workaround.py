"""``remediate workaround``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from remediate.cli.options import common, confirmation, inventory, option
from remediate.cli.session import Session
from remediate.model.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediate.cli.fleet import ClusterResult
    from remediate.executor.workaround import PeerVerification
    from remediate.model.access import ClusterAccess

Flags = tuple["PeerVerification", ...]


@click.command()
@click.argument("action", type=click.Choice(["status", "on", "off"]), metavar="status|on|off")
@inventory()
@option("--force", is_flag=True, help="off: do not check first, even where clients would lose endpoints.")
@option("--dry-run", is_flag=True, help="on, off: show what would be switched, over connections that cannot write.")
@confirmation
@common
@click.pass_obj
def command(
    session: Session,
    action: Literal["status", "on", "off"],
    inventory_path: Path,
    patterns: tuple[str, ...],
    force: bool,  # noqa: FBT001 - click passes options by name
    dry_run: bool,  # noqa: FBT001
    yes: bool,  # noqa: FBT001
) -> ExitCode:
    """Show the workaround, or turn it on or off, on every peer, and read every peer back.

    On means that certificate verification is off (VerifyOriginServer: Off), as it was before X14.2: the peers then accept any
    certificate, even a forged one. It is a last resort for hours, not for weeks. status writes nothing.

    on and off show the peers and ask for `yes` in full. Without a terminal and without --yes, they stop before they do
    anything. off then checks the cluster again, and is refused if clients would lose an endpoint, or if that cannot be checked.

    \b
    EXAMPLES
      remediate workaround status -i inventory.yml
      remediate workaround on -i inventory.yml
      remediate workaround off -i inventory.yml --dry-run
      remediate workaround off -i inventory.yml
      remediate workaround off -i inventory.yml --force --yes

    \b
    EXIT CODES
      0   every peer was read and is as requested, or this version does not offer the switch (status)
      1   error in the inventory, a secret, a login or a pin
      4   status: a peer could not be read; off: a peer or an endpoint could not be checked, and nothing was changed
      5   on, off: locked by another run
      7   declined, no terminal and no --yes, or off: clients would lose the endpoints listed; nothing was changed
      8   on, off: a peer is not as requested, or not known to be; the message names the manual step; --dry-run: would be
    """
    from remediate.cli.fleet import choose_clusters, combine_exit_codes, report_errors, run_on_clusters
    from remediate.cli.notices import NoticeCollector
    from remediate.executor.workaround import most_serious_code, read_verification, set_workaround
    from remediate.executor.workaround_rehearsal import rehearse_workaround

    clusters = choose_clusters(session, inventory_path, patterns)
    if action != "status" and not dry_run and (refused := _confirm(session, clusters, on=action == "on", yes=yes)):
        return refused
    with session.open_event_sink() as sink, NoticeCollector(session, sink) as notices:

        def run(cluster: ClusterAccess) -> tuple[Flags, ExitCode]:
            if action == "status":
                flags = read_verification(cluster, state_dir=session.state_dir, limits=session.limits, sink=sink)
            else:
                switch = rehearse_workaround if dry_run else set_workaround
                flags = switch(
                    cluster,
                    on=action == "on",
                    state_dir=session.state_dir,
                    force=force,
                    limits=session.limits,
                    sink=notices,
                )
            return flags, ExitCode(most_serious_code(flags))

        results = run_on_clusters(clusters, run, session.limits)
    report_errors(session, results)
    code = combine_exit_codes(results)
    if session.json:
        _write_document(session, results, dry_run=dry_run and action != "status")
    else:
        _show(session, results)
    return code


def _confirm(session: Session, clusters: Sequence[ClusterAccess], *, on: bool, yes: bool) -> ExitCode:
    """Read every peer, show what would be switched, and ask for `yes`.

    Returns:
        DONE to go on; else the exit code of a cluster that cannot be read, after its error was reported.

    Raises:
        Declined: No question can be asked, or the answer is not `yes`.
    """
    from remediate.cli.fleet import combine_exit_codes, report_errors, run_on_clusters
    from remediate.cli.questions import ask, refuse_without_terminal
    from remediate.executor.workaround import RISK, read_verification
    from remediate.model.text import count, join_words

    refuse_without_terminal(session, yes=yes)
    if yes:
        return ExitCode.DONE

    def read(cluster: ClusterAccess) -> tuple[Flags, ExitCode]:
        return read_verification(cluster, limits=session.limits), ExitCode.DONE

    results = run_on_clusters(clusters, read, session.limits)
    report_errors(session, results)
    flags = {result.cluster: result.value for result in results if result.value is not None}
    if len(flags) < len(results):
        # A refused login is not repeated.
        if session.json:
            _write_document(session, results, dry_run=False)
        return combine_exit_codes(results)
    lines = [RISK] if on else []
    lines += [_describe_switch(cluster, peer, on=on) for cluster, peers in flags.items() for peer in peers]
    targets = [
        f"{count(sum(peer.verification is not (not on) for peer in peers), 'peer')} of {cluster}"
        for cluster, peers in flags.items()
    ]
    ask(session, lines, f"Turn certificate verification {'off' if on else 'on'} on {join_words(targets)}?")
    return ExitCode.DONE


def _describe_switch(cluster: str, peer: PeerVerification, *, on: bool) -> str:
    words = {True: "on", False: "off", None: f"not known ({peer.problem})"}
    change = "stays" if peer.verification is (not on) else f"to be turned {words[not on]}"
    return f"{cluster}: {peer.peer}: verification is {words[peer.verification]}, {change}"


def _write_document(session: Session, results: Sequence[ClusterResult[Flags]], *, dry_run: bool) -> None:
    from remediate.cli.fleet import combine_exit_codes

    clusters = [result.as_json(_to_json) for result in results]
    session.write_json({"exit_code": combine_exit_codes(results), "dry_run": dry_run, "clusters": clusters})


def _to_json(flags: Sequence[PeerVerification]) -> dict[str, Any]:
    return {"peers": [_peer_to_json(flag) for flag in flags]}


def _peer_to_json(flag: PeerVerification) -> dict[str, Any]:
    return {
        "peer": flag.peer,
        "verification": flag.verification,
        "problem": flag.problem,
        "exit_code": flag.exit_code,
        "changed": flag.has_written,
        "last": _switch_to_json(flag),
    }


def _switch_to_json(flag: PeerVerification) -> dict[str, Any] | None:
    last = flag.last
    return (
        None
        if last is None
        else {"at": last.at, "who": last.user, "host": last.host, "asked": last.requested, "found": last.read_back}
    )


def _show(session: Session, results: Sequence[ClusterResult[Flags]]) -> None:
    from rich.text import Text

    from remediate.model.text import escape

    console = session.out()
    words = {
        True: ("✓ verification on", "green"),
        False: ("! verification off: the workaround is on", "yellow"),
        None: ("? not known", "red"),
    }
    for result in results:
        console.print(Text(escape(result.cluster), "bold"), soft_wrap=True)
        for flag in result.value or ():
            word, style = words[flag.verification]
            line = Text(f"  {escape(flag.peer)}  ")
            line.append(word, style)
            console.print(line, soft_wrap=True)
            if flag.last:
                console.print(Text(f"    {escape(str(flag.last))}", "dim"), soft_wrap=True)
            if flag.problem:
                console.print(f"    {escape(flag.problem, 2000)}", soft_wrap=True)
