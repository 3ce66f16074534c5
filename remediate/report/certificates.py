"""The certificates of a cluster as JSON, CSV and text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from remediate.language.messages import translate
from remediate.model.canonical import rfc3339
from remediate.model.text import count, escape, first_few
from remediate.report.lines import Entry, FinalText, print_entries, print_indented, translate_text
from remediate.report.moments import format_moment
from remediate.report.text import short_fingerprint

if TYPE_CHECKING:
    from remediate.model.certificate_overview import CertificateOverview, ListedCertificate
    from remediate.model.identity import Fingerprint

COLUMNS = (
    "cluster", "days_left", "not_after", "common_name", "subject", "issuer", "not_before", "in_list_of", "presented_by",
    "sent_by_peer", "on_nodes",
    "relied_on_by", "vouched_by", "dns_names", "fingerprint",
)  # fmt: skip
_SOON_DAYS = 60
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_OTHER_USES = (
    "Traversal and neighbour zones, LDAP, syslog, administrator certificates and services that were not probed use the same list: do "
    "not delete a certificate for this alone."
)


def certificates_document(overview: CertificateOverview, certificates: Sequence[ListedCertificate]) -> dict[str, Any]:
    """Return the JSON of one cluster; `certificates` are those to list."""
    return {
        "taken_at": rfc3339(overview.taken_at),
        "complete": overview.complete,
        "unread": list(overview.unread),
        "certificates": [_dump_certificate(overview, certificate) for certificate in certificates],
        "drift": [
            {"certificate": drift.certificate, "held_by": list(drift.held_by), "missing_on": list(drift.missing_on)}
            for drift in overview.drift
        ],
        "shared_common_names": [
            {"peer": shared.peer, "common_name": shared.common_name, "certificates": list(shared.certificates)}
            for shared in overview.shared_names
        ],
        "not_relied_on": list(overview.not_relied_on),
    }


def _dump_certificate(overview: CertificateOverview, certificate: ListedCertificate) -> dict[str, Any]:
    facts = certificate.facts
    return {
        "fingerprint": certificate.fingerprint,
        "subject": facts.subject,
        "common_name": facts.common_name,
        "issuer": facts.issuer,
        "not_before": facts.not_before,
        "not_after": facts.not_after,
        "days_left": overview.days_left(certificate),
        "dns_names": list(facts.dns_names),
        "vouched_by": list(facts.vouched_by),
        "lists": list(certificate.lists),
        "server_certificate_of": list(certificate.own_of),
        "on_nodes": list(certificate.on_nodes),
        "presented": [
            {
                "address": presentation.endpoint.address,
                "port": presentation.endpoint.port,
                "family": presentation.family,
                "depth": presentation.depth,
            }
            for presentation in certificate.presented
        ],
        "relied_on_by": [
            {"peer": pair.peer, "address": pair.endpoint.address, "port": pair.endpoint.port}
            for pair in certificate.relied_on_by
        ],
    }


def certificates_csv(rows: Iterable[tuple[CertificateOverview, ListedCertificate]]) -> str:
    """Return a table with one line a certificate, for a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for overview, certificate in rows:
        writer.writerow([_format_cell(value) for value in _make_row(overview, certificate)])
    return text.getvalue()


def _make_row(overview: CertificateOverview, certificate: ListedCertificate) -> Iterator[object]:
    facts = certificate.facts
    yield overview.cluster
    yield overview.days_left(certificate)
    yield from (facts.not_after, facts.common_name, facts.subject, facts.issuer, facts.not_before)
    yield " ".join(certificate.lists)
    yield " ".join(
        f"{presentation.endpoint}/{presentation.family}/{presentation.depth}" for presentation in certificate.presented
    )
    yield " ".join(certificate.own_of)
    yield ", ".join(certificate.on_nodes)
    yield " ".join(f"{pair.endpoint}@{pair.peer}" for pair in certificate.relied_on_by)
    yield " ".join(facts.vouched_by)
    yield " ".join(facts.dns_names)
    yield certificate.fingerprint


