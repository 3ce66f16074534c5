"""The terminal view of a diagnosis, for 80 columns: each finding with its evidence, its chain and advice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.text import Text

from remediate.model.certificate import Certificate
from remediate.model.diagnosis import CapturedChain, Diagnosis, Finding
from remediate.model.evidence import Evidence
from remediate.model.text import count, escape
from remediate.model.verdict import Cause
from remediate.report.diagnosis_text import (
    describe_coverage,
    describe_evidence,
    describe_files,
    describe_lists,
    describe_nodes,
    describe_openssl,
    describe_other_failures,
    describe_outcome,
    describe_place,
    format_error,
    name_lists,
)
from remediate.report.lines import Entry, print_entries, print_indented
from remediate.report.verdict import certificate_facts, certificate_label, draw_chain, link_lines, print_link, print_marked

MAX_SHOWN = 40
_MAX_SHOWN_CHAINS = 4
_MAX_SHOWN_NODES = 12
_SYMBOLS = {"refused": "✗", "tolerated": "!", "unknown": "?", "accepted": "✓"}
_STYLES = {"refused": "bold red", "tolerated": "bold yellow", "unknown": "bold yellow", "accepted": "bold green"}
_NO_LIST = "Trust was not checked: give the peer's trusted CA list with --store to verify the captured chains."


def show_diagnosis(console: Console, diagnosis: Diagnosis, *, every_fact: bool = False) -> None:
    """Print `diagnosis`.

    Args:
        console: The console to print to.
        diagnosis: The diagnosis to print.
        every_fact: Show the keys, dates and names of accepted certificates too.
    """
    print_indented(console, Text(describe_files(diagnosis.evidence), "dim"), 0)
    coverage = describe_coverage(diagnosis.evidence.coverage)
    if coverage:
        print_indented(console, Text(coverage, "dim"), 0)
    openssl = describe_openssl(diagnosis.evidence)
    if openssl:
        print_indented(console, Text(escape(openssl), "dim"), 0)
    lists = describe_lists(diagnosis)
    if lists:
        print_indented(console, Text(escape(lists), "dim"), 0)
    hosts = name_lists(diagnosis.evidence)
    first_with = dict[tuple[str, ...], str]()
    for finding in diagnosis.findings[:MAX_SHOWN]:
        console.print()
        _print_finding(console, finding, hosts, every_fact=every_fact)
        _print_advice(console, finding, first_with)
    hidden = len(diagnosis.findings) - MAX_SHOWN
    if hidden > 0:
        console.print()
        print_indented(console, Text(f"and {count(hidden, 'finding')} more: `--json` has them all", "dim"), 0)
    _print_outcome(console, diagnosis)
    _print_other_failures(console, diagnosis.evidence)
    _print_unread(console, diagnosis.evidence)
    _print_commands(console, diagnosis.findings[:MAX_SHOWN])


def _print_finding(
    console: Console, finding: Finding, hosts: Mapping[tuple[Certificate, ...], str], *, every_fact: bool
) -> None:
    style = _STYLES[finding.status]
    head = Text(f"{_SYMBOLS[finding.status]} ", style)
    address, blank, ports = describe_place(finding).partition(" ")
    head.append(address, style)
    head.append(f"{blank}{ports}", style)
    cause = f": {finding.verdict.cause.value}" if finding.verdict and finding.verdict.cause else ""
    head.append(f"  {finding.status}{cause}", style)
    print_indented(console, head, 0)
    if finding.verdict and finding.verdict.error:
        print_indented(console, Text(format_error(finding), "red" if finding.status == "refused" else "yellow"), 2)
    _print_evidence(console, finding, every_fact=every_fact)
    _print_chains(console, finding, hosts, every_fact=every_fact)
    for remark in finding.remarks:
        print_marked(console, "!", remark, "yellow", 2)


def _print_chains(
    console: Console, finding: Finding, hosts: Mapping[tuple[Certificate, ...], str], *, every_fact: bool
) -> None:
    """Print each chain once for each list that it was verified against."""
    printed = set[tuple[tuple[Certificate, ...], tuple[Certificate, ...] | None]]()
    # Of many nodes with one cause, the chain of the first is the example.
    for endpoint in finding.captured_endpoints[: 1 if finding.nodes else None]:
        for chain in endpoint.chains[:_MAX_SHOWN_CHAINS]:
            if (chain.certificates, chain.trusted) in printed:
                continue
            printed.add((chain.certificates, chain.trusted))
            if chain.trusted is not None and chain.trusted in hosts:
                print_indented(console, Text(f"by the list of {escape(hosts[chain.trusted])}:", "dim"), 2)
            _print_chain(console, chain, finding, every_fact=every_fact or finding.status != "accepted")
        hidden = len(endpoint.chains) - _MAX_SHOWN_CHAINS
        if hidden > 0:
            print_indented(console, Text(f"and {count(hidden, 'other chain')}: `--json` has them all", "dim"), 2)


def _print_advice(console: Console, finding: Finding, first_with: dict[tuple[str, ...], str]) -> None:
    """Print the advice; where a finding before has the same but for the address, the name of that one. `first_with` grows."""
    general = tuple(sentence.replace(finding.address, "{address}") for sentence in finding.advice)
    place = first_with.setdefault(general, describe_place(finding))
    is_repeated = len(general) > 1 and place != describe_place(finding)
    for sentence in [f"The same as for {place} above."] if is_repeated else finding.advice:
        print_marked(console, "→", sentence, "bold", 2)


def _print_evidence(console: Console, finding: Finding, *, every_fact: bool) -> None:
    rows = describe_nodes(finding, None if every_fact else _MAX_SHOWN_NODES) if finding.nodes else describe_evidence(finding)
    print_entries(console, [Entry(Text(label, "dim"), (Text(escape(sentence, 600)),)) for label, sentence in rows], 2)


def _print_chain(console: Console, chain: CapturedChain, finding: Finding, *, every_fact: bool) -> None:
    """Print the chain as `explain` does; without a list, mark only the certificate that the log or the alert refuses."""
    if chain.verdict:
        for link in draw_chain(chain.certificates, chain.trusted or (), chain.verdict):
            _print_lines(console, link_lines(link)[: None if every_fact else 1])
    else:
        _print_unverified_chain(console, chain, finding, every_fact=every_fact)
    if every_fact:
        _print_lines(console, (Text(f"  {chain.certificates[0].fingerprint}", "dim"),))
        for remark in chain.remarks:
            print_marked(console, "·", remark, "default", 2)


def _print_unverified_chain(console: Console, chain: CapturedChain, finding: Finding, *, every_fact: bool) -> None:
    for depth, certificate in enumerate(chain.certificates):
        is_refused = _is_refused_certificate(chain, depth, finding)
        mark = Text("✗ " if is_refused else "· ", "red" if is_refused else "dim")
        mark.append(certificate_label(certificate), "bold")
        mark.append(f"  [{depth}] presented", "dim")
        indent = "   " * depth
        branch = Text(f"{indent[:-3]}└─ " if depth else "")
        facts = certificate_facts(certificate) if every_fact else ()
        _print_lines(console, (branch + mark, *(Text(f"{indent}  {fact}", "dim") for fact in facts)))


def _is_refused_certificate(chain: CapturedChain, depth: int, finding: Finding) -> bool:
    """Return whether the certificate at `depth` was refused; above the leaf, only missing trust surely concerns the presented one."""
    verdict = finding.verdict
    if verdict is None or verdict.depth != depth or chain.accepted_connections:
        return False
    return depth == 0 or verdict.cause is Cause.ISSUER_UNTRUSTED


def _print_lines(console: Console, lines: Iterable[Text]) -> None:
    for line in lines:
        print_link(console, line, 2)


def _print_outcome(console: Console, diagnosis: Diagnosis) -> None:
    outcome = describe_outcome(diagnosis)
    if outcome is None:
        chains = [
            chain for finding in diagnosis.findings for endpoint in finding.captured_endpoints for chain in endpoint.chains
        ]
        if chains and all(chain.trusted is None for chain in chains):
            console.print()
            print_indented(console, Text(_NO_LIST, "dim"), 0)
        return
    console.print()
    print_indented(console, Text(outcome, "bold"), 0)


def _print_other_failures(console: Console, evidence: Evidence) -> None:
    if not evidence.other_failures:
        return
    console.print()
    print_indented(console, Text("TLS failures of other processes (counted only)", "bold underline"), 0)
    for failures in evidence.other_failures[:MAX_SHOWN]:
        print_marked(console, "·", escape(describe_other_failures(failures)), "default", 2)
    if len(evidence.other_failures) > MAX_SHOWN:
        print_indented(console, Text(f"and {len(evidence.other_failures) - MAX_SHOWN} more: `--json` has them all", "dim"), 2)


def _print_unread(console: Console, evidence: Evidence) -> None:
    if not evidence.unread_sources:
        return
    console.print()
    print_indented(console, Text("Not read", "bold underline"), 0)
    for source in evidence.unread_sources[:MAX_SHOWN]:
        print_marked(console, "?", f"{escape(source.path)}: {source.reason}", "yellow", 2)
    if len(evidence.unread_sources) > MAX_SHOWN:
        print_indented(console, Text(f"and {len(evidence.unread_sources) - MAX_SHOWN} more: `--json` has them all", "dim"), 2)


def _print_commands(console: Console, findings: Sequence[Finding]) -> None:
    commands = list(dict.fromkeys(command for finding in findings for command in finding.commands))
    if not commands:
        return
    console.print()
    print_indented(console, Text("Next", "bold underline"), 0)
    for command in commands[:MAX_SHOWN]:
        console.print(Text(f"  {escape(command, 600)}"), soft_wrap=True)
    if any(" --chain " in command for command in commands):
        print_indented(console, Text("`--json` has the PEM of every certificate above, by its fingerprint.", "dim"), 2)
