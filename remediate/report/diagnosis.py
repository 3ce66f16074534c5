"""A diagnosis on a terminal of 80 columns: each finding with what was logged and captured of it, the chain, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from remediate.model.certificate import Certificate
from remediate.model.diagnosis import Diagnosis, Finding, SeenChain
from remediate.model.evidence import Evidence
from remediate.model.text import count, escape
from remediate.model.verdict import Cause
from remediate.report.chain import draw
from remediate.report.diagnosis_text import (
    ending_of,
    error_of,
    looked_at_sentence,
    other_failures_of,
    ports_of,
    read_sentence,
    told_of,
)
from remediate.report.drawing import facts, link_lines, pointed, shown_name

SHOWN = 40
_MOST_SHOWN_CHAINS = 4
_SYMBOLS = {"refused": "✗", "tolerated": "!", "unknown": "?", "accepted": "✓"}
_STYLES = {"refused": "bold red", "tolerated": "bold yellow", "unknown": "bold yellow", "accepted": "bold green"}
_NO_LIST = "Trust was not judged: give the peer's trusted CA list with --store for a verdict on what captures show."


def show_diagnosis(
    console: Console, diagnosis: Diagnosis, trusted: Sequence[Certificate] | None, *, every_fact: bool = False
) -> None:
    """Print `diagnosis`.

    Args:
        trusted: the trusted CA list that was given; None without one.
        every_fact: also the keys, dates and names of certificates that were accepted.
    """
    console.print(Text(read_sentence(diagnosis.evidence), "dim"))
    looked_at = looked_at_sentence(diagnosis.evidence.looked_at)
    if looked_at:
        console.print(Text(looked_at, "dim"))
    for finding in diagnosis.findings[:SHOWN]:
        console.print()
        _finding(console, finding, trusted or (), every_fact=every_fact)
    hidden = len(diagnosis.findings) - SHOWN
    if hidden > 0:
        console.print(Text(f"\nand {count(hidden, 'finding')} more: `--json` has them all", "dim"))
    _ending(console, diagnosis, judged=trusted is not None)
    _other_failures(console, diagnosis.evidence)
    _unread(console, diagnosis.evidence)
    _next(console, diagnosis.findings[:SHOWN])


def _finding(console: Console, finding: Finding, trusted: Sequence[Certificate], *, every_fact: bool) -> None:
    style = _STYLES[finding.standing]
    head = Text(f"{_SYMBOLS[finding.standing]} ", style)
    head.append(f"{escape(finding.address)}{ports_of(finding)}", style)
    cause = f": {finding.verdict.cause.value}" if finding.verdict and finding.verdict.cause else ""
    head.append(f"  {finding.standing}{cause}", style)
    console.print(head)
    if finding.verdict and finding.verdict.error:
        _indented(console, Text(error_of(finding), "red" if finding.standing == "refused" else "yellow"))
    _evidence(console, finding)
    shown = set[tuple[Certificate, ...]]()
    for endpoint in finding.seen:
        for chain in (chain for chain in endpoint.chains[:_MOST_SHOWN_CHAINS] if chain.certificates not in shown):
            shown.add(chain.certificates)
            _chain(console, chain, finding, trusted, every_fact=every_fact or finding.standing != "accepted")
        hidden = len(endpoint.chains) - _MOST_SHOWN_CHAINS
        if hidden > 0:
            _indented(console, Text(f"and {count(hidden, 'other chain')}: `--json` has them all", "dim"))
    for remark in finding.remarks:
        _indented(console, pointed("!", remark, "yellow"))
    for sentence in finding.advice:
        _indented(console, pointed("→", sentence, "bold"))


def _evidence(console: Console, finding: Finding) -> None:
    table = Table.grid(padding=(0, 1))
    table.add_column(min_width=8)
    table.add_column(overflow="fold")
    for label, sentence in told_of(finding):
        table.add_row(Text(label, "dim"), Text(escape(sentence, 600)))
    _indented(console, table)


def _chain(console: Console, chain: SeenChain, finding: Finding, trusted: Sequence[Certificate], *, every_fact: bool) -> None:
    """As `explain` draws it; without a list, nothing is said to be good, and what breaks is what the log or the alert says."""
    presented = chain.certificates
    if chain.verdict:
        for link in draw(presented, trusted, chain.verdict, chain.built):
            _block(console, link_lines(link)[: None if every_fact else 1])
    else:
        for depth, one in enumerate(presented):
            refused = _is_blamed(chain, depth, finding)
            mark = Text("✗ " if refused else "· ", "red" if refused else "dim")
            mark.append(shown_name(one), "bold")
            mark.append(f"  [{depth}] presented", "dim")
            indent = "   " * depth
            lines = [Text(f"{indent}  {line}", "dim") for line in facts(one)] if every_fact else []
            _block(console, (Text(f"{indent[:-3]}└─ " if depth else "") + mark, *lines))
    if every_fact:
        _block(console, (Text(f"  {presented[0].fingerprint}", "dim"),))
        for remark in chain.remarks:
            _indented(console, pointed("·", remark, "default"))


def _is_blamed(chain: SeenChain, depth: int, finding: Finding) -> bool:
    """Whether the certificate at `depth` is what was refused; above the leaf, only trust is surely about what was presented."""
    verdict = finding.verdict
    if verdict is None or verdict.depth != depth or chain.went_on:
        return False
    return depth == 0 or verdict.cause is Cause.ISSUER_UNTRUSTED


def _block(console: Console, lines: Iterable[Text]) -> None:
    # Not wrapped, as in `explain`: what is drawn and what is copied from here stay whole.
    for line in lines:
        console.print(Text("  ") + line, soft_wrap=True)


def _ending(console: Console, diagnosis: Diagnosis, *, judged: bool) -> None:
    ending = ending_of(diagnosis)
    if ending is None:
        if not judged and any(finding.seen for finding in diagnosis.findings):
            console.print()
            console.print(Text(_NO_LIST, "dim"))
        return
    console.print()
    console.print(Text(ending, "bold"))


def _other_failures(console: Console, evidence: Evidence) -> None:
    if not evidence.other_failures:
        return
    console.print()
    console.print(Text("Failed TLS of other processes, counted and not judged", "bold underline"))
    for failures in evidence.other_failures[:SHOWN]:
        _indented(console, pointed("·", escape(other_failures_of(failures)), "default"))
    if len(evidence.other_failures) > SHOWN:
        console.print(Text(f"  and {len(evidence.other_failures) - SHOWN} more: `--json` has them all", "dim"))


def _unread(console: Console, evidence: Evidence) -> None:
    if not evidence.unread:
        return
    console.print()
    console.print(Text("Could not be looked at", "bold underline"))
    for one in evidence.unread[:SHOWN]:
        _indented(console, pointed("?", f"{escape(one.where)}: {one.reason}", "yellow"))
    if len(evidence.unread) > SHOWN:
        console.print(Text(f"  and {len(evidence.unread) - SHOWN} more: `--json` has them all", "dim"))


def _next(console: Console, findings: Sequence[Finding]) -> None:
    commands = list(dict.fromkeys(command for finding in findings for command in finding.commands))
    if not commands:
        return
    console.print()
    console.print(Text("Next", "bold underline"))
    for command in commands[:SHOWN]:
        console.print(Text(f"  {escape(command, 600)}"), soft_wrap=True)
    if any(" --chain " in command for command in commands):
        _indented(console, Text("The PEM of every certificate above stands in `--json`, under its fingerprint.", "dim"))


def _indented(console: Console, what: Text | Table) -> None:
    console.print(Padding(what, (0, 0, 0, 2), expand=False))