def _format_cell(value: object) -> str | int:
    """Return a cell that no spreadsheet takes for a formula: names come from certificates, which anyone can make."""
    if value is None or isinstance(value, int):
        return "" if value is None else value
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def show_certificates(console: Console, overview: CertificateOverview, certificates: Sequence[ListedCertificate]) -> None:
    """Print the certificates of one cluster, and what is wrong with the lists."""
    title = f"Cluster {escape(overview.cluster)}, as of {format_moment(overview.taken_at)}"
    print_indented(console, Text(title, "bold"), 0)
    for peer in overview.unread:
        print_indented(console, Text(f"Not read: the trusted CA list of {escape(peer)}.", "yellow"), 2)
    ends = {certificate.fingerprint: translate(_describe_end(overview.days_left(certificate))) for certificate in certificates}
    width = max(map(len, ends.values()), default=0)
    entries = []
    for certificate in certificates:
        days = overview.days_left(certificate)
        style = "" if days is None or days > _SOON_DAYS else "yellow" if days >= 0 else "red"
        end = FinalText(ends[certificate.fingerprint].rjust(width), style)
        paragraphs = tuple(map(Text, _describe(overview, certificate)))
        if not console.is_terminal:
            paragraphs = (FinalText("  ".join(translate_text(paragraph).plain for paragraph in paragraphs)),)
        entries.append(Entry(end, paragraphs))
    print_entries(console, entries)
    for sentence in list_findings(overview):
        print_indented(console, Text(escape(sentence, 2_000)), 0)


def _describe_end(days: int | None) -> str:
    if days is None:
        return "no end"
    return f"{count(days, 'day')}" if days >= 0 else "has expired"


def _describe(overview: CertificateOverview, certificate: ListedCertificate) -> tuple[str, str, str]:
    """Return the name, what identifies it, and where it is, escaped."""
    facts = certificate.facts
    name = facts.common_name or facts.subject or "without a name"
    places = []
    if certificate.lists:
        peers = (
            "every list" if set(certificate.lists) == _read_lists(overview) else f"the list of {', '.join(certificate.lists)}"
        )
        places.append(f"in {peers}")
    if certificate.own_of:
        places.append(f"sent by {', '.join(certificate.own_of)}")
    if certificate.presented:
        presenters = [f"{presentation.endpoint} (depth {presentation.depth})" for presentation in certificate.presented]
        places.append(f"presented by {first_few(list(dict.fromkeys(presenters)))}")
    uses = len({pair.endpoint for pair in certificate.relied_on_by})
    places.append(f"needed by {count(uses, 'endpoint')}" if uses else "needed by no endpoint")
    if not certificate.lists:
        places.append(
            "confirmed by your `ca` or by certificate management" if facts.vouched_by else "confirmed by no trusted source"
        )
    until = (facts.not_after or "")[:10]
    identity = f"{short_fingerprint(certificate.fingerprint)}  until {until or 'no end'}"
    return escape(name, 80), identity, escape("; ".join(places), 1_000)


def _read_lists(overview: CertificateOverview) -> set[str]:
    return {peer for certificate in overview.certificates for peer in certificate.lists}


def list_findings(overview: CertificateOverview) -> Iterator[str]:
    """Yield a sentence for each thing that is wrong with the lists, or may be."""
    names = {certificate.fingerprint: certificate.facts.common_name for certificate in overview.certificates}

    def name(fingerprint: Fingerprint) -> str:
        return f"{names[fingerprint] or 'a certificate without a common name'} ({short_fingerprint(fingerprint)})"

    for drift in overview.drift:
        held_by, missing_on = ", ".join(drift.held_by), ", ".join(drift.missing_on)
        yield f"The lists differ: {name(drift.certificate)} is on {held_by}, and not on {missing_on}."
    for shared in overview.shared_names:
        yield (
            f"{shared.peer} has {len(shared.certificates)} certificates with the common name {shared.common_name}: "
            f"{', '.join(map(short_fingerprint, shared.certificates))}. The first of them is used."
        )
    if overview.not_relied_on:
        partly = "" if overview.complete else " of those that were observed"
        yield (
            f"No endpoint{partly} needs {count(len(overview.not_relied_on), 'certificate')} of the lists: "
            f"{first_few([name(fingerprint) for fingerprint in overview.not_relied_on])}. {_OTHER_USES}"
        )
