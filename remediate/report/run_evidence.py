"""One run as evidence: what the journal holds of it, in tables for a change ticket (Markdown) and for its page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from remediate.language.messages import Verbatim, mark_words, translate
from remediate.model.measurement import PairMeasurement
from remediate.report.lines import colon
from remediate.report.markdown import code, prose
from remediate.report.run_facts import describe_clients, describe_fact, describe_measurements, name_step
from remediate.report.view import symbol_of

_FINGERPRINTS = frozenset({"certificate", "fingerprint"})
NOT_RECORDED = "not recorded"


@dataclass(frozen=True, slots=True)
class EvidenceTable:
    """One table of a run's evidence; every cell may hold untrusted text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def run_ticket(record: Mapping[str, Any], names: Mapping[str, str], pairs: Sequence[PairMeasurement] = ()) -> str:
    """Return a run as Markdown. Untrusted text is put in code spans, where Markdown interprets nothing.

    Args:
        record: All that the journal holds of the run, see `report.run.run_record`.
        names: The subjects of the certificates that it names, by fingerprint.
        pairs: What it measured; empty: nothing.
    """
    title = f"Run {record['id']}"
    lines = [f"# {translate(title)}", ""]
    lines += [f"- {translate(label)}{colon()} {code(translate(value))}" for label, value in _summarise(record)]
    if record["remark"]:
        lines += ["", f"**{prose(record['remark'])}**"]
    if pairs:
        lines += ["", f"**{translate(describe_measurements(pairs))} {translate(describe_clients(pairs))}**"]
    for table in (*_make_measured_tables(pairs), *evidence_tables(record, names)):
        columns = map(translate, table.columns)
        lines += ["", f"## {translate(table.title)}", "", f"| {' | '.join(columns)} |", f"|{'---|' * len(table.columns)}"]
        lines += [f"| {' | '.join(code(translate(cell)) if cell else '' for cell in row)} |" for row in table.rows]
    return "\n".join(lines) + "\n"


def _make_measured_tables(pairs: Sequence[PairMeasurement]) -> Iterator[EvidenceTable]:
    """Yield what was measured: a row for each endpoint and peer."""
    if pairs:
        rows = tuple(_make_measured_row(pair) for pair in pairs)
        yield EvidenceTable("Measured by this run", mark_words("endpoint", "peer", "before", "now", "cause", "client"), rows)


def _make_measured_row(pair: PairMeasurement) -> tuple[str, ...]:
    before = symbol_of(pair.before) if pair.before else NOT_RECORDED
    cause = pair.after.cause
    return (
        str(pair.pair.endpoint),
        pair.peer,
        before,
        symbol_of(pair.after),
        cause.value if cause else "",
        pair.client.state.value.replace("-", " "),
    )


def evidence_tables(record: Mapping[str, Any], names: Mapping[str, str]) -> tuple[EvidenceTable, ...]:
    """Return the tables of a run that have rows."""
    tables = (
        EvidenceTable("In effect", mark_words("peer", "state", "by", "said"), tuple(_list_effects(record))),
        EvidenceTable("Approvals", mark_words("certificate", "how", "by", "at"), tuple(_list_approvals(record, names))),
        EvidenceTable(
            "Trusted CA lists", mark_words("peer", "before", "after", "added", "removed"), tuple(_list_trusted(record, names))
        ),
        EvidenceTable("Cipher lists before the run", mark_words("peer", "name", "value"), tuple(_list_ciphers(record))),
        EvidenceTable(
            "Steps",
            mark_words("step", "peer", "change", "state", "started", "ended", "before", "after", "said"),
            tuple(_describe_step(step, names) for step in record["steps"]),
        ),
    )
    return tuple(table for table in tables if table.rows)


def _summarise(record: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    code_text = NOT_RECORDED if record["exit_code"] is None else str(int(record["exit_code"]))
    facts = (
        ("Kind", record["kind"]),
        ("Cluster", Verbatim(record["cluster"])),
        ("State", record["state"]),
        ("Exit code", code_text),
        ("Started", record["started_at"]),
        ("Ended", record["ended_at"] or NOT_RECORDED),
        ("Operator", f"{record['who']} on {record['host']} (process {record['pid']})"),
        ("Ticket", Verbatim(record["ticket"] or "")),
        ("Plan", record["plan"]),
        ("Peers", ", ".join(record["peers"])),
        ("Confirm by", record["confirm_by"]),
        ("Result", " ".join(record["message"].splitlines())),
    )
    return tuple((label, value) for label, value in facts if value)


def _list_effects(record: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for peer, effect in (record["in_effect"] or {}).items():
        yield peer, effect["state"], effect["by"] or "", effect["said"]


def _list_approvals(record: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    for approval in record["approvals"]:
        yield _name_certificate(approval["fingerprint"], names), approval["how"], Verbatim(approval["who"]), approval["at"]


def _list_trusted(record: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    for peer, before in record["before"].items():
        earlier, later = before["trusted_ca"], record["after"][peer]["trusted_ca"]
        added = _join((certificate for certificate in later if certificate not in earlier), names)
        removed = _join((certificate for certificate in earlier if certificate not in later), names)
        yield peer, str(len(earlier)), str(len(later)), added, removed


def _list_ciphers(record: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for peer, before in record["before"].items():
        for name, value in before["ciphers"].items():
            yield peer, name, value


def _describe_step(step: Mapping[str, Any], names: Mapping[str, str]) -> tuple[str, ...]:
    facts = (
        _name_certificate(value, names) if key in _FINGERPRINTS else describe_fact(key, value)
        for key, value in step["facts"].items()
    )
    undone = f", undone {step['undone_at']}" if step["undone_at"] else ""
    return (
        str(step["seq"]),
        step["peer"],
        Verbatim(", ".join([translate(name_step(step)), *facts])),
        f"{step['state']}{undone}",
        step["started_at"],
        step["ended_at"] or NOT_RECORDED,
        step["before"],
        step["after"] or "not read",
        step["message"],
    )


def _join(certificates: Iterable[str], names: Mapping[str, str]) -> str:
    return ", ".join(_name_certificate(certificate, names) for certificate in certificates)


def _name_certificate(fingerprint: str, names: Mapping[str, str]) -> str:
    return f"{names[fingerprint]} ({fingerprint})" if fingerprint in names else fingerprint
