"""A verdict for a person: the chain that it judges, drawn from the leaf to the root, where it breaks, and what would fix it.

The verdict is OpenSSL's, and so is the chain as far as OpenSSL built one. From there, issuers are followed upwards by name and by
key, the trusted CA list first, as OpenSSL does: a certificate of the issuer's name with another key is no link of the chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.text import Text

from remediate.model.canonical import rfc3339
from remediate.model.certificate import Certificate
from remediate.model.text import escape
from remediate.model.verdict import Verdict
from remediate.report.lines import print_indented
from remediate.report.text import short_fingerprint

Origin = Literal["presented", "trusted", "missing"]
_ORIGINS = {"presented": "presented by the server", "trusted": "from this peer's list", "missing": "not found"}
_BOTH = "from this peer's list, and presented"


@dataclass(frozen=True, slots=True)
class ChainLink:
    """One certificate, or one missing issuer, of a chain.

    Attributes:
        certificate: None for an issuer that is neither presented nor trusted.
        name: The subject, or the name of the missing issuer. Untrusted text.
        breaks: Whether the verdict is about this link.
        presented: Whether the server sends it; it may be in the list too.
        namesakes: For a missing issuer, the certificates of its name that did not issue the link below.
    """

    certificate: Certificate | None
    name: str
    origin: Origin
    depth: int
    breaks: bool
    presented: bool = False
    namesakes: tuple[Certificate, ...] = ()


def draw_chain(presented: Sequence[Certificate], trusted: Sequence[Certificate], verdict: Verdict) -> tuple[ChainLink, ...]:
    """Return the links from the leaf towards the root; a missing issuer is the last link.

    Args:
        presented: What the server sends, leaf first.
        trusted: The peer's trusted CA list.
        verdict: The verdict on this chain.
    """
    chain = list(verdict.built_chain or presented[:1])
    issuer = _find_issuer(chain, presented, trusted)
    while issuer is not None and issuer not in chain:
        chain.append(issuer)
        issuer = _find_issuer(chain, presented, trusted)
    links = [
        ChainLink(
            certificate,
            certificate.subject,
            _origin_of(certificate, trusted),
            depth,
            breaks=verdict.depth == depth,
            presented=certificate in presented,
        )
        for depth, certificate in enumerate(chain)
    ]
    if issuer is None and chain and chain[-1].readable and not chain[-1].self_issued:
        namesakes = tuple(
            certificate for certificate in dict.fromkeys((*trusted, *presented)) if certificate.is_named_as_issuer_of(chain[-1])
        )
        links.append(ChainLink(None, chain[-1].issuer, "missing", len(links), breaks=False, namesakes=namesakes))
    return tuple(links)


def _origin_of(certificate: Certificate, trusted: Sequence[Certificate]) -> Origin:
    return "trusted" if certificate in trusted else "presented"


def _find_issuer(
    chain: Sequence[Certificate], presented: Sequence[Certificate], trusted: Sequence[Certificate]
) -> Certificate | None:
    """Return the issuer of the last certificate of `chain`; None above a root, or if it is neither trusted nor presented."""
    if not chain or chain[-1].self_issued:
        return None
    return next((certificate for certificate in (*trusted, *presented) if certificate.has_issued(chain[-1])), None)


def show_verdict(
    console: Console,
    address: str | None,
    verdict: Verdict,
    links: Sequence[ChainLink],
    advice: Sequence[str],
    difference: str | None = None,
    remarks: Sequence[str] = (),
) -> None:
    """Print the verdict, the drawn chain, and the advice on what would make it verify.

    Args:
        console: Where to print.
        address: The connection address; None if only the chain was verified.
        verdict: The verdict.
        links: The chain, as `draw_chain` returns it.
        advice: Sentences, printed for a refusal only.
        difference: How another OpenSSL than the appliance's differs; None if it agrees or was not asked.
        remarks: Sentences on the input, printed first.
    """
    for remark in remarks:
        print_marked(console, "!", remark, "yellow")
    _print_headline(console, address, verdict)
    console.print()
    for link in links:
        for line in link_lines(link):
            print_link(console, line)
    if difference:
        console.print()
        print_marked(console, "!", difference, "yellow")
    if verdict.ok:
        return
    console.print()
    for sentence in advice:
        print_marked(console, "→", sentence, "bold")


def print_marked(console: Console, mark: str, sentence: str, style: str, columns: int = 0) -> None:
    """Print an untrusted sentence with a mark before it, wrapped between words only."""
    print_indented(console, Text(escape(sentence, 2000), style), columns, first=f"{mark} ")


def print_link(console: Console, line: Text, columns: int = 0) -> None:
    """Print a line of a drawn chain; what is too long continues below its own beginning, and no name is split."""
    indent = len(line.plain) - len(line.plain.lstrip())
    print_indented(console, line[indent:], columns + indent)


def _print_headline(console: Console, address: str | None, verdict: Verdict) -> None:
    target = escape(address) if address else "the chain only"
    if verdict.ok:
        print_indented(console, Text(f"{target} verifies", "bold green"), 0, first="✓ ")
        return
    cause = verdict.cause.value if verdict.cause else "refused"
    where = "" if verdict.depth is None else f", at depth {verdict.depth}"
    print_indented(console, Text(f"{target} is refused: {cause}", "bold red"), 0, first="✗ ")
    print_indented(console, Text(f"{escape(verdict.error or '')} (code {verdict.code}{where})", "red"), 2)


def link_lines(link: ChainLink) -> tuple[Text, ...]:
    """Return `link` as lines: mark, name and origin, then the facts that a person compares."""
    indent = "   " * link.depth
    stem = indent[:-3] + "└─ " if link.depth else ""
    refused = link.breaks or link.origin == "missing"
    head = Text(f"{stem}{'✗' if refused else '✓'} ", "red" if refused else "green")
    head.append(_link_label(link), "bold")
    both = link.origin == "trusted" and link.presented
    head.append(f"  [{link.depth}] {_BOTH if both else _ORIGINS[link.origin]}", "dim")
    if link.certificate is None:
        return (head, *(Text(f"{indent}  {_describe_namesake(namesake)}", "dim") for namesake in link.namesakes))
    return (head, *(Text(f"{indent}  {line}", "dim") for line in certificate_facts(link.certificate)))


def _link_label(link: ChainLink) -> str:
    return certificate_label(link.certificate) if link.certificate else escape(link.name) or "(no name)"


def certificate_label(certificate: Certificate) -> str:
    """Return the name of `certificate` on a screen."""
    return escape(certificate.subject) or "(no name)" if certificate.readable else "(a certificate that cannot be read)"


def _describe_namesake(certificate: Certificate) -> str:
    return f"a CA with the same name that did not issue it: {short_fingerprint(certificate.fingerprint)}"


def certificate_facts(certificate: Certificate) -> tuple[str, ...]:
    """Return the facts that a person compares: key, validity, fingerprint, names."""
    size = f" {certificate.key_bits}" if certificate.key_bits else ""
    dates = " to ".join(rfc3339(moment)[:10] if moment else "?" for moment in (certificate.not_before, certificate.not_after))
    names = ", ".join((*certificate.san_dns, *(f"IP {address}" for address in certificate.san_ip)))
    kind = "CA, " if certificate.is_ca else ""
    lines = (f"{kind}{certificate.key_family}{size}, valid {dates}, {short_fingerprint(certificate.fingerprint)}",)
    return (*lines, f"names: {escape(names)}") if names else lines
