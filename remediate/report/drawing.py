"""One verdict on a terminal: the chain from the leaf to the root, where it breaks, and what would mend it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from remediate.model.canonical import rfc3339
from remediate.model.certificate import Certificate
from remediate.model.text import escape
from remediate.model.verdict import Verdict
from remediate.report.chain import Link
from remediate.report.text import short

_ORIGINS = {"presented": "presented by the server", "trusted": "from this peer's list", "missing": "found nowhere"}
_BOTH = "from this peer's list, and presented"


def show_verdict(
    console: Console,
    address: str | None,
    verdict: Verdict,
    links: Sequence[Link],
    advice: Sequence[str],
    other: str | None = None,
    remarks: Sequence[str] = (),
) -> None:
    """Print the verdict, the drawn chain, and `advice`: sentences that say what would make it verify.

    Args:
        other: what another OpenSSL than the appliance's says, where it differs.
        remarks: sentences on what was judged, which come first.
    """
    for remark in remarks:
        console.print(pointed("!", remark, "yellow"))
    console.print(_answer(address, verdict))
    console.print()
    for link in links:
        for line in link_lines(link):
            console.print(line, soft_wrap=True)
    if other:
        console.print()
        console.print(pointed("!", other, "yellow"))
    if verdict.ok:
        return
    console.print()
    for sentence in advice:
        console.print(pointed("→", sentence, "bold"))


def pointed(mark: str, sentence: str, style: str) -> Table:
    """Return `sentence`, folded, behind a mark."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column()
    grid.add_column(overflow="fold")
    grid.add_row(Text(mark, style), Text(escape(sentence, 2000), style))
    return grid


def _answer(address: str | None, verdict: Verdict) -> Text:
    target = escape(address) if address else "the chain alone"
    if verdict.ok:
        return Text(f"✓ {target} verifies", "bold green")
    cause = verdict.cause.value if verdict.cause else "refused"
    where = "" if verdict.depth is None else f", at depth {verdict.depth}"
    answer = Text(f"✗ {target} is refused: {cause}", "bold red")
    answer.append(f"\n  {escape(verdict.error or '')} (code {verdict.code}{where})", "red")
    return answer


def link_lines(link: Link) -> tuple[Text, ...]:
    """Return `link` as lines: its mark, its name and where it is from; below, what a person compares."""
    indent = "   " * link.depth
    stem = indent[:-3] + "└─ " if link.depth else ""
    refused = link.breaks or link.origin == "missing"
    head = Text(f"{stem}{'✗' if refused else '✓'} ", "red" if refused else "green")
    head.append(_name(link), "bold")
    both = link.origin == "trusted" and link.presented
    head.append(f"  [{link.depth}] {_BOTH if both else _ORIGINS[link.origin]}", "dim")
    if link.certificate is None:
        return (head, *(Text(f"{indent}  {_namesake(namesake)}", "dim") for namesake in link.namesakes))
    return (head, *(Text(f"{indent}  {line}", "dim") for line in facts(link.certificate)))


def _name(link: Link) -> str:
    return shown_name(link.certificate) if link.certificate else escape(link.name) or "(no name)"


def shown_name(certificate: Certificate) -> str:
    """Return what `certificate` is called on a screen."""
    return escape(certificate.subject) or "(no name)" if certificate.readable else "(a certificate that cannot be read)"


def _namesake(certificate: Certificate) -> str:
    return f"a namesake that did not issue it: {short(certificate.fingerprint)}"


def facts(certificate: Certificate) -> tuple[str, ...]:
    """Return what a person compares: key, validity, names, fingerprint."""
    size = f" {certificate.key_bits}" if certificate.key_bits else ""
    dates = " to ".join(rfc3339(moment)[:10] if moment else "?" for moment in (certificate.not_before, certificate.not_after))
    names = ", ".join((*certificate.san_dns, *(f"IP {address}" for address in certificate.san_ip)))
    kind = "CA, " if certificate.is_ca else ""
    lines = (f"{kind}{certificate.key_family}{size}, valid {dates}, {short(certificate.fingerprint)}",)
    return (*lines, f"names: {escape(names)}") if names else lines
