"""``remediate doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from remediate.cli.options import common, inventory
from remediate.cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediate.cli.doctor_checks import Finding
    from remediate.model.access import ClusterAccess


@click.command()
@inventory()
@common
@click.pass_obj
def command(session: Session, inventory_path: Path, patterns: tuple[str, ...]) -> int:
    """Check what a plan and an apply would need: secrets, pins, logins, what each box offers, clocks, the state directory.

    Logs in to every peer once and writes nothing there. Says where each secret comes from, never what it is, and what would have to
    be done by hand. Where a peer's clock is far from this machine's, it looks at the endpoints too, and says which verdicts that
    changes.

    \b
    EXAMPLES
      remediate doctor -i inventory.yml
      remediate doctor -i inventory/ --json

    \b
    EXIT CODES
      0   all is well, or there are warnings only (!)
      1   a secret, a login or a pin is not; or the state directory cannot be written, or its journal not read
      4   a peer could not be reached
    """
    from dataclasses import asdict

    from remediate.cli.doctor_checks import examine, journal, state_directory, worst
    from remediate.cli.fleet import across, choose, exit_code_of
    from remediate.cli.observe import remind
    from remediate.model.exit_codes import most_serious
    from remediate.model.limits import Limits

    limits = Limits()

    def look(cluster: ClusterAccess) -> tuple[tuple[Finding, ...], int]:
        examination = examine(cluster, limits)
        remind(session, cluster.name, examination.unverified)
        return examination.findings, worst(examination.findings)

    state, book = state_directory(session.state_dir), journal(session.state_dir)
    results = across(choose(session, inventory_path, patterns), look, limits, ask=False)
    code = most_serious((state.code, book.code, exit_code_of(results)))
    if session.json:
        clusters = [done.as_json(lambda findings: {"findings": [asdict(finding) for finding in findings]}) for done in results]
        here = {"state_directory": asdict(state), "journal": asdict(book)}
        session.write_json({"exit_code": code, **here, "clusters": clusters})
        return code
    _show(session, "this machine", (state, book))
    for done in results:
        _show(session, done.cluster, done.value or ())
    return code


def _show(session: Session, title: str, findings: Sequence[Finding]) -> None:
    from rich.table import Table
    from rich.text import Text

    from remediate.model.text import escape

    table = Table.grid(padding=(0, 1))
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    previous = ""
    for finding in findings:
        mark = Text("  ✗", "red") if finding.code else Text("  !", "yellow") if finding.next_step else Text("  ✓", "green")
        said = Text(escape(finding.said, 2000))
        if finding.next_step:
            said.append(f"\n{escape(finding.next_step, 2000)}", "dim")
        table.add_row(mark, Text("" if finding.subject == previous else escape(finding.subject)), said)
        previous = finding.subject
    console = session.out()
    console.print(Text(escape(title), "bold"))
    console.print(table)
